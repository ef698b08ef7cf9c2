"""lnsarith sweep and runs, as they are used: processes, kills, clusters, and bad input."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import distributed
import pytest

from lnsarith.cli import main
from nets.experiments.jobs.store import Store

SHORT = '[settings]\ndataset = "digits"\nhidden = 8\nbatch = 50\narith = "float32"\n'
SWEEP = [sys.executable, "-m", "lnsarith", "sweep"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(text, name="s.toml"):
    Path(name).write_text(text)
    return name


def rows(store="runs/store.sqlite"):
    with Store(Path(store), create=False) as opened:
        return opened.rows(records=True)


def until(true, seconds=90):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_sweep_gives_the_bytes_of_train_and_repeats_nothing(here, capsys):
    text = ('[settings]\ndataset = "digits"\nhidden = 8\nbatch = 50\nepochs = 2\n[grid]\n'
            'arith = ["lns12", "float32"]\nseed = [0, 1]\n')
    assert main(["sweep", written(text), "--jobs", "2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["done"] == 4 and said["failed"] == 0 and said["run_seconds"] > 0
    main(["train", "--dataset", "digits", "--hidden", "8", "--batch", "50", "--epochs", "2",
          "--arith", "lns12", "--seed", "1", "--recipe", "icassp2020", "--no-plot", "--json",
          "--out", "run"])
    trained = json.loads(capsys.readouterr().out)
    kept = {(r["config"]["arith"], r["config"]["seed"]): r for r in rows()}
    assert kept["lns12", 1]["model_sha256"] == trained["model_sha256"]
    assert kept["lns12", 1]["test_accuracy"] == trained["test_accuracy"]
    assert len(kept["lns12", 1]["records"]["loss"]) == 2
    assert main(["sweep", "s.toml", "--jobs", "2", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["already"] == 4 and again["done"] == 0
    assert [r["ended"] for r in rows()] == [r["ended"] for r in kept.values()]

    assert main(["runs", "compare", "--by", "arith", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {g["by"]["arith"]: g["runs"] for g in found["groups"]} == {"lns12": 2, "float32": 2}
    assert found["differences"][0]["pairs"] == 2
    assert main(["runs", "list", "run", "--csv", "--by", "arith"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("run,lns12,1,2,")
    assert main(["runs", "show", kept["lns12", 1]["key"][:12]]) == 0
    assert "epoch    2" in capsys.readouterr().out


def test_a_failed_run_is_kept_with_its_error_and_tried_again_when_asked(here, capsys):
    text = SHORT + 'lr = "60000"\nepochs = 9\n[grid]\nseed = [0, 1]\nloss = "mse"\n'
    assert main(["sweep", written(text), "--jobs", "1"]) == 1
    assert {r["state"] for r in rows()} == {"failed"}
    assert all("not a finite number" in r["error"] for r in rows())
    capsys.readouterr()
    assert main(["sweep", "s.toml", "--jobs", "1"]) == 1
    assert "2 failed before" in capsys.readouterr().out
    assert main(["sweep", "s.toml", "--jobs", "1", "--resume", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["failed"] == 2


def test_a_killed_sweep_loses_the_runs_in_flight_alone(here, capsys):
    text = SHORT + "epochs = 40\n[grid]\nseed = [0, 1, 2, 3, 4, 5]\n"
    sweep = subprocess.Popen([*SWEEP, written(text), "--jobs", "2"], stderr=subprocess.DEVNULL)
    until(lambda: Path("runs/store.sqlite").exists() and len(rows()) >= 1)
    workers = children(sweep.pid)
    assert len(workers) == 2
    sweep.send_signal(signal.SIGKILL)
    sweep.wait()
    before = {r["key"]: r["ended"] for r in rows()}
    until(lambda: not any(alive(pid) for pid in workers), 20)
    assert main(["sweep", "s.toml", "--jobs", "2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["already"] == len(before) and said["done"] == 6 - len(before) > 0
    after = {r["key"]: r["ended"] for r in rows()}
    assert len(after) == 6 and before.items() <= after.items()


def test_a_worker_that_dies_is_replaced(here, capsys):
    text = SHORT + "epochs = 60\n[grid]\nseed = [0, 1]\n"
    sweep = subprocess.Popen([*SWEEP, written(text), "--jobs", "1", "--json"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    until(lambda: children(sweep.pid))
    os.kill(children(sweep.pid)[0], signal.SIGKILL)
    said = json.loads(sweep.communicate()[0])
    assert said["done"] == 2 and said["failed"] == 0 and len(rows()) == 2


def test_two_sweeps_at_once_share_the_work(here):
    text = SHORT + "epochs = 15\n[grid]\nseed = [0, 1, 2, 3, 4, 5]\n"
    name = written(text)
    both = [subprocess.Popen([*SWEEP, name, "--jobs", "1", "--json"], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
    said = [json.loads(p.communicate()[0]) for p in both]
    assert [p.returncode for p in both] == [0, 0] and len(rows()) == 6
    assert sum(s["done"] for s in said) == 6
    assert all(s["done"] + s["already"] + s["elsewhere"] == 6 for s in said)


def test_a_cluster_that_loses_a_worker_loses_nothing(here, capfd):
    scheduler = subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", "--port",
                                  "0", "--no-dashboard", "--scheduler-file", "s.json"],
                                 stderr=subprocess.DEVNULL)
    workers = []
    try:
        until(lambda: Path("s.json").exists() and Path("s.json").read_text().endswith("}"))
        address = json.loads(Path("s.json").read_text())["address"]
        start = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1",
                 "--no-nanny", "--no-dashboard", "--local-directory"]
        workers = [subprocess.Popen([*start, f"w{i}"], stderr=subprocess.DEVNULL)
                   for i in range(2)]
        with distributed.Client(address) as client:
            client.wait_for_workers(2, timeout=60)
        text = SHORT + "epochs = 40\n[grid]\nseed = [0, 1, 2, 3, 4, 5, 6, 7]\n"
        sweep = subprocess.Popen([*SWEEP, written(text), "--scheduler", address, "--json"],
                                 stdout=subprocess.PIPE, text=True)
        until(lambda: Path("runs/store.sqlite").exists() and len(rows()) >= 2)
        workers[0].kill()
        said = json.loads(sweep.communicate(timeout=120)[0])
    finally:
        for process in [*workers, scheduler]:
            process.kill()
            process.wait()
    assert sweep.returncode == 0 and said["done"] == 8 and said["failed"] == 0
    assert len({r["key"] for r in rows()}) == 8
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("[")]
    assert len(told) == 8  # each ended once
    shas = {r["config"]["seed"]: r["model_sha256"] for r in rows()}
    written(text.replace("[0, 1, 2, 3, 4, 5, 6, 7]", "[0, 7]"), "two.toml")
    assert main(["sweep", "two.toml", "--jobs", "1", "--store", "here.sqlite"]) == 0
    assert all(shas[r["config"]["seed"]] == r["model_sha256"] for r in rows("here.sqlite"))


@pytest.mark.parametrize("words, said", [
    (["sweep", "none.toml"], "none.toml: No such file"),
    (["sweep", "bad.toml"], "bad.toml is not TOML"),
    (["sweep", "key.toml"], "no setting is called 'sed'; did you mean seed?"),
    (["sweep", "good.toml", "--jobs", "0"], "jobs must be 1..1024"),
    (["sweep", "good.toml", "--jobs", "2", "--scheduler", "tcp://127.0.0.1:1"], "give one of"),
    (["sweep", "good.toml", "--store", "text"], "text is damaged, or no store"),
    (["sweep", "good.toml", "--scheduler", "nonsense://x"], "no Dask scheduler answers at"),
    (["runs", "list"], "there is no store runs/store.sqlite: lnsarith sweep makes one"),
    (["runs", "show", "abc", "--store", "text"], "text is damaged"),
    (["runs", "list", "nowhere"], "nowhere holds no run"),
])
def test_what_cannot_be_is_told_in_a_line(here, capsys, monkeypatch, words, said):
    monkeypatch.setattr("nets.experiments.jobs.cluster.CONNECT", 0.5)
    written("[grid\n", "bad.toml")
    written("[grid]\nsed = [1]\n", "key.toml")
    written(SHORT, "good.toml")
    written("some text that is no database, of more than a few letters", "text")
    assert main(words) == 2
    error = capsys.readouterr().err
    told = [line for line in error.splitlines() if line.startswith("lnsarith: ")]
    assert len(told) == 1 and said in told[0]
    assert Path("text").read_text().startswith("some text")


def children(pid):
    """Return the processes that a process began."""
    with contextlib.suppress(OSError):
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                ] or [int(c) for task in Path(f"/proc/{pid}/task").iterdir()
                      for c in (task / "children").read_text().split()]
    return []


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
