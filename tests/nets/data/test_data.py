"""Data sets: what is read, what is refused, what the commands say."""

import gzip
import hashlib
import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from helpers.data_mirror import (
    FILES,
    assert_is_small_mnist,
    idx,
    make_arrays,
    make_files,
    private_cache,
    refusal,
    write,
)

from lnsarith.commands.networks import data as command
from nets.data import download
from nets.data import sets as data

ROOT = Path(__file__).parents[3]
REAL = ROOT.parent / "shared" / "datasets"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    return private_cache(tmp_path, monkeypatch)


def test_packed_and_unpacked_files_are_read_alike(tmp_path):
    files = make_files()
    files[FILES[0][:-3]] = gzip.decompress(files.pop(FILES[0]))
    files[FILES[3][:-3]] = gzip.decompress(files.pop(FILES[3]))
    write(tmp_path / "mnist", files)
    dataset = data.load("mnist", tmp_path)
    assert_is_small_mnist(dataset)
    assert dataset.name == "mnist" and dataset.classes == 10
    assert dataset.train_images.dtype == np.uint8 == dataset.test_images.dtype
    assert dataset.train_labels.dtype == np.int64 == dataset.test_labels.dtype


def test_files_may_lie_directly_in_the_folder(tmp_path):
    assert_is_small_mnist(data.load("mnist", write(tmp_path, make_files())))


def test_the_environment_variable_names_the_folder(cache, tmp_path, monkeypatch):
    write(tmp_path / "mnist", make_files())
    monkeypatch.setenv("LNSARITH_DATA", str(tmp_path))
    assert_is_small_mnist(data.load("mnist"))


def test_an_unknown_name_is_refused_with_the_known_ones():
    assert refusal("minst") == (
        "no data set is called 'minst'; there are "
        "mnist, fashion-mnist, emnist-digits, emnist-letters, cifar-10, digits, "
        "mnist-candy, mnist-fire, mnist-sea"
    )


def labels_of(count, high):
    return gzip.compress(idx((np.arange(count) % (high + 1)).astype(np.uint8)))


