"""lnsarith train --from: better words, a folder that means them, and one line for bad input."""

import json

import numpy as np
import pytest

from lnsarith.cli import main


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
    assert main(["train", "--dataset", "digits", "--arith", "float32", "--epochs", "6", "--hidden",
                 "24", "--out", str(folder), "--no-plot", "--json"]) == 0
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


def test_bad_input_is_one_line_and_leaves_nothing(run, tmp_path, capsys):
    out = tmp_path / "none"
    wrong = tmp_path / "wrong.npz"
    np.savez(wrong, x=np.zeros((20, 8, 8), np.uint8), y=np.arange(20))
    text = tmp_path / "other.toml"
    text.write_text('arith = "lns12"\n[input]\nresults = "lns12"\n[layers.a]\nresults = "lns12"\n')
    for words, told in (
            (["--from", run], "not in float32: give --arith lns12"),
            (["--from", run, "--arith", "binary"], "not in binary"),
            (["--from", tmp_path / "nowhere", "--arith", "lns12"], "nowhere"),
            (["--from", run, "--arith", "lns12", "--hidden", "9"], "hidden has no meaning with"),
            (["--from", run, "--arith", "lns12", "--resume"], "--resume has no meaning"),
            (["--from", run, "--formats", text], "are not those of this network"),
            (["--from", run, "--formats", text, "--arith", "lns12"], "arithmetic of its own"),
            (["--from", run, "--arith", "lns12", "--data", wrong], "labels 0..19, the network"),
            (["--from", run, "--arith", "fixed8", "--calibrate", "0"], "calibrate must be 1"),
            (["--calibrate", "9"], "--calibrate goes with --from RUN")):
        code, printed, err = command(capsys, "train", *words, "--out", out)
        assert code == 2 and not printed and err.count("\n") == 1, err
        assert told in err
        assert not out.exists()
