"""CIFAR-10: read from folders and archives, refused when damaged, trained on, predicted."""

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from helpers.front_door import answer
from PIL import Image

from nets.arithmetic.choose import make_arithmetic
from nets.data import cifar
from nets.data import sets as data
from nets.settings.settings import Settings


def contents(records=40):
    """Return files of random records, by name."""
    rng = np.random.default_rng(4)
    files = {}
    for name in cifar.FILES:
        bytes_ = rng.integers(0, 256, (records, cifar.RECORD)).astype(np.uint8)
        bytes_[:, 0] = np.arange(records) % 10
        files[name] = bytes_.tobytes()
    return files


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def pack(path, files):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, f"w:{path.suffix[1:]}") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{cifar.FOLDER}/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def refusal(home):
    with pytest.raises(data.DataError) as caught:
        data.load("cifar-10", home)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("place", ["cifar-10", f"cifar-10/{cifar.FOLDER}", "."])
def test_a_folder_of_files_is_read(tmp_path, place):
    files = contents()
    write(tmp_path / place, files)
    dataset = data.load("cifar-10", tmp_path)
    assert dataset.train_images.shape == (200, 32, 32, 3) and dataset.classes == 10
    assert dataset.test_labels.tolist() == [i % 10 for i in range(40)]
    record = np.frombuffer(files["data_batch_2.bin"], np.uint8)[: cifar.RECORD]
    image = dataset.train_images[40]
    assert [image[5, 7, c] for c in range(3)] == [record[1 + 1024 * c + 5 * 32 + 7]
                                                  for c in range(3)]


@pytest.mark.parametrize("name", [n for n in cifar.ARCHIVES if not n.endswith(".tar")])
def test_an_archive_is_read(tmp_path, name):
    files = contents()
    pack(tmp_path / "cifar-10" / name, files)
    write(tmp_path / "apart", files)
    packed, plain = data.load("cifar-10", tmp_path), data.load("cifar-10", tmp_path / "apart")
    np.testing.assert_array_equal(packed.train_images, plain.train_images)
    row = next(r for r in data.catalogue(tmp_path) if r["name"] == "cifar-10")
    assert Path(row["found"]).name == name and row["shape"] == [32, 32, 3]


def test_what_is_missing_or_damaged_is_told(tmp_path):
    assert "cifar-10-binary.tar.gz" in refusal(tmp_path) and "data get" in refusal(tmp_path)
    for name, change, words in [
        ("test_batch.bin", lambda c: c[:-1], "must hold records of 3073 bytes, holds 122919"),
        ("data_batch_3.bin", lambda c: b"\x0a" + c[1:], "must be 0..9, got 10"),
        ("data_batch_5.bin", lambda c: b"", "data_batch_5.bin must hold records"),
    ]:
        files = contents()
        write(tmp_path / name, {**files, name: change(files[name])})
        assert words in refusal(tmp_path / name)
    pack(tmp_path / "a" / "cifar-10" / cifar.ARCHIVES[0], {"other.bin": b"1"})
    assert "is damaged (there is no data_batch_1.bin, no data_" in refusal(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / cifar.ARCHIVES[0]).write_bytes(b"nothing")
    assert "is damaged" in refusal(tmp_path / "b")
    whole = contents(10_000)
    write(tmp_path / "c", whole)
    assert "data_batch_1.bin is not that of CIFAR-10" in refusal(tmp_path / "c")


@pytest.mark.skipif(not cifar.find(Path(os.environ.get("LNSARITH_DATA", "nowhere"))),
                    reason="needs the real set in $LNSARITH_DATA")
def test_the_real_set_has_its_counts():
    dataset = data.load("cifar-10", os.environ["LNSARITH_DATA"])
    assert np.bincount(dataset.train_labels).tolist() == [5000] * 10
    assert np.bincount(dataset.test_labels).tolist() == [1000] * 10


def test_coloured_images_are_trained_on_evaluated_and_predicted(tmp_path):
    write(tmp_path / "d" / "cifar-10", contents(12))
    result = answer("train", "--dataset", "cifar-10", "--model", "mini-cifar", "--data-dir", "d",
                    "--epochs", 1, "--val", 10, "--batch", 25, "--no-plot", "--out", "r",
                    cwd=tmp_path)
    assert result["test_accuracy"] <= 1
    assert answer("eval", "r", "--data-dir", "d", cwd=tmp_path)["images"] == 12
    Image.new("RGB", (50, 40), (200, 30, 10)).save(tmp_path / "red.png")
    (row,) = answer("predict", "r", "red.png", cwd=tmp_path)["predictions"]
    assert row["name"] in "airplane automobile bird cat deer dog frog horse ship truck".split()


@pytest.mark.parametrize("arith", ["lns16", "fixed16", "float32"])
def test_pixels_are_centred_and_scaled_to_the_nearest_number(arith):
    settings = Settings(arith=arith, input_mean="0.47", input_scale="4")
    ar = make_arithmetic(settings)
    x = ar.empty(1, 256, "activations")
    ar.encode(x)(np.arange(256, dtype=np.uint8)[None])
    np.testing.assert_allclose(ar.reals(x)[0], (np.arange(256) / 255 - 0.47) * 4, 4e-4, 3e-4)
