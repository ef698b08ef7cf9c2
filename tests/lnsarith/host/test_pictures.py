"""Pictures: one style, text that stays text, legends beside the curves, waves with an axis."""

import io
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from fxp.fit.functions import TARGETS
from fxp.operators.spindle import Spindle
from lnsarith.cli import main
from lnsarith.spindle import picture as spindle_picture
from nets.train import curves, study, study_values
from verilog.catalogue import design
from verilog.cost import plot as cost_plot
from verilog.cost.compare import Row
from verilog.cost.synth import Cost
from verilog.simulate import wave_picture

EPOCHS = [{"epoch": e, "loss": loss, "train_accuracy": 1 - loss / 3, "val_accuracy": up,
           "test_accuracy": up - 0.01} for e, loss, up in
          ((1, 2.0, 0.2), (2, 0.3, 0.9), (3, 0.2, 0.97), (4, 0.2, 0.3))]
STUDIED = [{"value": value, "loss": 1.0, "val_accuracy": up, "test_accuracy": up, "seconds": 1 / n,
            "records": EPOCHS} for n, (value, up) in enumerate(
                ((10, 0.9), (50, 0.8), (100, 0.3), (150, 0.2), (200, 0.1), (500, 0.9)), 1)]
ACTIVATIONS = study.summary({"mnist": {"relu": [0.9, 0.91], "mish": [0.8, 0.99]}},
                            {"mnist": 1000})
COSTS = [Row(op, 8, method, best, best) for op, method, gates in (
    ("fixed-mac", "", 500), ("lns-mac", "exact", 250), ("lns-mac", "balanced", 1500))
    for best in [Cost("d", "gates", "plain", "Yosys 0.70", {}, gates=gates)]]


def waves(path, clocked=True):
    """Draw a design's waves: a word that goes on at the end, one of half a cycle."""
    made = design("lns-neg", "lns9.4", latency=int(clocked))
    bits = {name: [(0, "1")] for name in ("i_valid", "o_ready", "o_valid", "i_ready")}
    bits |= {"i_clk": [(k * 5000, str(k % 2)) for k in range(16)], "i_rst": [(0, "0")]}
    words = [(0, "0" * 9), (15_000, "101010101"), (75_000, "110000000")]
    wave_picture.draw(made, {**bits, "i_x": words, "o_out": words}, Path(path), 8)


def spindled(path):
    spindle_picture.draw(path, "fit", TARGETS["logistic"], Spindle.parse("logistic8"), 0.01)


def command(*words):
    def draw(path):
        assert main([*words, "--plot", str(path)]) == 0

    return draw


FILES = {
    "gaps": command("check", "lns-add", "--arith", "lns8"),
    "cloud": command("check", "fixed-mul", "--arith", "fixed8"),
    "spindle": spindled, "waves": waves, "words": lambda path: waves(path, False),
    "costs": lambda path: cost_plot.draw(path, COSTS),
    "activations": lambda path: study.draw(path, ACTIVATIONS, "activations"),
}
IMAGES = {
    "curves": lambda: curves.draw(EPOCHS, "a run"),
    "batch": lambda: study_values.draw("batch", STUDIED, "a study"),
    "rate": lambda: study_values.draw("rate", STUDIED, "a study"),
}


@pytest.fixture
def drawn(monkeypatch):
    """Return the figures that are saved from now on, laid out."""
    figures, save = [], Figure.savefig

    def saved(figure, *args, **kwargs):
        figure.canvas.draw()
        figures.append(figure)
        return save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", saved)
    return figures


def legends(figure):
    own = [axes.get_legend() for axes in figure.axes]
    return [legend for legend in [*own, *figure.legends] if legend]


@pytest.mark.parametrize("name", [*FILES, *IMAGES])
def test_no_legend_lies_over_an_axes_or_a_text(name, drawn, tmp_path):
    FILES[name](tmp_path / "a.png") if name in FILES else IMAGES[name]()
    (figure,) = drawn
    found = legends(figure)
    assert len(found) == {"words": 0, "waves": 0, "costs": 0, "activations": 0, "rate": 2}.get(
        name, 1)
    for box in (legend.get_window_extent() for legend in found):
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
        for axes in figure.axes:
            assert not box.padded(-2).overlaps(axes.get_window_extent())
            for text in (axes.title, axes._left_title, *axes.texts, *figure.texts):
                if text.get_text():
                    assert not box.overlaps(text.get_window_extent()), text.get_text()


@pytest.mark.parametrize("name", FILES)
def test_text_of_pdf_and_svg_is_text_in_whole_fonts(name, tmp_path):
    for file in ("a.pdf", "a.svg"):
        FILES[name](tmp_path / file)
    pdf = (tmp_path / "a.pdf").read_bytes()
    assert b"/CIDFontType2" in pdf and b"/Type3" not in pdf and b"CreationDate" not in pdf
    svg = (tmp_path / "a.svg").read_text("utf-8")
    told = {"gaps": "gap d of the logs", "cloud": "operand x", "spindle": "sum of ReLUs",
            "waves": "i_valid", "words": "o_out", "costs": "balanced",
            "activations": "bar: one standard error each way"}[name]
    assert re.search(rf"<text[^>]*>[^<]*{told}", svg) and "<dc:date>" not in svg


def test_the_style_is_left_as_it_was():
    before = dict(matplotlib.rcParams)
    IMAGES["curves"]()
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("clocked, name", [(True, "cycle"), (False, "word")])
def test_waves_have_an_axis_of_cycles_or_words(clocked, name, drawn, tmp_path):
    waves(tmp_path / "a.png", clocked)
    (axes,) = drawn[0].axes
    assert [t.get_text() for t in axes.get_xticklabels()] == [str(k) for k in range(8)]
    assert list(axes.get_xticks()) == [k + 0.5 for k in range(8)]
    assert name in [t.get_text() for t in axes.texts]


def test_a_word_that_goes_on_is_cut_by_the_edge_and_numbers_stay_inside(drawn, tmp_path):
    waves(tmp_path / "a.png")
    (axes,) = drawn[0].axes
    drawn[0].canvas.draw()
    ends = [patch.get_xy()[:, 0].max() for patch in axes.patches]
    assert sum(end > 8 for end in ends) == 2 and all(p.get_clip_on() for p in axes.patches)
    words = [t for t in axes.texts if re.fullmatch(r"-?\d[\d.e+-]*", t.get_text())]
    assert len(words) == 8  # two words and their values at each port
    boxes = [p.get_window_extent() for p in axes.patches]
    for text in words:
        inside = text.get_window_extent()
        assert any(b.x0 <= inside.x0 and inside.x1 <= b.x1 + 1 for b in boxes), text.get_text()
        assert inside.x1 <= axes.get_window_extent().x1 + 1
    assert not any(t.get_text() == "-128" for t in words)  # it has half a cycle of room


def test_images_are_the_same_bytes_again():
    first, second = (IMAGES["curves"]() for _ in range(2))
    assert first == second and first.startswith(b"\x89PNG")
    pixels = matplotlib.image.imread(io.BytesIO(first))
    assert np.ptp(pixels[..., :3]) > 0.5
