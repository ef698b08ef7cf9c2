"""MNIST on colour backgrounds: the rule held image by image, the bytes, the commands."""

import hashlib
import json

import numpy as np
import pytest
from helpers.data_mirror import make_files, write
from helpers.front_door import answer
from PIL import Image

from lnsarith.cli import main
from nets.data import colour
from nets.data import sets as data
from nets.settings.settings import Settings
from nets.train.trainer import Trainer

# Of candy, fire and sea: the background, and `digits()` on it.
SHA256 = {
    "candy": ("b902375077ededd1", "b0f767be1f2c9374"),
    "fire": ("4bac1d105784c0c1", "fa6f15f7471c92b6"),
    "sea": ("e4a4e91a4b9f3ba1", "0fc6e55591c6dbb8"),
}


def digits():
    """Return 30 pictures of blocks, 9 x 7, no two alike, with labels 0, 1, 2."""
    y, x = np.mgrid[:9, :7]
    images = np.array([((x * (i + 1) + y * (i // 3 + 2)) * 37) % 256 for i in range(30)])
    return images.astype(np.uint8), np.arange(30) % 3


def sha(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


@pytest.mark.parametrize("name", SHA256)
def test_the_bytes_are_the_same_everywhere(name):
    assert (sha(colour.background(name)), sha(colour.coloured(name, *digits(), 0))) == SHA256[name]


@pytest.mark.parametrize("name, part", [("candy", 0), ("fire", 1), ("sea", 0)])
def test_each_image_is_a_part_of_the_background_inverted_in_its_digit(name, part):
    images, labels = digits()
    made = colour.coloured(name, images, labels, part).astype(int)
    picture, used, places = colour.background(name).astype(int), [], set()
    for image, label in zip(made, labels):
        found = [
            (k, top, left)
            for k in np.flatnonzero(labels == label)
            for top, left in matching(picture, image, images[k] > 128)]
        assert len(found) >= 1
        used.append(found[0][0])
        places.add(found[0][1:])
    assert len(places) > (25 if name == "sea" else 15)  # candy has even parts, all alike
    assert sorted(used) == list(range(30)) and used != list(range(30))


def matching(picture, image, digit):
    """Return where the picture, inverted in the digit, is the image."""
    wanted = np.where(digit[..., None], 255 - image, image)
    height, width = digit.shape
    tops, lefts = np.indices((257 - height, 257 - width)).reshape(2, -1)
    for y, x in np.ndindex(3, 3):  # every third pixel first
        alike = (picture[tops + 3 * y, lefts + 3 * x] == wanted[3 * y, 3 * x]).all(1)
        tops, lefts = tops[alike], lefts[alike]
    return [(t, s) for t, s in zip(tops, lefts)
            if (picture[t : t + height, s : s + width] == wanted).all()]


def test_training_and_test_images_lie_on_other_parts_and_sets_differ():
    images, labels = digits()
    parts = [colour.coloured(name, images, labels, part) for name in SHA256 for part in (0, 1)]
    assert len({sha(p) for p in parts}) == 6
    with pytest.raises(ValueError, match="backgrounds of 256 x 256 are too small"):
        colour.coloured("sea", np.zeros((1, 257, 3), np.uint8), np.zeros(1, int), 0)


def test_the_sets_are_found_shown_and_drawn(tmp_path, capsys):
    write(tmp_path / "mnist", make_files())
    grey, made = data.load("mnist", tmp_path), data.load("mnist-fire", tmp_path)
    assert made.name == "mnist-fire" and made.train_images.shape == (*grey.train_images.shape, 3)
    np.testing.assert_array_equal(made.test_labels, grey.test_labels)
    assert data.get("mnist-sea", tmp_path)["shape"] == [28, 28, 3]
    place = ["--data-dir", str(tmp_path)]
    assert main(["data", "list", *place]) == 0
    line = next(t for t in capsys.readouterr().out.splitlines() if t.startswith("mnist-candy"))
    assert str(tmp_path / "mnist") in line and "not the original PolyMNIST" in line
    plot = tmp_path / "p.png"
    assert main(["data", "show", "mnist-sea", *place, "--plot", str(plot), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert sum(shown["train"]) == len(grey.train_labels) and "PolyMNIST" in shown["note"]
    assert shown["test"][3] == (grey.test_labels == 3).sum()
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert main(["data", "show", "mnist", *place, "--plot", str(tmp_path / "p.gif")]) == 2
    assert main(["data", "show", "mnist", *place]) == 0
    assert "PolyMNIST" not in capsys.readouterr().out


def test_the_set_is_refused_where_mnist_is_not(tmp_path):
    with pytest.raises(data.DataError, match="mnist: no train-images.* in "):
        data.load("mnist-sea", tmp_path)


def test_a_run_on_colours_sees_a_colour_picture(tmp_path):
    write(tmp_path / "mnist", make_files())
    out = ("--out", str(tmp_path / "run"), "--data-dir", str(tmp_path))
    answer("train", "--dataset", "mnist-candy", "--model", "lenet5", "--arith", "float32",
           "--epochs", "1", "--val", "1", *out, cwd=tmp_path)
    Image.fromarray(colour.background("candy")[:40, :30]).save(tmp_path / "a.png")
    seen = answer("predict", str(tmp_path / "run"), str(tmp_path / "a.png"), cwd=tmp_path)
    assert len(seen["predictions"][0]["probabilities"]) == 10


@pytest.mark.parametrize("arith", ["lns16", "fixed16"])
def test_words_learn_from_colours(arith):
    images, labels = np.repeat(digits()[0][:3], 4, 0), np.repeat(np.arange(3), 4)
    square = np.pad(images, ((0, 0), (9, 10), (10, 11)))
    made = colour.coloured("sea", square, labels, 0)
    dataset = data.Dataset("sea", made, labels, made[:3], labels[:3], 3)
    settings = Settings(model="lenet5", arith=arith, val=0, batch=4, epochs=1, init="he",
                        activation="relu")
    record = Trainer(settings, dataset).train_epoch()
    assert record.loss is not None and 0 < record.loss < 20
