"""The benchmarks of binary networks, as trials on small images."""

import json

from benchmarks.speed.__main__ import main as speed
from benchmarks.training.binary import ROWS
from benchmarks.training.binary import main as accuracy
from nets.settings.suited import settings_for


def test_a_run_is_a_line_with_its_settings(tmp_path, capsys):
    args = ["--dataset", "digits", "--rows", "1x64", "--seeds", "3", "--epochs", "2"]
    assert accuracy([*args, "--results", str(tmp_path)]) == 0
    line = json.loads((tmp_path / "binary.jsonl").read_text())
    assert (line["row"], line["seed"], line["epochs"], line["images"]) == ("1x64", 3, 2, 1442)
    assert line["settings"]["binarize_input"] == "probability" and line["reached"] is None
    assert line["differ_from_floats"] == 0 and line["mark"] == ">= 92.5"
    assert line["test"] == line["test_by_epoch"][-1] and len(line["test_by_epoch"]) == 2


def test_every_row_has_settings_that_can_be():
    for given, _ in ROWS.values():
        settings_for({"model": "bnn", **given})


def test_bits_and_floats_answer_alike_before_they_are_timed(tmp_path, capsys):
    args = ["--parts", "binary", "--tiny", "--rounds", "1", "--dataset", "digits"]
    assert speed([*args, "--results", str(tmp_path)]) == 0
    lines = [json.loads(line) for line in (tmp_path / "speed.jsonl").read_text().splitlines()]
    assert [line["row"].split(",")[0] for line in lines] == ["binary network 3x256",
                                                             "binary network 3x1024"]
    assert all(line["ratio"] > 0 and "equal classes of 200" in line["note"] for line in lines)
