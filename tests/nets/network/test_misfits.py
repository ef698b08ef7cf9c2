"""Shapes, labels and images that do not fit: told with the layer and what was expected."""

import gzip
from dataclasses import replace

import numpy as np
import pytest
from helpers import data_mirror
from helpers.front_door import assert_one_line
from helpers.small_digits import settings, small

from lnsarith.cli import main
from nets.arithmetic.choose import make_arithmetic
from nets.layers.dense import Dense
from nets.network.models import Builder
from nets.settings.settings import Settings
from nets.train.trainer import Trainer, evaluate

ARITHMETICS = ("lns16", "fixed16", "float32")


@pytest.mark.parametrize("arith", ARITHMETICS)
def test_an_input_of_another_size_is_refused_by_every_layer_with_its_name(arith):
    ar = make_arithmetic(Settings(arith=arith))
    b = Builder(ar, np.random.default_rng(0), (8, 8, 2), lambda n, _: 0.1)
    b.conv(3, 3).max_pool(2).norm().average_pool(3).flat().dense(4)
    words = ["conv1: takes 8 x 8 x 2 = 128 numbers, got 7", "pool1: takes 6 x 6 x 3 = 108",
             "norm1: takes 3 x 3 x 3", "pool2: takes 3 x 3 x 3 = 27 numbers",
             "dense1: takes 3 numbers, for its weights are 3 x 4, got 7"]
    for layer, text in zip(b.layers, words, strict=True):
        with pytest.raises(ValueError, match=text):
            layer.forward(ar, ar.empty(2, 7, "activations"))
    with pytest.raises(ValueError, match="dense: takes 5 numbers"):
        Dense(ar, np.random.default_rng(0), 5, 2, 0.1).forward(ar, ar.empty(1, 4, "activations"))


@pytest.mark.parametrize(("change", "words"), [
    (lambda y: np.where(np.arange(y.size) == 3, 10, y), "labels must be 0..9, got 10"),
    (lambda y: y - 1, "labels must be 0..9, got -1"),
    (lambda y: y[:-1], "47 images need 47 labels, got an array of shape"),
    (lambda y: y.astype(float), "labels must be integers, got float64"),
])
def test_labels_that_cannot_be_are_refused_before_training(change, words):
    data = small()
    data = replace(data, train_labels=change(data.train_labels))
    for arith in ("float32", "binary"):
        with pytest.raises(ValueError, match=words):
            Trainer(settings(arith=arith, val=10), data)


def test_images_and_labels_that_do_not_fit_a_network_are_not_evaluated():
    trainer, data = Trainer(settings(arith="float32", val=10), small()), small()
    for images, labels, words in (
        (data.test_images[:, 1:], data.test_labels, "takes uint8 images of 64 pixels, got 56"),
        (data.test_images / 255, data.test_labels, "64 of float64"),
        (data.test_images, data.test_labels + 5, "labels must be 0..9, got 14"),
    ):
        with pytest.raises(ValueError, match=words):
            evaluate(trainer.network, images, labels)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("misfits")
    data_mirror.write(folder / "d" / "mnist", data_mirror.make_files(counts=(60, 10)))
    assert main(["train", "--no-plot", "--val", "10", "--epochs", "1", "--arith", "float32",
                 "--data-dir", str(folder / "d"), "--out", str(folder / "r")]) == 0
    assert main(["quantize", str(folder / "r"), "--data-dir", str(folder / "d")]) == 0
    return folder


def damaged(folder, index, content):
    """Write a copy of the data set with another file."""
    files = data_mirror.make_files(counts=(60, 10))
    data_mirror.write(folder / "mnist", {**files, data_mirror.FILES[index]: content})
    return folder


def packed(array):
    return gzip.compress(data_mirror.idx(array))


WRONG = {
    "label 10": (1, packed((np.arange(60) % 11).astype(np.uint8)), "must hold 0..9, holds 0..10"),
    "no label 0": (3, packed((np.arange(10) + 1).astype(np.uint8)), "must hold 0..9, holds 1..10"),
    "few labels": (3, packed(np.zeros(9, np.uint8)), "9 labels in"),
    "small images": (2, packed(np.zeros((10, 8, 8), np.uint8)), "differ in size"),
    "broken off": (0, packed(np.zeros((60, 28, 28), np.uint8))[:-25], data_mirror.FILES[0]),
    "not packed": (0, data_mirror.idx(np.zeros((60, 28, 28), np.uint8)), data_mirror.FILES[0]),
}


@pytest.mark.parametrize("damage", WRONG)
@pytest.mark.parametrize("command", [("train", "--out", "OUT"), ("eval", "RUN"),
                                     ("quantize", "RUN"), ("prune", "RUN", "--share", ".5")],
                         ids=lambda words: words[0])
def test_damaged_data_are_told_in_one_line(command, damage, run, tmp_path, capsys):
    index, content, words = WRONG[damage]
    damaged(tmp_path / "d", index, content)
    places = {"RUN": str(run / "r"), "OUT": str(tmp_path / "new")}
    capsys.readouterr()
    code = main([*(places.get(word, word) for word in command), "--data-dir", str(tmp_path / "d")])
    assert code == 2
    assert_one_line(capsys.readouterr().err, words, "mnist")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("folder", ["r", "r/int8"])
def test_a_run_is_not_evaluated_on_images_of_another_size(folder, run, capsys):
    capsys.readouterr()
    assert main(["eval", str(run / folder), "--dataset", "digits"]) == 2
    assert_one_line(capsys.readouterr().err, "is for images of 28 x 28 in 10 classes, digits has "
                    "images of 8 x 8")


def test_a_run_is_not_pruned_on_other_images(run, tmp_path, capsys):
    data_mirror.write(tmp_path / "mnist", data_mirror.make_files(counts=(50, 10)))
    capsys.readouterr()
    assert main(["prune", str(run / "r"), "--share", ".5", "--data-dir", str(tmp_path)]) == 2
    assert_one_line(capsys.readouterr().err, "began with other images of mnist")