GOOD = make_files()
DAMAGE = {
    "truncated gzip": (FILES[0], GOOD[FILES[0]][:-1000], "ended before"),
    "flipped bits": (FILES[1], GOOD[FILES[1]][:-8] + b"\1" * 8, "CRC"),
    "not gzip": (FILES[1], b"<html>", "Not a gzipped file"),
    "empty": (FILES[2], b"", "it holds 0 bytes, not even a header"),
    "header cut": (
        FILES[3],
        gzip.compress(b"\0\0\x08\1"),
        "it holds 4 bytes, not even",
    ),
    "labels for images": (FILES[2], GOOD[FILES[3]], "must start with 00000803, not 00"),
    "too few bytes": (
        FILES[3],
        gzip.compress(idx(np.zeros(60, np.uint8))[:-9]),
        "must hold 60 bytes, holds 51",
    ),
    "too many bytes": (
        FILES[3],
        gzip.compress(idx(np.zeros(60, np.uint8)) + b"\0"),
        "must hold 60 bytes, holds more",
    ),
    "absurd size": (FILES[1], gzip.compress(b"\0\0\x08\1" + b"\xff" * 9), "damaged"),
    "fewer labels": (
        FILES[1],
        labels_of(399, 9),
        f"400 images in {FILES[0]}, 399 labels in {FILES[1]}",
    ),
    "label 10": (FILES[3], labels_of(60, 10), "must hold 0..9, holds 0..10"),
    "other size": (
        FILES[2],
        gzip.compress(idx(np.zeros((60, 8, 8), np.uint8))),
        "differ in size",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused_with_its_name_folder_and_remedy(tmp_path, damage):
    file, content, fault = DAMAGE[damage]
    folder = write(tmp_path / "mnist", GOOD | {file: content})
    message = refusal("mnist", tmp_path)
    assert message.startswith(f"mnist in {folder}: ")
    assert fault in message
    assert file in message or damage == "other size"
    assert message.endswith(f"run `lnsarith data get mnist --data-dir {tmp_path}`")


def test_no_images_at_all_are_refused(tmp_path):
    write(tmp_path, make_files(counts=(0, 60)))
    assert f"0 images in {FILES[0]}" in refusal("mnist", tmp_path)


def test_letters_come_upright_with_labels_from_0(tmp_path):
    names = download.SOURCES["emnist-letters"].files
    write(tmp_path, make_files(names, counts=(5000, 60), classes=26, first=1))
    dataset = data.load("emnist-letters", tmp_path)
    stored = make_arrays(counts=(5000, 60), classes=26, first=1)
    assert dataset.classes == 26
    np.testing.assert_array_equal(dataset.train_images, stored[0].swapaxes(1, 2))
    np.testing.assert_array_equal(dataset.test_images, stored[2].swapaxes(1, 2))
    np.testing.assert_array_equal(dataset.train_labels, np.arange(5000) % 26)


def test_digits_are_built_in_scaled_and_split_by_class(cache):
    from sklearn.datasets import load_digits

    dataset = data.load("digits")
    assert dataset.train_images.shape == (1442, 8, 8)
    assert dataset.test_images.shape == (355, 8, 8)
    assert dataset.train_images.dtype == np.uint8
    assert dataset.train_labels.dtype == np.int64
    raw = load_digits()
    sevens = raw.images[raw.target == 7]
    scaled = np.array([[int(v * 255 / 16 + 0.5) for v in x.flat] for x in sevens[4::5]])
    found = dataset.test_images[dataset.test_labels == 7]
    np.testing.assert_array_equal(found.reshape(-1, 64), scaled)
    assert (dataset.train_labels == 7).sum() == len(sevens) - len(scaled)
    row = next(row for row in data.catalogue() if row["name"] == "digits")
    assert (row["train"], row["test"], row["shape"]) == (1442, 355, [8, 8])


def test_digits_come_from_scikit_learn_itself_where_its_file_lies_elsewhere(monkeypatch):
    from sklearn.datasets import load_digits

    raw = load_digits()
    near = data._digits_table()
    np.testing.assert_array_equal(near, np.column_stack([raw.data, raw.target]))
    monkeypatch.setattr(data.Path, "is_file", lambda path: False)
    far = data._digits_table()
    assert far.dtype == near.dtype == np.int64
    np.testing.assert_array_equal(far, near)


# Commands and imports


def test_data_list_says_what_is_where(cache, tmp_path, capsys):
    write(tmp_path / "mnist", make_files())
    assert command.run_list(Namespace(data_dir=str(tmp_path), json=False)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["name", *data.NAMES]
    assert lines[1].split()[1:5] == ["28x28", "10", "60,000", "10,000"]
    assert lines[1].endswith(f"11.6 MB  {tmp_path / 'mnist'}")
    assert lines[3].endswith("561.8 MB  not here")
    command.run_list(Namespace(data_dir=None, json=True))
    rows = json.loads(capsys.readouterr().out)["data_sets"]
    assert [row["found"] for row in rows] == [None] * 5 + ["scikit-learn"] + [None] * 3


def test_importing_the_module_loads_nothing_heavy():
    code = "import sys, nets.data.sets; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    heavy = {"sklearn", "pooch", "requests", "tqdm", "urllib3", "platformdirs"}
    assert not heavy & set(loaded.split())


# The real files


@pytest.fixture
def real():
    if not (REAL / "mnist").is_dir():
        pytest.skip(f"no real data sets in {REAL}")
    return REAL


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "emnist-letters"])
def test_real_files_hold_what_the_table_says(real, name):
    source, dataset = download.SOURCES[name], data.load(name, real)
    assert (len(dataset.train_labels), len(dataset.test_labels)) == source.counts
    assert np.unique(dataset.train_labels).tolist() == list(range(source.classes))
    for file, known in zip(source.files, source.hashes, strict=True):
        content = (real / name / file).read_bytes()
        if source.archive:
            digest = hashlib.md5(gzip.decompress(content)).hexdigest()
        else:
            digest = hashlib.sha256(content).hexdigest()
        assert known in ("", digest)


def test_real_letters_stand_upright(real):
    dataset = data.load("emnist-letters", real)
    letter_i = dataset.test_images[dataset.test_labels == 8].mean(axis=0)
    assert letter_i.sum(axis=0).max() > 1.5 * letter_i.sum(axis=1).max()


def test_one_data_set_is_never_taken_for_another(real):
    message = refusal("fashion-mnist", real / "mnist")
    assert "this is mnist, use --dataset mnist" in message
    found = {row["name"]: row["found"] for row in data.catalogue(real / "mnist")}
    assert found["mnist"] and not found["fashion-mnist"]
