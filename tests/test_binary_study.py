"""lnsarith study, and how the command tells which model is meant."""

import json
import re

import pytest
from small_digits import small

from lnsarith.cli import main
from lnsarith.commands.which import binary_folder, binary_meant
from nets import data

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
    if what == "rate":
        assert rows[0]["records"][0]["rate"] < rows[1]["records"][0]["rate"]
    image = (folder / "study.png").read_bytes()
    assert image.startswith(b"\x89PNG") and len(image) > 10000
    assert main(["study", what, *SMALL, "--values", values, "--out", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == len(rows) + 2
    told = re.findall(r"loss (\S+)  ", err)
    assert len(told) == 2 * len(rows) and all(re.fullmatch(r"\d+\.\d{4}", t) for t in told)


@pytest.mark.parametrize("args, message", [
    (("batch", "--values", "5,x"), "batch must be an integer, got 'x'"),
    (("batch", "--values", "1"), "batch must be 2..65536"),
    (("rate", "--values", "0.1,0"), "lr must be above 0"),
    (("colour",), "there is no lnsarith study colour")])
def test_values_are_checked_before_anything_is_trained(args, message, capsys, monkeypatch):
    monkeypatch.setattr(data, "load", None)
    assert main(["study", *args]) == 2
    assert message in capsys.readouterr().err


def test_which_model_a_command_line_means(tmp_path):
    config = tmp_path / "a.toml"
    config.write_text('epochs = 1\nmodel = "bnn"\n')
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text('{"model": "bnn"}')
    for yes in (["--model", "bnn"], ["--model=bnn"], ["--config", str(config)],
                ["--resume", "--out", str(tmp_path / "run")]):
        assert binary_meant(["train", *yes])
    for no in ([], ["--model", "mlp"], ["--out", str(tmp_path / "run")], ["--resume"],
               ["--model", "bnn", "--model=mlp"], ["--config", "absent"]):
        assert not binary_meant(["train", *no])
    assert binary_folder(str(tmp_path / "run"))
    assert not binary_folder(str(tmp_path))
    (tmp_path / "config.json").write_text("[")
    assert not binary_folder(str(tmp_path))


def test_the_help_of_train_leads_to_binary_networks(capsys):
    assert main(["train", "--help"]) == 0
    assert "lnsarith train --model bnn" in capsys.readouterr().out
    assert main(["train", "--model", "bnn", "--help"]) == 0
    assert "--binarize-input" in capsys.readouterr().out
