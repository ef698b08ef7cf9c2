"""lnsarith rtl net: a folder with a core of a run, or one line that says why not."""

import json

import pytest
from helpers.hardware.cores import bench, passed

from lnsarith.cli import main

DIGITS = ["--dataset", "digits", "--epochs", "1", "--no-plot", "--hidden", "12",
          "--recipe", "icassp2020"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    home = tmp_path_factory.mktemp("runs")
    for name, more in {"lns12": [], "float32": ["--val", "1300"]}.items():
        assert main(["train", *DIGITS, "--arith", name, "--out", str(home / name), *more]) == 0
    assert main(["quantize", str(home / "lns12"), "--out", str(home / "int8")]) == 0
    return home


def told(capsys, *words):
    """Return the exit code, the answer and the complaint of a command."""
    capsys.readouterr()
    code = main(["rtl", "net", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("name", ["lns12", "int8"])
def test_a_folder_tells_what_it_is_and_checks_itself(runs, name, tmp_path, capsys):
    code, said, _ = told(capsys, str(runs / name), "--parallel", "6", "--pipeline", "2", "--name",
                         "core", "--golden", "3", "--out", str(tmp_path / "core"), "--json")
    answer, manifest = json.loads(said), json.loads((tmp_path / "core/manifest.json").read_text())
    assert code == 0 and answer["report"]["lanes"] == 6
    assert sorted(answer["files"]) == sorted(p.name for p in (tmp_path / "core").iterdir())
    assert manifest["model_sha256"] == answer["model_sha256"]
    readme = (tmp_path / "core/README.md").read_text()
    assert all(f"`{p['name']}`" in readme for p in manifest["ports"])
    assert passed(bench(tmp_path / "core"))


@pytest.mark.parametrize("words, complaint", [
    (["lns12", "--parallel", "13"],
     "parallel must be at most the 12 outputs of the widest layer, got 13"),
    (["lns12", "--images", "7", "--parallel", "4"], "images must be one of 1, 2, 4 with 4 lanes"),
    (["lns12", "--pipeline", "0"], "pipeline must be an integer 1..64, got '0'"),
    (["lns12", "--place"], "--place places what --synth made: give --synth ecp5 too"),
    (["float32"], "a core has words, and a run of float32 has none"),
    (["nowhere"], "nowhere"),
])
def test_what_cannot_be_is_told_in_one_line_before_anything_is_written(runs, words, complaint,
                                                                        tmp_path, capsys):
    code, said, error = told(capsys, str(runs / words[0]), *words[1:], "--out",
                             str(tmp_path / "core"))
    assert code == 2 and not said and complaint in error and error.count("\n") == 1
    assert not (tmp_path / "core").exists()


def test_a_folder_of_somebody_else_is_left_alone(runs, tmp_path, capsys):
    (tmp_path / "mine").write_text("work")
    code, _, error = told(capsys, str(runs / "lns12"), "--out", str(tmp_path))
    assert code == 2 and "choose another" in error
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
