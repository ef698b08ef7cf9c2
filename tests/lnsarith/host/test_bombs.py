"""Files that would take far more memory than they have bytes, and what is no file at all."""

import gzip
import io
import json
import os
import shutil
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from helpers.data_mirror import FILES, make_files, write
from helpers.front_door import DIGITS, assert_one_line

from lnsarith.cli import main
from nets.data import cifar
from nets.data import sets as data
from nets.network import memh

BIG, SMALL = 1 << 26, 1 << 23  # bytes that a bomb would take, and that may be taken


@contextmanager
def little_memory():
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < SMALL
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bombs")
    assert main([*DIGITS, "--hidden", "6", "--epochs", "1", "--arith", "fixed16", "--out",
                 str(folder / "run")]) == 0
    assert main(["quantize", str(folder / "run"), "--images", "50", "--out",
                 str(folder / "int8")]) == 0
    assert main(["eval", str(folder / "run")]) == 0  # all that is loaded once is loaded
    return folder


@pytest.fixture
def copy(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "c")


def refused(capsys, *argv, memory=True):
    capsys.readouterr()
    with little_memory():
        assert main([*map(str, argv)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "fault of ours" not in err
    assert_one_line(err)
    return err


def npy_header(shape, descr="|u1"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False,
                                                "shape": shape})
    return file.getvalue()


def test_a_model_that_unpacks_to_more_is_not_unpacked(copy, capsys):
    path = copy / "run" / "model.npz"
    with zipfile.ZipFile(path) as archive:
        own = {name: archive.read(name) for name in archive.namelist()}
    bomb = npy_header((BIG,)) + bytes(BIG)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**own, "0.w.npy": bomb}.items():
            archive.writestr(name, content)
    assert path.stat().st_size < BIG // 500
    assert "its arrays are compressed" in refused(capsys, "eval", copy / "run")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**own, "0.w.npy": bomb}.items():
            archive.writestr(name, content)
    assert "more than the" in refused(capsys, "eval", copy / "run")
    with zipfile.ZipFile(path, "w") as archive:  # a header that says more than there is
        for name, content in {**own, "0.w.npy": npy_header((BIG,)) + b"1"}.items():
            archive.writestr(name, content)
    assert "and 1 bytes follow" in refused(capsys, "eval", copy / "run")


@pytest.mark.parametrize("hidden", [[65536, 65536], [65536] * 40])
def test_a_configuration_of_a_giant_makes_no_giant(copy, capsys, hidden):
    path = copy / "run" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "hidden": hidden}))
    assert "does not fit config.json" in refused(capsys, "eval", copy / "run")


@pytest.mark.parametrize("name", FILES)
def test_a_data_set_that_unpacks_to_more_is_not_unpacked(tmp_path, name):
    dims = 3 if "images" in name else 1
    shape = ([60_001, 28, 28], [1, 28, BIG], [BIG, 1, 1]) if dims == 3 else ([60_001], [BIG])
    for own in shape:
        head = bytes([0, 0, 8, dims]) + np.array(own, ">u4").tobytes()
        write(tmp_path / "mnist", {**make_files(), name: gzip.compress(head + bytes(100), 1)})
        with little_memory(), pytest.raises(data.DataError, match="the data set has at most"):
            data.load("mnist", tmp_path)
    head = bytes([0, 0, 8, dims]) + np.array([5, 2, 2][:dims], ">u4").tobytes()
    write(tmp_path / "mnist", {name: gzip.compress(head + bytes(BIG), 1)})
    with little_memory(), pytest.raises(data.DataError, match="holds more"):
        data.load("mnist", tmp_path)


def test_an_archive_that_unpacks_to_more_is_not_unpacked(tmp_path):
    path = tmp_path / cifar.ARCHIVES[0]
    for name, words in ((cifar.FILES[0], "has 67,108,864 bytes there"),
                        ("junk", "is damaged")):
        with tarfile.open(path, "w:gz", compresslevel=1) as archive:
            for _ in range(4 if name == "junk" else 1):
                info = tarfile.TarInfo(f"x/{name}")
                info.size = BIG
                archive.addfile(info, io.BytesIO(bytes(BIG)))
        with little_memory(), pytest.raises(data.DataError, match=words):
            data.load("cifar-10", tmp_path)


def test_a_file_of_cifar_that_is_too_large_is_not_read(tmp_path):
    for name in cifar.FILES:
        (tmp_path / name).write_bytes(bytes(cifar.RECORD))
    with open(tmp_path / cifar.FILES[2], "wb") as stream:
        stream.truncate(BIG)
    with little_memory(), pytest.raises(data.DataError, match=f"{cifar.FILES[2]} has 67,108,864"):
        data.load("cifar-10", tmp_path)


