"""Figures for papers: their size, without a title, their numbers beside them, their colours."""

import argparse
import csv
import itertools
import re

import pytest
from helpers.front_door import ROOT
from PIL import Image

from fxp.format import FormatError
from lnsarith import cli
from lnsarith.cli import main
from lnsarith.host.picture import INK, LINE, SERIES, WARM, picture
from lnsarith.host.picture.look import looking, read_size
from lnsarith.host.picture.page import DARK, LIGHT, series

# What draws, by the command that does: a new one has to stand here.
DRAWS = {
    "lnsarith/catalogue/bench/plot.py": "check",
    "lnsarith/commands/operators/similarity.py": "check",
    "lnsarith/commands/networks/data.py": "data show",
    "lnsarith/commands/lab/plot.py": "lab run",
    "lnsarith/commands/rtl/front/picture.py": "rtl front",
    "lnsarith/delta/design/picture.py": "design delta",
    "lnsarith/spindle/picture.py": "spindle fit",
    "nets/experiments/faults.py": "study faults",
    "nets/experiments/results/front.py": "front",
    "nets/experiments/studies/products.py": "study products",
    "nets/graph/words/picture.py": "formats",
    "nets/train/curves.py": "train",
    "nets/train/study.py": "study activations",
    "nets/train/study_values.py": "study batch",
    "verilog/core/picture.py": "rtl net",
    "verilog/core/report.py": "rtl net",
    "verilog/cost/plot.py": "rtl synth",
    "verilog/simulate/wave_picture.py": "rtl sim",
}
SOURCES = [path for package in ("fxp", "lnsarith", "nets", "verilog")
           for path in (ROOT / package).rglob("*.py")]
OPTIONS = {"--figure-size", "--no-title", "--csv"}
CHECK = ["check", "add", "--arith", "lns8.3", "--delta", "lut"]


def parsers():
    """Return the options of every command and action, by its words."""
    found = {}

    def add(name, parser):
        actions = next((a.choices for a in parser._actions
                        if isinstance(a, argparse._SubParsersAction)), {})
        for word, action in actions.items():
            add(f"{name} {word}", action)
        if not actions:
            found[name] = {s for a in parser._actions for s in a.option_strings}

    for name in cli.COMMANDS:
        command = next(a.choices for a in cli._parser([name])._actions
                       if isinstance(a, argparse._SubParsersAction))[name]
        add(name, command)
    return found


def test_every_command_that_draws_takes_size_title_and_table():
    known = parsers()
    asking = {name for name, options in known.items()
              if options & {"--plot", "--picture", "--no-plot"}}
    assert {name: OPTIONS - known[name] for name in asking | set(DRAWS.values())
            if OPTIONS - known[name]} == {}
    assert len(known) > 40 and len(asking) >= 8


def test_the_list_of_what_draws_is_whole_and_states_no_colour_of_its_own():
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in SOURCES}
    drawing = {name for name, text in texts.items() if re.search(r"\b(with picture|png)\(", text)}
    assert drawing - {"lnsarith/host/picture/__init__.py"} == set(DRAWS)
    own = {name: re.findall(r'"#[0-9a-fA-F]{3,8}"', text) for name, text in texts.items()
           if not name.startswith("lnsarith/host/picture/")}
    for path in (ROOT / "nets/experiments/report").glob("page.*"):  # CSS has them unquoted
        own[path.name] = re.findall(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b|rgba?\(",
                                    path.read_text())
    assert {"page.html", "page.js", "page.py"} <= own.keys()
    assert {name: found for name, found in own.items() if found} == {}


def linear(colour):
    """Return a colour's linear red, green and blue."""
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]


def lightness(red, green, blue):
    """Return CIE L* of linear red, green and blue."""
    return 116 * (0.2126 * red + 0.7152 * green + 0.0722 * blue) ** (1 / 3) - 16


