"""Runs on disk: what interruptions, full disks and other settings do to them."""

import json
import os
import random
import resource
import shutil
import signal
import time
import zipfile

import numpy as np
import pytest
from helpers.front_door import DIGITS, answer, assert_one_line, call, start

from lnsarith.cli import main
from nets.network import model
from nets.train.run import Run, RunError

EPOCHS = 12
# Stochastic updates and a last batch of two: the random numbers must go on too.
BASE = (*DIGITS, "--update", "stochastic", "--epochs", EPOCHS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with a run r that nothing interrupted, and its answer."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, answer(*BASE, "--out", "r", cwd=folder)


@pytest.fixture
def copy(whole, tmp_path):
    """A copy of the run, to be damaged."""
    shutil.copytree(whole[0] / "r", tmp_path / "r")
    return tmp_path / "r"


def refusal(capsys, *argv):
    assert main([str(a) for a in argv]) == 2
    return capsys.readouterr().err


def records(folder):
    lines = (folder / "log.jsonl").read_text().splitlines()
    timed = ("seconds", "images_per_second")
    return [{k: v for k, v in json.loads(x).items() if k not in timed} for x in lines]


def test_a_run_folder_holds_config_log_and_model(whole):
    folder, result = whole
    run = folder / "r"
    assert sorted(p.name for p in run.iterdir()) == [
        "config.json",
        "log.jsonl",
        "model.npz",
    ]
    config = json.loads((run / "config.json").read_text())
    assert (
        config["lr"] == "2^-5" and config["val"] == 200 and config["versions"]["numpy"]
    )
    assert [r["epoch"] for r in records(run)] == list(range(1, EPOCHS + 1))
    assert records(run)[-1]["test_accuracy"] == result["test_accuracy"]
    with np.load(run / "model.npz") as arrays:
        meta = json.loads(arrays["meta"].item())
        assert arrays["0.w"].shape == (64, 100) and arrays["0.w"].dtype == np.int16
    assert meta["formats"]["0.w"] == "lns16.10"
    assert (meta["epoch"], meta["step"]) == (EPOCHS, EPOCHS * 249)


def test_a_run_killed_at_any_moment_goes_on_to_the_same_bytes(whole, tmp_path):
    chance = random.Random(5)
    kills = 0
    while kills < 5:
        process = start(*BASE, "--out", "r", "--resume", cwd=tmp_path)
        log = tmp_path / "r" / "log.jsonl"
        before = log.read_text() if log.exists() else ""
        while process.poll() is None and (
            not log.exists() or log.read_text() == before
        ):
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.03))
        process.kill()
        process.communicate()
        kills += 1
    assert call(*BASE, "--out", "r", "--resume", cwd=tmp_path)[0] == 0
    for name in ("model.npz", "config.json"):
        assert (tmp_path / "r" / name).read_bytes() == (
            whole[0] / "r" / name
        ).read_bytes()
    assert records(tmp_path / "r") == records(whole[0] / "r")


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(whole, tmp_path):
    # What a shell starts in the background ignores Ctrl-C, and so would this process.
    process = start(*BASE[:-1], 100000, "--out", "r", cwd=tmp_path,
                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while not (tmp_path / "r" / "model.npz").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130 and out == "" and "Traceback" not in err
    last = err.splitlines()[-1]
    assert "interrupted" in last and "lnsarith train --resume --out r" in last
    kept = Run.open(tmp_path / "r")
    assert 0 <= len(kept.records) - model.read_model(kept.model_path).epoch <= 1


def test_an_epoch_that_the_log_has_but_not_the_model_is_trained_again(whole, copy):
    kept = records(copy)
    shutil.rmtree(copy)
    base = (*BASE[:-1], 3, "--out", "r")
    answer(*base, cwd=copy.parent)
    log = (copy / "log.jsonl").read_text()
    (copy / "log.jsonl").write_text(
        log + log.splitlines()[-1].replace(": 3,", ": 4,") + "\n"
    )
    (copy / ".model.npz.part").write_text("half")
    answer(
        "train",
        "--resume",
        "--epochs",
        EPOCHS,
        "--out",
        "r",
        "--no-plot",
        cwd=copy.parent,
    )
    assert records(copy) == kept
    assert (copy / "model.npz").read_bytes() == (
        whole[0] / "r" / "model.npz"
    ).read_bytes()


def test_a_finished_run_resumes_to_the_same_answer(whole):
    folder, result = whole
    assert answer(*BASE, "--out", "r", "--resume", cwd=folder) == result


def test_threads_and_time_leave_no_trace_in_a_model(tmp_path):
    base = (*DIGITS, "--epochs", 1, "--batch", 400)  # large enough for two threads
    hashes = {
        answer(*base, "--threads", n, "--out", n, cwd=tmp_path)["model_sha256"]
        for n in (1, 2)
    }
    assert len(hashes) == 1
    with zipfile.ZipFile(tmp_path / "1" / "model.npz") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--lr", "2^-4"), "has lr = 2^-5, got 2^-4"),
        (("--hidden", "50,20"), "has hidden = 100, got 50,20"),
        (("--epochs", EPOCHS - 1), f"has epochs = {EPOCHS}, got {EPOCHS - 1}"),
        (("--arith", "lns12"), "has arith = lns16, got lns12"),
    ],
)
def test_a_run_does_not_go_on_with_other_settings(copy, capsys, option, words):
    before = (copy / "model.npz").read_bytes()
    err = refusal(capsys, "train", "--resume", "--out", copy, *option)
    assert_one_line(err, words, "only epochs may change")
    assert (copy / "model.npz").read_bytes() == before


