"""Damaged run folders: each refused in one line that names the file."""

import json

import numpy as np
import pytest
from helpers.front_door import DIGITS, assert_one_line

from lnsarith.cli import main

RUN = [*DIGITS, "--epochs", "1", "--hidden", "20"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of a run, by name."""
    folder = tmp_path_factory.mktemp("sound") / "r"
    assert main([*RUN, "--out", str(folder)]) == 0
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def cut(files):
    files["model.npz"] = files["model.npz"][:-100]


def flip(files):
    data = bytearray(files["model.npz"])
    data[2000] ^= 1
    files["model.npz"] = bytes(data)


def empty(files):
    files["model.npz"] = b""


def text(files):
    files["model.npz"] = b"hello"


def newer(files):
    # The model's kind is part of a UCS-4 text in it.
    old, new = ("lnsarith model " + n for n in "19")
    data = files["model.npz"].replace(old.encode("utf-32-le"), new.encode("utf-32-le"))
    assert data != files["model.npz"]
    files["model.npz"] = data


def other_format(files):
    files["config.json"] = files["config.json"].replace(b'"lns16"', b'"lns12"')


def other_size(files):
    files["config.json"] = files["config.json"].replace(b"20\n", b"30\n")


def no_model(files):
    del files["model.npz"]


def no_config(files):
    del files["config.json"]


def broken_config(files):
    files["config.json"] = b"{"


def config_without_data(files):
    config = json.loads(files["config.json"])
    del config["data"]
    files["config.json"] = json.dumps(config).encode()


def wrong_setting(files):
    files["config.json"] = files["config.json"].replace(b'"2^-5"', b'"fast"')


def broken_log(files):
    files["log.jsonl"] = b"{"


def seed_beyond_64_bits(files):
    files["config.json"] = files["config.json"].replace(b'"seed": 0', b'"seed": ' + b"9" * 20)


def infinite_number_of_images(files):
    files["config.json"] = files["config.json"].replace(b'"train_images": ', b'"train_images": 1e9')


def nameless_loss(files):
    files["log.jsonl"] = b'{"loss": NaN}'


NOT_OURS = "model.npz is no model of this program, or damaged"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, f"{NOT_OURS} (File is not a zip file)"),
        (flip, f"{NOT_OURS} (Bad CRC-32"),
        (empty, NOT_OURS),
        (text, NOT_OURS),
        (newer, NOT_OURS),
        (
            other_format,
            "0.w should be 64 x 20 words of lns12.6 (int16), is 64 x 20 words",
        ),
        (
            other_size,
            "0.w should be 64 x 30 words of lns16.10 (int16), is 64 x 20 words",
        ),
        (no_model, "has no model yet: no epoch of it was finished"),
        (no_config, "holds no run: there is no config.json in it"),
        (broken_config, "config.json is damaged, or not what this program wrote"),
        (config_without_data, "config.json is damaged"),
        (wrong_setting, "lr must be a number such as 2^-6, 1/64 or 0.01, got 'fast'"),
        (seed_beyond_64_bits, "config.json is damaged, or not what this program wrote (seed must "
         "be an integer -9223372036854775808..9223372036854775807, got '99999999999999999999')"),
        (infinite_number_of_images, "(train_images must be a finite number such as 0.25, got '1e9"),
        (nameless_loss, "log.jsonl is not what this program wrote: line 1: loss must be a finite "
         "number such as 0.25, got 'NaN'"),
        (broken_log, "log.jsonl is not what this program wrote"),
    ],
)
def test_a_damaged_run_is_refused_in_one_line(files, tmp_path, capsys, damage, words):
    files = dict(files)
    damage(files)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert main(["eval", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert_one_line(err, words)
    assert out == ""


def test_a_model_of_another_program_is_refused(tmp_path, files, capsys):
    (tmp_path / "config.json").write_bytes(files["config.json"])
    np.savez(tmp_path / "model.npz", a=np.zeros(3))
    assert main(["eval", str(tmp_path)]) == 2
    assert_one_line(
        capsys.readouterr().err, "kind should be 'lnsarith model 1', is None"
    )