def test_curves_are_apart_in_grey_and_for_those_who_do_not_tell_red_from_green():
    def deuteranope(red, green, blue):  # Machado, Oliveira and Fernandes (2009), severity 1
        rows = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
                (-0.01182, 0.04294, 0.968881))
        return [max(0.0, r * red + g * green + b * blue) for r, g, b in rows]

    night = [DARK[name] for name in ("ink", "line", "warm", "paper")]
    for one, other in [*itertools.combinations((INK, LINE, WARM), 2),
                       *itertools.combinations(night, 2)]:
        assert abs(lightness(*linear(one)) - lightness(*linear(other))) > 15
        seen = [lightness(*deuteranope(*linear(c))) for c in (one, other)]
        assert abs(seen[0] - seen[1]) > 15
    assert {ink for ink, _ in SERIES} == {INK, LINE, WARM}  # more curves: dashed, dotted
    assert len(set(SERIES)) == len(SERIES) == 9
    page = series()
    assert [LIGHT[name.removeprefix("--")] for name, _ in page[:9]] == [ink for ink, _ in SERIES]
    assert len(set(page)) == len(page) == 15
    assert DARK.keys() == LIGHT.keys()


def test_a_figure_has_the_size_asked_for_and_its_numbers_beside_it(tmp_path):
    png, table = tmp_path / "e.png", tmp_path / "e.csv"
    assert main([*CHECK, "--plot", str(png), "--csv", str(table), "--figure-size", "4x3"]) == 0
    with Image.open(png) as image, table.open() as stream:
        assert image.size == (640, 480)  # 160 dots an inch
        rows = list(csv.DictReader(stream))
    exact = [float(r["y"]) for r in rows
             if r["series"] == "exact" and r["panel"].startswith("equal")]
    assert exact[0] == 1.0 and exact == sorted(exact, reverse=True) and len(exact) == 41


def test_without_a_title_a_figure_has_none(tmp_path):
    for more, there in ([], True), (["--no-title"], False):
        path = tmp_path / "e.svg"
        assert main([*CHECK, "--plot", str(path), *more]) == 0
        assert ("lns-add:" in path.read_text()) is there


def test_fonts_are_whole_in_pdf(tmp_path):
    path = tmp_path / "e.pdf"
    assert main([*CHECK, "--plot", str(path)]) == 0
    assert b"/FontFile2" in path.read_bytes()


@pytest.mark.parametrize("argv, words", [
    (["--csv", "e.csv"], "none was asked for: give --plot, --picture or --waves"),
    (["--plot", "e.png", "--csv", "e.txt"], "a table is .csv, got 'e.txt'"),
    (["--plot", "e.png", "--csv", "no/e.csv"], "cannot write no/e.csv"),
    (["--plot", "e.png", "--figure-size", "big"], "WIDTHxHEIGHT in inches"),
])
def test_what_cannot_be_is_told_in_a_line(argv, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*CHECK, *argv]) == 2
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == 1


def test_a_table_without_a_picture_is_refused_before_anything_is_trained(tmp_path, capsys):
    out = tmp_path / "run"
    assert main(["train", "--dataset", "digits", "--no-plot", "--csv", str(tmp_path / "e.csv"),
                 "--out", str(out)]) == 2
    assert "not --no-plot" in capsys.readouterr().err and not out.exists()


def test_bars_that_lie_and_errors_of_points_are_told_and_figures_stand_below_each_other(tmp_path):
    with looking(table=str(tmp_path / "e.csv")):
        for name in ("one", "two"):
            with picture(tmp_path / "e.png", "") as figure:
                axes = figure.subplots()
                axes.set_title(name)
                axes.barh([3], [2.0], 0.5, [5.0], label="cycles")
                axes.errorbar([1], [7], yerr=[2], capsize=3, label="runs")
    with open(tmp_path / "e.csv") as stream:
        rows = [tuple(r.values()) for r in csv.DictReader(stream)]
    assert rows == [(name, *row) for name in ("one", "two") for row in (
        ("runs", "1.0", "7.0", ""), ("cycles", "7.0", "3.0", "2.0"))]


def test_sizes_are_read_in_inches_and_millimetres():
    assert read_size("3.5x2.6") == (3.5, 2.6) and read_size("50.8x25.4mm") == (2.0, 1.0)
    for text in ("0x3", "3x", "100x3", "1e3x2", "3x2px"):
        with pytest.raises(FormatError):
            read_size(text)
