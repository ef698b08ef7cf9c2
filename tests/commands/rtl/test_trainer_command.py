"""lnsarith rtl trainer: a folder whole or not at all, a run gone on with, what is refused."""

import json

import pytest
from helpers.front_door import assert_one_line, call
from helpers.hardware.small_trainer import bench_says

from lnsarith.cli import main
from lnsarith.commands.rtl.training import Training

SMALL = ("--dataset", "digits", "--arith", "lns12", "--recipe", "icassp2020", "--hidden", "5",
         "--val", "1400", "--epochs", "2", "--parallel", "3", "--pipeline", "1")
COUNTED = ("--update", "stochastic", "--schedule", "linear", "--schedule-by", "batch")


def test_a_simulated_core_ends_with_the_model_of_train(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *SMALL[:-4], *COUNTED, "--out", "run", "--no-plot", "--json"]) == 0
    trained = json.loads(capsys.readouterr().out)
    assert main(["rtl", "trainer", *SMALL, *COUNTED, "--simulate", "all", "--out", "core", "--json",
                 "--name", "tiny"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model_sha256"] == trained["model_sha256"] and told["differ"] == 0
    assert told["epochs"] == 2 and told["steps"] > 8
    assert (tmp_path / "core/model.npz").read_bytes() == (tmp_path / "run/model.npz").read_bytes()
    manifest = json.loads((tmp_path / "core/manifest.json").read_text())
    assert manifest["simulated"]["model_sha256"] == trained["model_sha256"]
    # The run goes on in hardware, its steps counted from where it was.
    assert main(["rtl", "trainer", "run", "--parallel", "2", "--out", "on", "--name", "tiny",
                 "--synth", "ecp5"]) == 0
    assert "block memories" in capsys.readouterr().out
    cells = json.loads((tmp_path / "on/manifest.json").read_text())["cost"]["cells"]
    assert 500 < cells["LUT4"] < 5000 and cells["block memories"] > 4
    said, status = bench_says(tmp_path / "on")
    assert status == 0 and "PASS" in said, said


def test_a_core_that_differs_is_told_and_not_written(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Training, "simulated", lambda self, steps: (
        {"steps": steps, "differ": 3, "first": "0.w[1, 2]", "cycles_a_step": 1.0, "useful": 0.5,
         "seconds": 1.0, "build_seconds": 1.0, "model_sha256": "0"}, b""))
    assert main(["rtl", "trainer", *SMALL, "--simulate", "4", "--out", str(tmp_path / "x")]) == 1
    assert "3 words differ, the first in 0.w[1, 2]" in capsys.readouterr().out
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("given, named", [
    (("--arith", "float32"), "float32"), (("--arith", "binary"), "binary"),
    (("--arith", "minselect16"), "minselect16"), (("--model", "lenet5"), "lenet5"),
    (("--norm", "batch"), "norm batch"), (("--dropout", "0.5"), "dropout 0.5"),
    (("--dropout-input", "0.5"), "dropout_input"), (("--order", "tree"), "order tree"),
    (("--momentum", "0.5", "--gradients", "lns16"), "momentum"),
    (("--logits", "lns16"), "logits lns16"),
    (("--parallel", "101"), "parallel must be 1..100"), (("--pipeline", "17"), "pipeline"),
    (("--place",), "--place goes with"), (("--name", "9lives"), "name must be letters"),
    (("--simulate", "0"), "simulate"), (("--simulate", "few"), "simulate"),
    (("gone",), "gone")], ids=" ".join)
def test_what_the_core_cannot_do_is_named_before_anything_is_written(given, named, tmp_path,
                                                                    capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base = () if given == ("gone",) else ("--dataset", "digits", "--arith", "lns12")
    assert main(["rtl", "trainer", *base, *given]) == 2
    out, err = capsys.readouterr()
    assert out == "" and named in err and err.count("\n") == 1, err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "core").mkdir()
    (tmp_path / "core/mine").write_text("kept")
    code, out, err = call("rtl", "trainer", *SMALL, "--out", "core", cwd=tmp_path)
    assert code == 2 and out == ""
    assert_one_line(err, "core")
    assert (tmp_path / "core/mine").read_text() == "kept"
