"""Names of points in a picture meet nothing else, as the drawn picture tells."""

import itertools

import pytest
from matplotlib.figure import Figure

from lnsarith.host.picture.names import NamedPoint, name_points

POINTS = [(1000, 85.0), (1010, 85.1), (1020, 85.0), (2000, 85.3), (500, 80.0), (3000, 85.1)]


@pytest.fixture(scope="module")
def drawn():
    figure = Figure(figsize=(6, 4), dpi=100)
    axes = figure.subplots()
    axes.set_xscale("log")
    for x, y in POINTS:
        axes.errorbar(x, y, yerr=0.2, fmt="o", ms=5)
    axes.plot([500, 1000, 1000], [80, 80, 85])
    axes.margins(0.2, 0.15)
    axes.get_xlim(), axes.get_ylim()  # now they stand
    name_points(axes, [NamedPoint(x, y, 0.2, f"lns12 method {i} g2 s", "k")
                       for i, (x, y) in enumerate(POINTS)],
                [(500, 80, 1000, 80), (1000, 80, 1000, 85)])
    figure.draw_without_rendering()
    return axes


def _meet(a, b):
    wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
    return wide > 1 and high > 1


def _text(t):
    """The box of a name alone, without its line to the point."""
    from matplotlib.text import Text

    return Text.get_window_extent(t)


def test_no_name_meets_another_a_point_or_the_edge(drawn):
    axes = drawn
    boxes = [_text(t) for t in axes.texts]
    assert len(boxes) == len(POINTS)
    for a, b in itertools.combinations(boxes, 2):
        assert not _meet(a, b)
    frame = axes.get_window_extent()
    for box in boxes:
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0
        for x, y in axes.transData.transform(POINTS):
            assert not (box.x0 < x < box.x1 and box.y0 < y < box.y1)


def test_names_that_stand_apart_have_a_line_to_their_point(drawn):
    axes = drawn
    lines = [t.arrow_patch is not None for t in axes.texts]
    assert any(lines) and not all(lines)
