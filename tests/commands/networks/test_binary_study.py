"""lnsarith study, and how the command tells which model is meant."""

import json
import re

import pytest
from helpers.small_digits import small

from lnsarith.cli import main
from lnsarith.commands.common.which import binary_folder
from nets.data import sets as data

SMALL = ("--dataset", "digits", "--hidden", "8", "--val", "10", "--epochs", "2")


@pytest.mark.parametrize("what, values", [("batch", "5,20"), ("rate", "0.001,0.02,1/16")])
def test_a_study_trains_with_each_value_and_draws(what, values, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(data, "load", lambda *args: small(60))
    folder = tmp_path / "s"
    assert main(["study", what, *SMALL, "--values", values, "--out", str(folder), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert json.loads((folder / "study.json").read_text()) == result
    rows = result["rows"]
    assert [str(row["value"]) for row in rows] == values.split(",")
    for row in rows:
        last = row["records"][-1]
        assert len(row["records"]) == 2 and row["seconds"] > 0
        assert (row["loss"], row["val_accuracy"], row["test_accuracy"]) == (
            last["loss"], last["val_accuracy"], last["test_accuracy"])
    assert len({row["loss"] for row in rows}) == len(rows)
    image = (folder / "study.png").read_bytes()
    assert image.startswith(b"\x89PNG") and len(image) > 10000
    assert main(["study", what, *SMALL, "--values", values, "--out", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == len(rows) + 2
    told = re.findall(r"loss (\S+)  ", err)
    assert len(told) == 2 * len(rows) and all(re.fullmatch(r"\d+\.\d{4}", t) for t in told)


@pytest.mark.parametrize("args, message", [
    (("batch", "--values", "5,x"), "batch must be an integer, got 'x'"),
    (("batch", "--values", "0"), "batch must be 1..65536"),
    (("rate", "--values", "0.1,0"), "lr must be above 0"),
    (("colour",), "there is no lnsarith study colour")])
def test_values_are_checked_before_anything_is_trained(args, message, capsys, monkeypatch):
    monkeypatch.setattr(data, "load", None)
    assert main(["study", *args]) == 2
    assert message in capsys.readouterr().err


def test_a_study_goes_with_any_arithmetic(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(data, "load", lambda *args: small(60))
    assert main(["study", "rate", *SMALL, "--arith", "float32", "--values", "1/8,1/64",
                 "--out", str(tmp_path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["settings"]["arith"] == "float32" and len(result["rows"]) == 2


def test_which_folders_hold_exported_bits(tmp_path):
    assert not binary_folder(str(tmp_path))
    (tmp_path / "manifest.json").write_text('{"kind": "lnsarith binary network 1"}')
    assert binary_folder(str(tmp_path)) and binary_folder(str(tmp_path / "manifest.json"))
    (tmp_path / "manifest.json").write_text("[")
    assert not binary_folder(str(tmp_path))


def test_the_help_of_train_tells_of_binary_networks(capsys):
    assert main(["train", "--help-all"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--model bnn is short for" in text and "--binarize-input" in text


@pytest.mark.parametrize("what, own", [
    ("rate", {"model": "bnn", "arith": "binary", "hidden": "256,256,256", "batch": "100",
              "optimizer": "adam"}),
    ("activations", {"model": "lenet5", "arith": "float32", "batch": "16", "schedule": "cosine"})])
def test_the_help_of_a_study_tells_the_defaults_that_it_has(what, own, capsys):
    assert main(["study", what, "--help-all"]) == 0
    options = re.split(r"\n  (?=--)", capsys.readouterr().out)
    told = {text.split()[0]: " ".join(text.split()) for text in options}
    for name, value in {**own, "epochs": "5"}.items():
        assert f"(default {value})" in told[f"--{name}"]


def test_one_epoch_is_told_in_the_singular(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *SMALL, "--epochs", "1", "--no-plot", "--out", "a"]) == 0
    assert main(["eval", "a"]) == 0
    assert "\na after 1 epoch on digits\n" in capsys.readouterr().out
