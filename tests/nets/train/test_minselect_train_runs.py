"""Runs with min-selectors: transfer from another run, resume, errors."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.front_door import DIGITS, assert_one_line

from lnsarith.cli import main
from nets.data.sets import Dataset, load
from nets.network.model import read_model
from nets.settings.suited import settings_for
from nets.train.run import Run
from nets.train.trainer import Trainer, evaluate
from nets.train.transfer import transfer

SMALL = (*DIGITS, "--batch", "32", "--hidden", "20", "--threads", "1")
EXACT = (*SMALL, "--arith", "float32", "--clip-operands", "yes", "--norm", "batch")
SELECT = (*SMALL, "--arith", "minselect-float", "--norm", "batch")


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """The folder of an exact net trained with the clip."""
    folder = tmp_path_factory.mktemp("exact") / "r"
    assert main([*EXACT, "--epochs", "6", "--out", str(folder)]) == 0
    return folder


def trainer(folder: Path, **options):
    settings = replace(Run.open(folder).settings, **options)
    return Trainer(settings, load("digits"), 1)


def digits_of_28_rows():
    """A part of digits, each pixel as 3 x 3 of them, with zeros around."""
    d = load("digits")
    large = [np.pad(np.kron(x[:600], np.ones((1, 3, 3), np.uint8)), ((0, 0), (2, 2), (2, 2)))
             for x in (d.train_images, d.test_images[:200])]
    return Dataset("digits", large[0], d.train_labels[:600], large[1], d.test_labels[:200], 10)


def refused(capsys, *argv):
    assert main([str(a) for a in argv]) == 2
    return capsys.readouterr().err


def test_a_transfer_copies_words_and_looks_at_the_images(exact):
    model = read_model(exact / "model.npz")
    t = trainer(exact, arith="minselect-float", clip_operands="")
    transfer(t, exact)
    for name, p in t.network.parameters().items():
        np.testing.assert_array_equal(t.network.ar.words(p), model.words[name])
    x = t.images / np.float32(255)
    mu = t.network.layers[0].kept()["mu"].fields["value"]
    assert abs(mu - np.abs(x).mean()) < 0.01
    with_selectors = t.network.layers[1].kept()["mean"].fields["value"]
    assert np.abs(with_selectors - model.words["1.mean"]).max() > 0.01
    assert t.network.ar.step == 0 and t.epoch == 0


def test_statistics_are_those_that_a_pass_of_training_leaves(exact):
    """At a rate that rounds away, an epoch of training is nothing but such a pass."""
    looked, trained = (trainer(exact, arith="minselect-float", clip_operands="", lr="2^-60")
                       for _ in range(2))
    transfer(looked, exact)
    transfer(trained, exact)
    looked.look()
    count = len(trained.labels) - len(trained.labels) % 32  # whole batches
    trained.images, trained.labels = trained.images[:count], trained.labels[:count]
    trained.train_epoch()
    for one, other in zip(looked.network.layers, trained.network.layers):
        for name, t in one.kept().items():
            np.testing.assert_array_equal(t.fields["value"], other.kept()[name].fields["value"])


def test_an_exact_net_transferred_to_an_exact_net_gives_the_same_logits(tmp_path):
    folder = tmp_path / "r"
    plain = [*SMALL, "--arith", "float32", "--epochs", "2", "--out", str(folder)]
    assert main(plain) == 0
    t = trainer(folder, seed=9)
    transfer(t, folder)
    other = trainer(folder)
    Run.open(folder).load(other.network)
    np.testing.assert_array_equal(*(_logits(n) for n in (t, other)))


def _logits(t):
    program = t.network.program(100, False)
    program.run(t.test[0][:100], t.test[1][:100])
    return t.network.ar.reals(program.logits).copy()


def test_training_goes_on_from_a_transfer_and_beats_chance(exact, tmp_path, capsys):
    out = str(tmp_path / "t")
    argv = [*SELECT, "--transfer", str(exact), "--lr", "2^-8", "--epochs", "3", "--out", out]
    assert main(argv) == 0
    before = Run.open(exact).records[-1]["test_accuracy"]
    assert json.loads((tmp_path / "t/config.json").read_text())["transfer"] == str(exact)
    assert Run.open(tmp_path / "t").records[-1]["test_accuracy"] > before - 0.04
    assert main(["eval", out, "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["test_accuracy"] == Run.open(tmp_path / "t").records[-1]["test_accuracy"]


@pytest.mark.parametrize("options", [[], ["--backward", "sub", "--transfer", "exact"]], ids=str)
def test_a_resumed_run_has_the_bytes_of_a_whole_one(exact, tmp_path, options):
    options = [str(exact) if o == "exact" else o for o in options]
    base = [*SELECT, "--momentum", "0.5", *options]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert main([*base, "--epochs", "4", "--out", str(whole)]) == 0
    assert main([*base, "--epochs", "2", "--out", str(parts)]) == 0
    assert main([*base, "--epochs", "4", "--out", str(parts), "--resume"]) == 0
    assert (whole / "model.npz").read_bytes() == (parts / "model.npz").read_bytes()


def test_convolutions_train_with_min_selectors():
    images = digits_of_28_rows()
    for model in ("lenet5", "lenet-wide", "mini-cifar"):
        settings = settings_for({
            "dataset": "digits", "arith": "minselect-float", "model": model, "norm": "batch",
            "batch": 32})
        t = Trainer(settings, images, 1)
        t.train_epoch()
        assert t.train_epoch().test_accuracy > 0.5
        assert evaluate(t.network, *t.test).accuracy > 0.5


def test_a_clipped_net_is_not_quantised_as_another(exact, tmp_path, capsys):
    err = refused(capsys, "quantize", exact, "--out", tmp_path / "q")
    assert_one_line(err, "clips its operands")


@pytest.mark.parametrize(("argv", "words"), [
    (["--hidden", "30"], ["0.w is 64 x 20", "64 x 30"]),
    (["--norm", "none"], ["norm is batch", "none"]),
    (["--activation", "relu"], ["activation is leaky", "relu"]),
    (["--hidden", "20,20"], ["3.w is 20 x 10", "20 x 20"]),
    (["--transfer", "missing"], ["missing holds no run"]),
], ids=str)
def test_a_run_that_does_not_fit_is_refused(exact, tmp_path, capsys, argv, words):
    out = tmp_path / "t"
    err = refused(capsys, *SELECT, "--transfer", exact, "--out", out, *argv)
    assert_one_line(err, *words)
    assert not out.exists()


@pytest.mark.parametrize(("argv", "words"), [
    (["--arith", "lns16", "--gain", "2"], ["gain = 2", "minselect"]),
    (["--arith", "float32", "--backward", "sub"], ["backward = sub", "minselect"]),
    (["--arith", "fixed16", "--clip-operands", "yes"], ["clip_operands = yes", "float32"]),
    (["--arith", "float32", "--statistics", "tensor"], ["statistics = tensor"]),
    (["--arith", "minselect-float", "--gain", "0"], ["gain must be above 0"]),
    (["--arith", "minselect-float", "--backward", "both"], ["backward must be one of ste, sub"]),
    (["--arith", "minselect-float", "--guard", "2"], ["guard = 2", "lns"]),
    (["--arith", "lns16", "--transfer", "r"], ["transfer = r", "float or fixed"]),
], ids=str)
def test_settings_that_mean_nothing_are_refused(tmp_path, capsys, argv, words):
    assert_one_line(refused(capsys, *DIGITS, "--out", tmp_path / "r", *argv), *words)
