"""Predictions: what is seen in image files, and which files are refused."""

import json

import numpy as np
import pytest
from helpers.front_door import DIGITS, answer, assert_one_line, call
from PIL import Image

from lnsarith.cli import main
from lnsarith.commands.networks.predict import prepare, read_image
from nets.data import sets as data


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a run r."""
    folder = tmp_path_factory.mktemp("trained")
    answer(*DIGITS, "--out", "r", "--epochs", 6, cwd=folder)
    return folder


def test_a_digit_is_recognised_from_its_file_either_way_round(trained):
    folder = trained
    images = data.load("digits").test_images[:20]
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i}.png")
        Image.fromarray(255 - image).convert("RGB").save(folder / f"{i}.bmp")
    names = [f"{i}.{kind}" for kind in ("png", "bmp") for i in range(20)]
    rows = answer("predict", "r", *names, cwd=folder)["predictions"]
    classes = [row["class"] for row in rows]
    labels = data.load("digits").test_labels[:20].tolist()
    assert sum(a == b for a, b in zip(classes, labels + labels, strict=True)) >= 36
    assert classes[:20] == classes[20:]
    assert all(sum(row["probabilities"]) == pytest.approx(1) for row in rows)


def test_predict_shows_the_three_likeliest_classes(trained, capsys):
    folder = trained
    Image.fromarray(data.load("digits").test_images[1]).save(folder / "zero.png")
    assert main(["predict", str(folder / "r"), str(folder / "zero.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[0].endswith("zero.png: 0")
    assert lines[1].split()[0] == "0" and lines[1].endswith("#")


def test_a_drawing_is_found_scaled_and_centred():
    page = np.full((200, 300), 240.0)
    page[40:140, 20:40] = 10  # a bar of 100 x 20, off centre
    pixels = prepare(page, (28, 28), "auto", "mnist", "page")
    rows, columns = np.nonzero(pixels)
    assert (rows.min(), rows.max()) == (4, 23) and (columns.min(), columns.max()) == (
        12,
        15,
    )
    assert pixels[4:24, 12:16].min() == 255


def bad_images(folder):
    Image.new("L", (9, 9), 255).save(folder / "blank.png")
    nan = np.full((9, 9), np.nan, np.float32)
    Image.fromarray(nan).save(folder / "nan.tiff")
    (folder / "empty.png").touch()
    Image.fromarray(np.arange(900, dtype=np.uint8).reshape(30, 30)).save(
        folder / "cut.png"
    )
    whole = (folder / "cut.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("blank.png", "shows nothing: all its pixels are alike"),
        ("nan.tiff", "holds values that are not finite numbers"),
        ("empty.png", "cannot be read as an image: its content is of no kind that is known"),
        ("cut.png", "cannot be read as an image"),
    ],
)
def test_an_image_without_a_picture_is_refused(trained, name, words):
    folder = trained
    bad_images(folder)
    code, out, err = call("predict", "r", name, "--json", cwd=folder)
    assert code == 2 and out == ""
    assert_one_line(err, name, words)


def test_good_images_are_answered_beside_bad_ones(trained):
    folder = trained
    bad_images(folder)
    image = Image.fromarray(data.load("digits").test_images[1])
    for name in ("zero.png", "again.png"):
        image.save(folder / name)
    given = ["zero.png", "blank.png", "cut.png", "none.png", ".", "again.png", "zero.png"]
    code, out, err = call("predict", "r", *given, cwd=folder)
    assert code == 2
    heads = [line for line in out.splitlines() if not line.startswith(" ")]
    assert heads == ["zero.png: 0", "again.png: 0", "zero.png: 0"]
    told = [line.partition(": ")[2] for line in err.splitlines()]
    assert sorted(line.split(":")[0].split()[0] for line in told) == [
        ".", "blank.png", "cut.png", "none.png"]
    code, out, _ = call("predict", "r", *given, "--json", cwd=folder)
    found = json.loads(out)
    assert code == 2 and [row["class"] for row in found["predictions"]] == [0, 0, 0]
    assert sorted(found["refused"]) == [".", "blank.png", "cut.png", "none.png"]
    assert found["refused"]["none.png"] == "none.png: No such file or directory"


def test_transparent_paper_is_white(tmp_path):
    drawing = np.zeros((9, 9, 4), np.uint8)
    drawing[3:6, 3:6, 3] = 255  # black, where it is there at all
    Image.fromarray(drawing).save(tmp_path / "a.png")
    grey = read_image(tmp_path / "a.png")
    assert grey[0, 0] == 255 and grey[4, 4] == 0
