"""Names of points in a picture, each beside its own where there is room, else on a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["NamedPoint", "name_points"]

WIDTH, HEIGHT = 0.56, 1.25  # of a letter, in its size
MARK = 5.0  # half a point's marker, in typographic points
# Where a name may stand: how far from its point, and to which sides.
NEAR, FARTHER = 8.0, 9.0
SIDES = ((1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1))
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class NamedPoint:
    """A point at x, y with the extent of its error bar, in data, and its name."""

    x: float
    y: float
    error: float
    name: str
    colour: str


def name_points(axes, points: Sequence[NamedPoint], lines: Sequence[Box] = (),
                size: float = 7.5) -> None:
    """Write the name of each point where it meets no other name, marker or bar, none of the
    upright and level lines (x, y, x, y in data), and no edge of the axes, else with a line to the
    point; the axes' limits must stand.

    The first points get the nearest places. Where none is free the least covered one is taken.
    """
    axes.figure.draw_without_rendering()  # now transforms are those of the final picture
    scale = 72 / axes.figure.dpi
    frame = axes.get_window_extent()
    edges = tuple(scale * v for v in (frame.x0, frame.y0, frame.x1, frame.y1))

    def at(x: float, y: float) -> tuple[float, float]:
        across, up = axes.transData.transform((x, y))
        return scale * float(across), scale * float(up)

    taken: list[Box] = []
    places = [at(p.x, p.y) for p in points]
    for p, (x, y) in zip(points, places):
        low, high = at(p.x, p.y - p.error)[1], at(p.x, p.y + p.error)[1]
        taken.append((x - MARK, min(low, y - MARK), x + MARK, max(high, y + MARK)))
    for line in lines:
        (x, y), (x_end, y_end) = at(*line[:2]), at(*line[2:])
        taken.append((min(x, x_end) - 1, min(y, y_end) - 1, max(x, x_end) + 1, max(y, y_end) + 1))
    for p, (x, y) in zip(points, places):
        width, height = WIDTH * size * len(p.name), HEIGHT * size
        box = min(_boxes(x, y, width, height), key=lambda b: _covered(b, taken, edges))
        taken.append(box)
        near = abs((box[1] + box[3]) / 2 - y) < height and (
            min(abs(box[0] - x), abs(box[2] - x)) < 1.5 * NEAR)
        axes.annotate(
            p.name, (p.x, p.y), xytext=(box[0] - x, (box[1] + box[3]) / 2 - y),
            textcoords="offset points", fontsize=size, color=p.colour, va="center", ha="left",
            arrowprops=None if near else {"arrowstyle": "-", "color": p.colour, "lw": 0.5,
                                          "shrinkA": 0, "shrinkB": 3, "relpos": _side(box, x)})


def _boxes(x: float, y: float, width: float, height: float) -> Iterator[Box]:
    """Yield where a name may stand, the nearest first."""
    for step in range(9):
        for right, up in SIDES:
            apart = NEAR + step * FARTHER
            left = x + apart * right + width * (right - 1) / 2
            low = y + apart * up - height * (1 - up) / 2
            yield left, low, left + width, low + height


def _covered(box: Box, taken: Sequence[Box], edges: Box) -> float:
    """Return the area of a box that lies on others or outside of the edges."""
    inside = _common(box, edges)
    own = (box[2] - box[0]) * (box[3] - box[1])
    return round(own - inside + sum(_common(box, other) for other in taken), 6)


def _common(a: Box, b: Box) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _side(box: Box, x: float) -> tuple[float, float]:
    """Return the place of a name's box, as a share, at which its line begins."""
    return (0.0 if box[0] > x else 1.0 if box[2] < x else 0.5), 0.5
