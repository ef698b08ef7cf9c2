"""Commands killed at each rename: their output is whole or not there, and nothing stays behind."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from helpers.front_door import DIGITS

from lnsarith.cli import main
from lnsarith.host.files import whole as files
from nets.network.model import RunError, write_atomic
from nets.train.folder import require_empty

GONE = 2**22 + 7  # no process has this number


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kill") / "run"
    assert main([*DIGITS, "--hidden", "6", "--epochs", "2", "--arith", "fixed16", "--threads",
                 "1", "--out", str(folder)]) == 0
    return folder


def killed(argv, at):
    """Run a command in a child, which is killed before its rename number `at`, from 0; return
    whether it came so far."""
    child = os.fork()
    if not child:
        count = iter(range(1 << 30))
        rename = Path.replace

        def replace(path, target):
            ours = "lnsarith." in path.name + Path(target).name
            if ours and next(count) == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return rename(path, target)

        Path.replace = replace
        try:
            main([str(a) for a in argv])
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def left(folder):
    return [p.name for p in folder.iterdir() if p.name.startswith(".")]


def refusal(capsys, *argv):
    capsys.readouterr()
    assert main([*map(str, argv)]) == 2
    err = capsys.readouterr().err
    assert "fault of ours" not in err
    return err.splitlines()[-1]


def test_prune_leaves_a_whole_run_or_none(run, tmp_path, capsys):
    out = tmp_path / "p"
    argv = ["prune", run, "--share", "0.5", "--epochs", "1", "--threads", "1", "--out", out]
    at = 0
    while killed(argv, at):
        if out.exists():  # pruned, and perhaps trained on: it can be gone on with
            assert json.loads((out / "config.json").read_text())["kind"].startswith(
                "lnsarith pruned")
            with np.load(out / "model.npz") as arrays:
                assert (arrays["0.w"][arrays["0.w.mask"] == 1] == 0).all()
            shutil.rmtree(out)
        at += 1
    assert at == 7  # config, log and model in a folder, its name; log, model; pruning.json
    sparsity = json.loads((out / "pruning.json").read_text())["sparsity"]
    assert sparsity >= 0.5 and left(tmp_path) == [] == left(out)


def test_prune_goes_on_where_it_was_killed_to_the_same_bytes(run, tmp_path, capsys):
    argv = ["prune", run, "--share", "50%", "--epochs", "2", "--threads", "1"]
    assert main([*map(str, argv), "--out", str(tmp_path / "whole")]) == 0
    assert killed([*argv, "--out", tmp_path / "p"], 7)  # between log and model of epoch 2
    line = refusal(capsys, *argv, "--out", tmp_path / "p")
    assert "is not empty; add --resume" in line
    line = refusal(capsys, *argv[:2], "--share", "0.6", "--resume", "--out", tmp_path / "p")
    assert "was pruned with share = 0.5, got 0.6" in line
    assert main([*map(str, argv), "--resume", "--out", str(tmp_path / "p")]) == 0
    one, other = (tmp_path / n / "model.npz" for n in ("whole", "p"))
    assert one.read_bytes() == other.read_bytes()


def test_an_export_and_a_package_are_the_old_ones_or_the_new_ones(run, tmp_path, capsys):
    for folder, argv in (
            (tmp_path / "int", ["quantize", run, "--images", "50", "--bits"]),
            (tmp_path / "rtl", ["rtl", "gen", "fixed-add", "--arith", "fixed8.4", "--vectors"])):
        def command(n, folder=folder, argv=argv):
            return [*argv, n, "--out", folder]

        assert killed(command("4"), 0) and not folder.exists() and len(left(tmp_path)) == 1
        assert main([*map(str, command("4"))]) == 0 and left(tmp_path) == []
        old = {p.name: p.read_bytes() for p in folder.iterdir()}
        assert killed(command("5"), 0)
        assert {p.name: p.read_bytes() for p in folder.iterdir()} == old
        assert killed(command("5"), 1) and not folder.exists()  # between the two renames
        files.clear_away(tmp_path)
        assert {p.name: p.read_bytes() for p in folder.iterdir()} == old
        assert main([*map(str, command("5"))]) == 0
        assert {p.name: p.read_bytes() for p in folder.iterdir()} != old
        assert left(tmp_path) == []


def test_eval_finds_an_export_that_was_moved_out_of_the_way(run, tmp_path, capsys):
    argv = ["quantize", run, "--images", "50", "--out", tmp_path / "int"]
    assert main([*map(str, argv)]) == 0
    assert killed(argv, 1) and not (tmp_path / "int").exists()
    assert main(["eval", str(tmp_path / "int")]) == 0


def test_a_file_of_a_fit_is_whole_or_not_there(tmp_path):
    argv = ["spindle", "fit", "--function", "logistic", "--error", "0.1", "--out",
            tmp_path / "f.json"]
    assert killed(argv, 0) and len(left(tmp_path)) == 1 and not (tmp_path / "f.json").exists()
    other = [*argv[:-1], tmp_path / "other.json"]
    assert main([*map(str, other)]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["other.json"]


def test_no_command_goes_on_with_anothers_folder(run, tmp_path, capsys):
    assert main(["prune", str(run), "--share", "0.5", "--out", str(tmp_path / "p")]) == 0
    assert main(["quantize", str(run), "--images", "50", "--out", str(tmp_path / "int")]) == 0
    assert main(["rtl", "gen", "fixed-add", "--vectors", "9", "--out", str(tmp_path / "v")]) == 0
    assert main(["train", "--model", "bnn", "--dataset", "digits", "--no-plot", "--hidden", "5",
                 "--epochs", "1", "--out", str(tmp_path / "b")]) == 0
    train = ["train", "--resume", "--dataset", "digits", "--out"]
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    for folder, what in (("p", "holds a pruned run, which lnsarith prune --resume goes on with"),
                         ("int", "holds a network of integers, no run"), ("v", "holds Verilog"),
                         ("b/export", "holds an exported binary network, no run")):
        assert what in refusal(capsys, *train, tmp_path / folder), folder
    line = refusal(capsys, "train", "--arith", "lns16", *train[1:], tmp_path / "b")
    assert "has arith = binary, got lns16" in line
    line = refusal(capsys, "train", "--model", "bnn", *train[1:], run)
    assert ", got binary" in line
    prune = ["prune", run, "--share", "0.5", "--resume", "--out"]
    assert "holds a run, which lnsarith train --resume" in refusal(capsys, *prune, run)
    assert "choose another" in refusal(capsys, "quantize", run, "--images", "9", "--out",
                                       tmp_path / "v")
    assert "no folder of generated Verilog" in refusal(
        capsys, "rtl", "gen", "fixed-add", "--out", tmp_path / "int")
    study = ["study", "batch", "--values", "10", "--dataset", "digits", "--out"]
    for folder in ("p", "int", "v", "b"):
        assert "no study; choose another --out" in refusal(capsys, *study, tmp_path / folder)
    assert before == {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}


def test_a_run_of_prune_of_an_earlier_version_that_lost_its_model_is_no_dense_net(
        run, tmp_path, capsys):
    old = shutil.copytree(run, tmp_path / "old")
    config = json.loads((old / "config.json").read_text())
    del config["kind"]
    (old / "config.json").write_text(json.dumps(config))
    (old / "model.npz").unlink()
    line = refusal(capsys, "train", "--resume", "--out", old)
    assert "has a log of 2 epochs and no model.npz" in line


# The mechanism


def name_of(pid, target="f", kind="part", host=files.HOST):
    return f".{target}.{host}-{pid}-0.lnsarith.{kind}"


def test_what_dead_processes_left_goes_and_nothing_else(tmp_path):
    foreign = {".f.part", "f.part", ".f.1.part", f"{name_of(GONE)}x", "lnsarith.part",
               f".{files.HOST}-{GONE}-0.lnsarith.part", f"lnsarith-{GONE}"}
    alive = {name_of(os.getpid()), name_of(1), name_of(GONE, host="elsewhere")}
    dead = {name_of(GONE), name_of("9" * 30), name_of(GONE, "deep"), f"lnsarith-{GONE}-a_b"}
    for name in foreign | alive | dead:
        (tmp_path / name).write_text("x")
    (tmp_path / name_of(GONE, "deep")).unlink()
    (tmp_path / name_of(GONE, "deep") / "a").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (tmp_path / name_of(GONE, "link")).symlink_to(outside)
    write_atomic(tmp_path / "new", b"1")
    found = {p.name for p in tmp_path.iterdir()}
    assert found == foreign | alive | {"new", "outside"}
    assert (outside / "kept").exists()
    for name in alive:  # old ones go, whoever has their number now
        os.utime(tmp_path / name, (time.time() - files.OLD - 60,) * 2)
    write_atomic(tmp_path / "new", b"2")
    assert {p.name for p in tmp_path.iterdir()} == foreign | {"new", "outside"}


def test_an_older_folder_that_was_moved_away_comes_back(tmp_path):
    (tmp_path / name_of(GONE, "out", "old")).mkdir()
    (tmp_path / name_of(GONE, "out", "old") / "a").touch()
    files.clear_away(tmp_path)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a"]
    (tmp_path / name_of(GONE, "out", "old")).mkdir()
    files.clear_away(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_scratch_folders_of_dead_processes_go(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f"lnsarith-{GONE}-abc").mkdir()
    with files.scratch() as folder:
        assert [str(p) for p in tmp_path.iterdir()] == [folder]
        assert f"-{os.getpid()}-" in folder
    assert not list(tmp_path.iterdir())


def test_leftovers_do_not_make_a_folder_full(tmp_path):
    (tmp_path / name_of(GONE)).touch()
    (tmp_path / ".model.npz.part").touch()
    require_empty(tmp_path)
    (tmp_path / "thesis.part").touch()
    with pytest.raises(RunError, match="is not empty"):
        require_empty(tmp_path)