def png(width, height):
    """Return a picture of zeros, packed row by row."""
    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    pack, row = zlib.compressobj(9), bytes(1 + width // 8)
    rows = b"".join(pack.compress(row * 64) for _ in range(height // 64)) + pack.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows)
            + chunk(b"IEND", b""))


def test_a_picture_of_too_many_pixels_is_not_decoded(copy, tmp_path, capsys, monkeypatch):
    path = tmp_path / "bomb.png"
    path.write_bytes(png(8192, 4096))  # less than Pillow warns of
    assert path.stat().st_size < 10_000

    def never(*_):
        raise AssertionError("it was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", never)
    err = refused(capsys, "predict", copy / "run", path)
    assert "bomb.png has 8192 x 4096 pixels, more than the 16,777,216 that are read" in err


def test_samples_that_unpack_to_more_are_not_unpacked(tmp_path, capsys):
    path = tmp_path / "s.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("a.npy", "w", force_zip64=True) as stream:
            stream.write(npy_header((5 * BIG,)))
            for _ in range(5):
                stream.write(bytes(BIG))
    argv = "spindle", "fit", "--error", "0.1", "--function"
    assert "its arrays would take" in refused(capsys, *argv, path)
    lone = tmp_path / "s.npy"
    lone.write_bytes(npy_header((1 << 40,)) + b"123")
    assert "and 3 bytes follow" in refused(capsys, *argv, lone)
    text = tmp_path / "s.csv"
    text.write_text("1 " * (1 << 20))
    assert "more than 1000 characters" in refused(capsys, *argv, text)


def special(tmp_path):
    """Return paths of what is no plain file: waiting, endless, and a folder."""
    os.mkfifo(tmp_path / "pipe")
    return [tmp_path / "pipe", "/dev/zero", "/dev/full"]


@pytest.mark.parametrize("name", ["run/config.json", "run/log.jsonl", "run/model.npz",
                                  "int8/manifest.json", "int8/layer0_weights.hex"])
def test_a_pipe_or_device_in_the_place_of_a_file_is_refused(copy, capsys, tmp_path, name):
    for other in special(tmp_path):
        (copy / name).unlink()
        (copy / name).symlink_to(other)
        err = refused(capsys, "eval", (copy / name).parent)
        assert "is no plain file" in err or "holds no run" in err, other


def test_a_pipe_or_device_is_no_picture_sample_fit_setting_or_data_set(copy, capsys, tmp_path):
    for n, other in enumerate(special(tmp_path)):
        for end in (".csv", ".npy", ".npz", ".json"):
            path = tmp_path / f"s{n}{end}"
            path.symlink_to(other)
            assert "is no plain file" in refused(
                capsys, "spindle", "fit", "--error", "0.1", "--function", path)
        assert "is no plain file" in refused(capsys, "predict", copy / "run", other)
        assert "is no plain file" in refused(capsys, *DIGITS, "--config", other)
        assert "is no plain file" in refused(
            capsys, "check", "fixed-spindle", "--option", f"units=@{other}")
    folder = write(tmp_path / "d" / "mnist", make_files(counts=(10, 10)))
    (folder / FILES[0]).unlink()
    os.mkfifo(folder / FILES[0])
    err = refused(capsys, "eval", copy / "run", "--dataset", "mnist", "--data-dir", tmp_path / "d")
    assert f"no {FILES[0]} in" in err


@pytest.mark.parametrize("name", ["../../../dev/zero", "/dev/zero", "..", "a/b.hex", ".hex",
                                  "x" * 99])
def test_a_manifest_names_files_beside_it_alone(copy, capsys, name):
    path = copy / "int8" / "manifest.json"
    for change in (lambda m: m["layers"][0].update(weights=name),
                   lambda m: m["sha256"].update({name: "0" * 64}),
                   lambda m: m["golden"]["files"].append(name)):
        manifest = json.loads(path.read_text())
        change(manifest)
        manifest[memh.SUM] = memh._own_sum(manifest)
        whole = path.read_text()
        path.write_text(json.dumps(manifest))
        assert "must be a file's name such as table.hex" in refused(capsys, "eval", copy / "int8")
        path.write_text(whole)


def test_a_text_larger_than_its_layer_needs_is_not_read(copy, capsys):
    path = copy / "int8" / "manifest.json"
    manifest = json.loads(path.read_text())
    weights = copy / "int8" / manifest["layers"][0]["weights"]
    weights.write_bytes(b"00\n" * (BIG // 3))
    manifest["sha256"][weights.name] = memh._file_sum(weights)
    manifest[memh.SUM] = memh._own_sum(manifest)
    path.write_text(json.dumps(manifest))
    assert "more than the" in refused(capsys, "eval", copy / "int8")
