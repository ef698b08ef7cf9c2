"""lnsarith train --from: better words, a folder that means them, and one line for bad input."""

import json

import numpy as np
import onnx
import pytest
from helpers.onnx_models import residual

from lnsarith.cli import main
from nets.graph.training.fitting import Fitting


def command(capsys, *words):
    code = main([str(w) for w in words])
    out, err = capsys.readouterr()
    return code, out, err


def answer(capsys, *words):
    code, out, err = command(capsys, *words, "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("from") / "digits"
    assert main(["train", "--dataset", "digits", "--arith", "float32", "--recipe", "icassp2020",
                 "--epochs", "6", "--hidden", "24", "--out", str(folder), "--no-plot",
                 "--json"]) == 0
    return folder


@pytest.mark.parametrize("arith", ["lns7.2", "fixed5"])
def test_words_are_better_after_it_and_eval_has_them(arith, run, tmp_path, capsys):
    out = tmp_path / "tuned"
    tuned = answer(capsys, "train", "--from", run, "--arith", arith, "--epochs", "2", "--out", out)
    assert tuned["test_accuracy"] > tuned["before"] + 0.01
    again = answer(capsys, "eval", out, "--dataset", "digits", "--formats", out / "formats.toml")
    assert again["test_accuracy"] == tuned["test_accuracy"]
    on = answer(capsys, "train", "--from", out, "--formats", out / "formats.toml", "--epochs", "1",
                "--out", tmp_path / "on")
    assert on["before"] == tuned["test_accuracy"]


@pytest.mark.parametrize("arith", ["lns8.3", "fixed8", "float32"])
def test_an_interrupted_training_goes_on_to_the_same_bytes(arith, run, tmp_path, capsys,
                                                           monkeypatch):
    words = ["train", "--from", run, "--arith", arith, "--epochs", "3", "--lr", "2^-6", "--json",
             "--out"]
    whole = json.loads(command(capsys, *words, tmp_path / "whole")[1])
    own, calls = Fitting.batch, []

    def batch(self, *rest):
        calls.append(1)
        if len(calls) == 70:  # 45 batches are an epoch
            raise KeyboardInterrupt
        return own(self, *rest)

    monkeypatch.setattr(Fitting, "batch", batch)
    out = tmp_path / "parts"
    code, printed, err = command(capsys, *words, out)
    assert code == 130 and "1 epoch of 3 are kept; go on with the same command" in err
    assert [p.name for p in out.iterdir()] == ["training.npz"]
    told = command(capsys, *words, out)[2]
    assert "add --resume to go on" in told and told.count("\n") == 1
    other = command(capsys, *words, out, "--resume", "--lr", "2^-7")[2]
    assert "was begun with lr = 2^-6, got 2^-7" in other
    code, printed, err = command(capsys, *words, out, "--resume")
    assert code == 0 and "going on with" in err and "after 1 epoch" in err
    parts = json.loads(printed)
    for name in ("model.npz", "formats.toml"):
        assert (arith, name) == ("float32", "formats.toml") or (
            (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes())
    assert all(row["moved"] > 0 for row in whole["epochs"])
    same = ("epoch", "loss", "moved", "train_accuracy", "test_accuracy")
    assert [[e[k] for k in same] for e in parts["epochs"]] == [
        [e[k] for k in same] for e in whole["epochs"]]
    assert not (out / "training.npz").exists()
    assert json.loads(command(capsys, *words, out, "--resume")[1]) == parts  # nothing is left to do


def test_steps_that_are_rounded_away_are_told(run, tmp_path, capsys):
    code, out, err = command(capsys, "train", "--from", run, "--arith", "lns8.3", "--epochs", "1",
                             "--gradients", "lns8.3", "--momentum", "0", "--clip", "2^-3", "--lr",
                             "2^-14", "--json", "--out", tmp_path / "still")
    assert code == 0 and json.loads(out)["epochs"][0]["moved"] == 0
    assert "warning: no weight moved" in err


def test_floats_that_run_away_are_one_line(run, tmp_path, capsys):
    code, out, err = command(capsys, "train", "--from", run, "--arith", "float32", "--epochs", "1",
                             "--lr", "65536", "--out", tmp_path / "away")
    assert code == 2 and not out and not (tmp_path / "away").exists()
    assert "epoch 1: weights are no finite numbers any more; give a smaller --lr" in err


def test_floats_learn_too(run, tmp_path, capsys):
    out = tmp_path / "tuned"
    tuned = answer(capsys, "train", "--from", run, "--arith", "float32", "--epochs", "2", "--lr",
                   "2^-4", "--out", out)
    assert tuned["before"] == tuned["float_accuracy"] < tuned["test_accuracy"]
    assert answer(capsys, "eval", out, "--dataset", "digits")["test_accuracy"] == (
        tuned["test_accuracy"])


@pytest.fixture(scope="module")
def branches(tmp_path_factory):
    """A network of branches: groups, depthwise and dilated convolutions, a concatenation, means,
    ReLU6 and hard-swish; and images whose class is where they are bright."""
    folder = tmp_path_factory.mktemp("branches")
    onnx.save(residual(), str(folder / "net.onnx"))
    assert main(["import", str(folder / "net.onnx"), "--out", str(folder / "run")]) == 0
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 100, (90, 12, 12, 3)), np.arange(90) % 3
    for image, label in zip(x, y):
        image[4 * label : 4 * label + 4] += 150
    np.savez(folder / "data.npz", x=x.astype(np.uint8), y=y)
    return folder


@pytest.mark.parametrize("arith", ["float32", "lns12", "fixed12", "lns16", "fixed16"])
def test_branches_learn_in_every_arithmetic(arith, branches, tmp_path, capsys):
    tuned = answer(capsys, "train", "--from", branches / "run", "--data", branches / "data.npz",
                   "--arith", arith, "--epochs", "4", "--batch", "15", "--lr", "2^-5", "--out",
                   tmp_path / "tuned")
    first, *_, last = [row["loss"] for row in tuned["epochs"]]
    assert last < first - 0.3 and tuned["test_accuracy"] > tuned["before"]


def test_bad_input_is_one_line_and_leaves_nothing(run, tmp_path, capsys):
    out = tmp_path / "none"
    wrong = tmp_path / "wrong.npz"
    np.savez(wrong, x=np.zeros((20, 8, 8), np.uint8), y=np.arange(20))
    text = tmp_path / "other.toml"
    text.write_text('arith = "lns12"\n[input]\nresults = "lns12"\n[layers.a]\nresults = "lns12"\n')
    for words, told in (
            (["--from", run], "takes an arithmetic: give --arith lns12"),
            (["--from", run, "--arith", "minselect16"], "not in minselect16"),
            (["--from", run, "--arith", "float32", "--calibrate", "9"], "goes with fixed-point"),
            (["--from", run, "--arith", "binary"], "not in binary"),
            (["--from", tmp_path / "nowhere", "--arith", "lns12"], "nowhere"),
            (["--from", run, "--arith", "lns12", "--hidden", "9"], "hidden has no meaning with"),
            (["--from", run, "--formats", text], "are not those of this network"),
            (["--from", run, "--formats", text, "--arith", "lns12"], "arithmetic of its own"),
            (["--from", run, "--arith", "lns12", "--data", wrong], "labels 0..19, the network"),
            (["--from", run, "--arith", "fixed8", "--calibrate", "0"], "calibrate must be 1"),
            (["--calibrate", "9"], "--calibrate goes with --from RUN")):
        code, printed, err = command(capsys, "train", *words, "--out", out)
        assert code == 2 and not printed and err.count("\n") == 1, err
        assert told in err
        assert not out.exists()