def test_a_run_does_not_go_on_with_other_images(copy, capsys):
    config = json.loads((copy / "config.json").read_text())
    config["data"]["train_sha256"] = "0"
    (copy / "config.json").write_text(json.dumps(config))
    err = refusal(capsys, "train", "--resume", "--out", copy)
    assert_one_line(err, "began with other images of digits")


def test_a_folder_with_something_in_it_is_left_alone(copy, capsys):
    before = (copy / "config.json").read_bytes()
    assert_one_line(refusal(capsys, *BASE, "--out", copy), "is not empty", "--resume")
    assert (copy / "config.json").read_bytes() == before
    (copy / "config.json").unlink()
    assert_one_line(refusal(capsys, *BASE, "--out", copy, "--resume"), "is not empty")


def test_a_run_without_a_folder_gets_a_new_one_each_time(tmp_path):
    base = (*DIGITS, "--epochs", 1, "--delta", "lut:r=1/2")
    runs = [answer(*base, cwd=tmp_path)["run"] for _ in range(2)]
    assert runs == [
        "runs/digits-lns16-lut-r-1-2-s0",
        "runs/digits-lns16-lut-r-1-2-s0-2",
    ]
    assert answer(*base, "--resume", cwd=tmp_path)["run"] == runs[1]


def test_two_processes_do_not_train_in_one_folder(copy, capsys):
    other = Run.open(copy)
    other.lock()
    err = refusal(capsys, "train", "--resume", "--out", copy)
    assert_one_line(err, "another process is training in")


def test_a_full_disk_loses_nothing(tmp_path):
    def small_files():  # the log outgrows this, the model does not
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

    base = (*DIGITS, "--hidden", 20, "--epochs", 25, "--out", "r")
    code, out, err = call(*base, cwd=tmp_path, preexec_fn=small_files)
    assert code == 2 and out == ""
    last = err.splitlines()[-1]
    assert "cannot write r/log.jsonl: File too large" in last and "--resume" in last
    kept = Run.open(tmp_path / "r")
    assert model.read_model(kept.model_path).epoch == len(kept.records) > 5
    assert not list((tmp_path / "r").glob(".*"))
    assert answer("train", "--resume", "--out", "r", cwd=tmp_path)["epochs"] == 25


def test_a_folder_that_cannot_be_made_is_told_before_training(tmp_path, capsys):
    (tmp_path / "file").touch()
    err = refusal(capsys, *BASE, "--out", tmp_path / "file" / "r")
    assert_one_line(err, "cannot make", "Not a directory; choose another --out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_told_before_training(tmp_path, capsys):
    tmp_path.chmod(0o555)
    err = refusal(capsys, *BASE, "--out", tmp_path / "r")
    assert_one_line(err, "cannot make", "Permission denied; choose another --out")


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "f"
    model.write_atomic(path, b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RunError, match="cannot write .*: No space left on device"):
        model.write_atomic(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
