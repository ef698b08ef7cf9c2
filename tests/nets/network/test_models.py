"""Convolution networks through the front door: train, go on, evaluate, predict."""

import numpy as np
import pytest
from helpers import data_mirror
from helpers.front_door import answer, assert_one_line, call
from PIL import Image

from nets.settings.suited import settings_for

TRAIN = ("train", "--model", "lenet5", "--no-plot", "--val", 20, "--batch", 32, "--data-dir", "d")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a small data set and a run r of two epochs, and its answer."""
    folder = tmp_path_factory.mktemp("lenet")
    data_mirror.write(folder / "d" / "mnist", data_mirror.make_files(counts=(150, 20)))
    return folder, answer(*TRAIN, "--epochs", 2, "--out", "r", cwd=folder)


def test_a_run_tells_its_model(trained):
    folder, result = trained
    assert result["model_sha256"] and result["run"] == "r"
    assert '"model": "lenet5"' in (folder / "r" / "config.json").read_text()
    assert call(*TRAIN, "--epochs", 1, cwd=folder)[0] == 0
    (run,) = (folder / "runs").iterdir()
    assert run.name.startswith("mnist-lenet5-lns16-lut-") and run.name.endswith("-s0")


def test_what_suits_a_model_gives_way_to_what_is_given():
    suited = settings_for({"model": "lenet5", "arith": "fixed16"})
    assert (suited.gradients, suited.schedule, suited.init) == ("fixed16.15", "cosine", "he")
    given = {"gradients": "fixed16.12", "schedule": "constant", "init_std": "0.2"}
    other = settings_for({"model": "lenet5", "arith": "fixed16", **given})
    assert (other.gradients, other.schedule, other.init) == ("fixed16.12", "constant", "normal")


def test_a_run_that_goes_on_ends_with_the_bytes_of_one_that_was_whole(trained):
    folder, _ = trained
    given = (*TRAIN, "--schedule", "constant")
    whole = answer(*given, "--epochs", 2, "--out", "whole", cwd=folder)
    answer(*given, "--epochs", 1, "--out", "parts", cwd=folder)
    again = answer(*given, "--epochs", 2, "--out", "parts", "--resume", cwd=folder)
    assert again["model_sha256"] == whole["model_sha256"]


def test_a_run_whose_rate_falls_over_all_epochs_cannot_get_more_of_them(trained):
    folder, _ = trained
    more = ("train", "--resume", "--out", "r", "--epochs", 3, "--data-dir", "d")
    code, _, err = call(*more, cwd=folder)
    assert code == 2
    assert_one_line(err, "schedule = cosine over 2 epochs, got epochs = 3")


@pytest.mark.parametrize("given", [("--threads", 1), ("--threads", 2)], ids=str)
def test_threads_do_not_change_the_model(given, trained):
    folder, result = trained
    out = "-".join(map(str, given)).strip("-")
    same = answer(*TRAIN, "--epochs", 2, "--out", out, *given, cwd=folder)
    assert same["model_sha256"] == result["model_sha256"]


def test_processors_train_the_same_model(tmp_path):
    data_mirror.write(tmp_path / "d" / "mnist", data_mirror.make_files(counts=(48, 10)))
    digests = set()
    for processor in ("", "haswell", "nehalem"):
        env = {"NUMBA_CPU_NAME": processor} if processor else {}
        result = answer("train", "--model", "lenet5", "--no-plot", "--val", 8, "--batch", 20,
                        "--epochs", 1, "--data-dir", "d", "--out", f"r-{processor}",
                        cwd=tmp_path, env=env)
        digests.add(result["model_sha256"])
    assert len(digests) == 1


def test_a_model_is_evaluated_and_predicts(trained):
    folder, result = trained
    found = answer("eval", "r", "--data-dir", "d", cwd=folder)
    assert found["test_accuracy"] == result["test_accuracy"]
    Image.fromarray(np.eye(28, dtype=np.uint8) * 255).save(folder / "line.png")
    (row,) = answer("predict", "r", "line.png", cwd=folder)["predictions"]
    assert sum(row["probabilities"]) == pytest.approx(1)


@pytest.mark.parametrize(("given", "words"), [
    (("--model", "lenet6"), ("model must be one of mlp, lenet5, lenet-wide", "got 'lenet6'")),
    (("--model", "lenet5", "--hidden", "10"), ("hidden", "model mlp", "lenet5")),
    (("--model", "lenet5", "--dataset", "digits"), ("lenet5", "8 x 8 x 1", "conv2", "5 x 5")),
    (("--model", "lenet5", "--arith", "fixed16", "--mode", "paper"), ("paper", "mlp")),
])
def test_what_cannot_be_is_refused_in_one_line(given, words, tmp_path):
    code, _, err = call("train", *given, cwd=tmp_path)
    assert code == 2
    assert_one_line(err, *words)


def test_training_stops_when_the_loss_is_no_number_any_more(tmp_path):
    given = ("--dataset", "digits", "--arith", "float32", "--lr", "2^12", "--out", "r")
    code, out, err = call("train", *given, cwd=tmp_path)
    assert (code, out) == (2, "")
    last = err.splitlines(keepends=True)[-1]
    assert_one_line(last, "not a finite number", "smaller lr", "0 epochs of 30 are kept")
    assert not (tmp_path / "r" / "model.npz").exists()


def test_min_selectors_have_a_recipe_of_their_own_unless_another_is_given():
    given = {"model": "lenet5", "arith": "minselect-float"}
    s = settings_for(given)
    assert (s.optimizer, s.backward, s.norm, s.momentum, s.lr) == ("adam", "sub", "batch", "0",
                                                                  "2^-8")
    assert settings_for({**given, "transfer": "runs/exact"}).lr == "2^-10"
    own = settings_for({**given, "optimizer": "sgd"})
    assert (own.norm, own.momentum, own.lr) == ("none", "0.5", "2^-5")
    assert settings_for({**given, "lr": "2^-6", "backward": "ste"}).backward == "ste"
