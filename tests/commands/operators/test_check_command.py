"""The commands check and ops: what they print, draw and refuse."""

import itertools
import json
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from oracles import exact as oracle

from fxp.format import FormatError
from lnsarith.catalogue.bench import plot as check_plot
from lnsarith.catalogue.bench.bench import COUNTS, Bench
from lnsarith.catalogue.bench.report import check
from lnsarith.catalogue.operators import OPERATORS, parse_format
from lnsarith.cli import main
from lnsarith.commands.operators import check as command
from lnsarith.lns.format import Lns


def arguments(op, **given):
    defaults = dict(op=op, arith=None, delta=None, samples=None, exhaustive=False, plot=None,
                    json=False, seed=0, option=[], correlation=False)
    return Namespace(**{**defaults, **given})


def test_the_command_prints_a_report(capsys):
    assert command.run(arguments("add", arith="lns8.3", delta="exact", exhaustive=True)) == 0
    out = capsys.readouterr().out
    assert out.startswith("lns-add: x + y\nlns8.3, delta exact, underflow zero\n"
                          "all 65,536 combinations of words\n")
    assert "ULP = 2**-3 of log2 of the result" in out and "worst in ULP: error" in out
    assert max(map(len, out.splitlines())) <= 88


def test_long_settings_break_between_their_parts(capsys):
    assert command.run(arguments("pwl", samples=500)) == 0
    lines = capsys.readouterr().out.splitlines()
    settings = lines[1 : lines.index("500 of 65,536 combinations of words: corners, then "
                                     "random (seed 0)")]
    assert len(settings) == 3 and max(map(len, settings)) <= 88
    assert settings[-1].endswith("rounding nearest-even")
    assert all(line.endswith(",") or line.endswith(" to") for line in settings[:-1])


def test_the_command_s_json_is_one_object_without_nan(capsys):
    given = {"arith": "lns8.0", "json": True}
    assert command.run(arguments("lns-div", **given)) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (found["operator"], found["f"], found["count"]) == ("lns-div", "lns8.0", 65536)
    assert set(found["counts"]) == set(COUNTS)


def test_options_of_the_command(capsys):
    given = {"arith": "fixed8", "option": ["rounding=down", "overflow=wrap"], "json": True}
    assert command.run(arguments("mul", **given)) == 0
    assert json.loads(capsys.readouterr().out)["options"] == {
        "rounding": "down", "overflow": "wrap"}
    for option, message in ((["rounding"], "name=value"), (["rounding=up"], "must be one of"),
                            (["rounding=down", "rounding=nearest-up"], "twice")):
        with pytest.raises(FormatError, match=message):
            command.run(arguments("mul", arith="fixed8", option=option))
    with pytest.raises(FormatError, match="has no option 'delta'"):
        command.run(arguments("mul", arith="fixed8", delta="lut"))


def test_ops_prints_every_operator(capsys):
    assert main(["ops"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(OPERATORS)
    assert max(map(len, lines)) <= 120
    assert main(["ops", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["operators"]
    assert [r["name"] for r in rows] == list(OPERATORS)
    assert rows[0]["operands"] == ["x", "y"] and rows[0]["options"][0]["name"] == "overflow"


@pytest.mark.parametrize("op, arith, option", [
    ("fixed-resize", "fixed8.4", ["to=fixed6.1"]), ("fixed-mul", "fixed6", ["overflow=wrap"]),
    ("fixed-resize", "fixed8.4", ["to=fixed5.1", "rounding=down"]), ("lns-add", "lns6.2", []),
    ("lns-sub", "lns6.2", ["underflow=smallest"]), ("lns-sqrt", "lns6", []),
    ("fixed-minselect", "fixed6.3", ["gain=3/2"])])
def test_rows_of_results_add_up_or_tell_of_which_they_are_some(op, arith, option, capsys):
    assert command.run(arguments(op, arith=arith, option=option)) == 0
    lines = capsys.readouterr().out.split("results\n")[1].split("\n\n")[0].splitlines()
    rows = [(int(line.split()[0].replace(",", "")), " ".join(line.split()[2:])) for line in lines]
    some = [n for n, text in rows if "of these," in text or "of the zeroed," in text]
    assert rows[0][1].startswith("compared") and len(rows) > 1
    assert sum(n for n, _ in rows) - sum(some) == check(op, parse_format(arith), dict(
        each.split("=") for each in option)).count
    under = [n for n, text in rows if "of these," in text]
    assert sum(under) <= rows[0][0] and rows[1:1 + len(under)] == [
        row for row in rows if "of these," in row[1]]


@pytest.mark.parametrize("op, arith, suffix", [
    ("lns-add", "lns8.3", "png"), ("lns-sub", "lns32", "svg"), ("fixed-mul", "fixed8", "png"),
    ("lns-compare", "lns4", "png"), ("lns-mac", "lns8", "png"), ("lns-sqrt", "lns4", "png")])
def test_pictures_are_whole_files_and_leave_nothing_behind(tmp_path, capsys, op, arith, suffix):
    path = tmp_path / f"errors.{suffix}"
    path.write_text("old")
    assert command.run(arguments(op, arith=arith, samples=2000, plot=str(path))) == 0
    assert f"drawn in {path}" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes().startswith(b"\x89PNG" if suffix == "png" else b"<?xml")
    assert path.stat().st_size > 5000


@pytest.mark.parametrize("step", ["matplotlib.figure.Figure.savefig", "pathlib.Path.replace"])
def test_a_failed_picture_leaves_the_old_one_and_no_part(tmp_path, monkeypatch, step):
    path = tmp_path / "errors.png"
    path.write_text("old")
    monkeypatch.setattr(step, full_disk)
    with pytest.raises(FormatError, match="cannot write .*errors.png: No space left on device"):
        command.run(arguments("lns-neg", plot=str(path)))
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def full_disk(figure, path, **options):
    if not isinstance(figure, Path):
        path.write_text("half")
    raise OSError(28, "No space left on device")


def test_pictures_that_cannot_be_written_are_refused_before_the_work(tmp_path):
    for path, message in ((tmp_path / "none" / "a.png", "No such file"), (tmp_path / "a.gif", "is"),
                          (tmp_path / "folder.png", "it is a folder")):
        (tmp_path / "folder.png").mkdir(exist_ok=True)
        with pytest.raises(FormatError, match=message):
            check_plot.require_writable(path)


def test_the_curves_of_a_sum_are_the_exact_d_and_the_operator_s():
    f = Lns(10, 4)
    for name, opposite in itertools.product(("lns-add", "lns-sub"), (False, True)):
        d, exact, found = check_plot._gaps(Bench(name, f, {"delta": "exact"}), f, opposite)
        gaps = np.rint(d * 16).astype(int)
        some = gaps[gaps > 0]
        assert len(some) > 80 and d[0] == 0
        assert [oracle.delta_exact(int(g), opposite, 4) for g in some] == (
            16 * found[gaps > 0]).tolist()
        assert abs(found - exact)[gaps > 0].max() <= 0.5 / 16
        assert np.isnan(found[0]) == opposite
