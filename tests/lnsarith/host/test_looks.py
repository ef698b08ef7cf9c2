"""Figures for papers: their size, without a title, their numbers beside them, their colours."""

import csv
import itertools

import pytest
from PIL import Image

from fxp.format import FormatError
from lnsarith.cli import main
from lnsarith.host.picture import INK, LINE, WARM
from lnsarith.host.picture.look import read_size

CHECK = ["check", "add", "--arith", "lns8.3", "--delta", "lut"]


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

    for one, other in itertools.combinations((INK, LINE, WARM), 2):
        assert abs(lightness(*linear(one)) - lightness(*linear(other))) > 15
        seen = [lightness(*deuteranope(*linear(c))) for c in (one, other)]
        assert abs(seen[0] - seen[1]) > 15


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
    (["--csv", "e.csv"], "none was asked for: give --plot or --picture too"),
    (["--plot", "e.png", "--csv", "e.txt"], "a table is .csv, got 'e.txt'"),
    (["--plot", "e.png", "--csv", "no/e.csv"], "cannot write no/e.csv"),
    (["--plot", "e.png", "--figure-size", "big"], "WIDTHxHEIGHT in inches"),
])
def test_what_cannot_be_is_told_in_a_line(argv, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*CHECK, *argv]) == 2
    err = capsys.readouterr().err
    assert words in err and err.count("\n") == 1


def test_sizes_are_read_in_inches_and_millimetres():
    assert read_size("3.5x2.6") == (3.5, 2.6) and read_size("50.8x25.4mm") == (2.0, 1.0)
    for text in ("0x3", "3x", "100x3", "1e3x2", "3x2px"):
        with pytest.raises(FormatError):
            read_size(text)
