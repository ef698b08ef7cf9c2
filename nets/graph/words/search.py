"""The smallest words of each layer within a loss of accuracy: measured, one layer at a time.

First all layers get the same width, the least that keeps the budget. Then, over and over, the
width of one layer's weights or results is lowered by a bit, those first that save most, as
long as the budget is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from fxp.format import Fixed
from lnsarith.lns.format import Lns
from nets.graph.words.choice import Choice
from nets.graph.words.network import WordNetwork
from nets.graph.words.steps import Product

__all__ = ["COST", "Found", "Item", "search"]

WIDTHS = (16, 14, 12, 11, 10, 9, 8, 7, 6, 5, 4)
WHOLE = 6  # bits of a logarithmic word that are no fraction
# Gates of a MAC of 8, 12 and 16 bits, as Yosys counts them (python -m benchmarks.hardware.rtl).
GATES = {"fixed": (514, 1121, 2004), "lns": (272, 530, 789)}
Key = tuple[str, str]  # a product's name, or "" for the input; weights or results


@dataclass
class Item:
    """The words of a layer's weights or results: how many there are of them for one input, how
    wide they are, and what became of narrower ones."""

    name: str
    what: str
    count: int
    bits: int = 16
    reach: float = 0.0
    lost: float | None = None  # points, with one bit less
    alone: dict[int, float] = field(default_factory=dict)  # points lost, by width, alone narrowed


@dataclass
class Found:
    """What a search found: the items, the formats, and the points lost on its inputs."""

    items: list[Item]
    choice: Choice
    loss: float
    cost: float
    trials: int


def search(network: WordNetwork, reach: dict[str, float], judge: Callable[[np.ndarray], float],
           x: np.ndarray, budget: float, cost: Callable[[WordNetwork, list[Item]], float],
           say: Callable[[str], None] = lambda text: None) -> Found:
    """Return the formats of least cost for which judge(scores of x), in points lost, is within
    the budget; ValueError where the widest words lose more."""
    hunt = _Hunt(network, reach, judge, x)
    width = next((w for w in reversed(WIDTHS) if hunt.alike(w) <= budget), None)
    if width is None:
        raise ValueError(f"words of {WIDTHS[0]} bits lose {hunt.alike(WIDTHS[0]):.2f} points, more "
                         f"than the budget of {budget}")
    say(f"all layers in {width} bits lose {hunt.alike(width):.2f} points")
    hunt.set_all(width)
    hunt.sensitivities(budget, say)
    going = True
    while going:
        going = False
        base = cost(network, hunt.items)
        order = sorted(hunt.items, key=lambda item: hunt.saved(item, base, cost))
        for item in order:
            if item.lost is not None or item.bits <= WIDTHS[-1]:
                continue
            item.bits -= 1
            loss = hunt.loss()
            if loss <= budget:
                going = True
                say(f"{item.name or 'input'} {item.what} {item.bits} bits: {loss:.2f} points lost")
            else:
                item.bits += 1
                item.lost = loss
    loss = hunt.loss()
    return Found(hunt.items, Choice.of(network), loss, cost(network, hunt.items), hunt.trials)


class _Hunt:
    def __init__(self, network, reach, judge, x):
        self.network, self.reach, self.judge, self.x = network, reach, judge, x
        made = network.made
        self.items = [Item("", "results", int(np.prod(made.shapes[made.input])),
                           reach=reach[made.input])]
        for step in made.products:
            shown = reach.get(step.out, 0.0)
            self.items += [Item(step.name, "weights", step.w.size,
                                reach=float(np.abs(step.w).max(initial=0))),
                           Item(step.name, "results", step.size, reach=shown)]
        self.trials = 0
        self._known: dict[tuple[int, ...], float] = {}

    def set_all(self, bits: int) -> None:
        for item in self.items:
            item.bits = bits

    def alike(self, bits: int) -> float:
        """Return the loss with words of one width everywhere."""
        self.set_all(bits)
        return self.loss()

    def sensitivities(self, budget: float, say) -> None:
        """Measure what each item loses alone with fewer bits, until that is beyond the budget."""
        for item in self.items:
            start = item.bits
            for bits in range(start - 1, WIDTHS[-1] - 1, -2):
                item.bits = bits
                item.alone[bits] = self.loss()
                if item.alone[bits] > budget:
                    break
            item.bits = start

    def saved(self, item: Item, base: float, cost) -> float:
        item.bits -= 1
        after = cost(self.network, self.items)
        item.bits += 1
        return after - base

    def loss(self) -> float:
        key = tuple(item.bits for item in self.items)
        if key not in self._known:
            self.trials += 1
            self._place()
            self._known[key] = self.judge(self.network.scores(self.x))
        self._place()
        return self._known[key]

    def _place(self) -> None:
        """Give every step its formats: what is no product has those of the results before it."""
        bits: dict[Key, int] = {(item.name, item.what): item.bits for item in self.items}
        logarithmic = self.network.bench.logarithmic
        formats, current = {}, bits["", "results"]
        for step in self.network.made.steps:
            own = current
            if isinstance(step, Product):
                own, current = bits[step.name, "weights"], bits[step.name, "results"]
            formats[step.name] = tuple(_format(n, logarithmic) for n in (own, current))
        self.network.place(self.reach, formats, _format(bits["", "results"], logarithmic))


def _format(bits: int, logarithmic: bool) -> Lns | Fixed:
    if logarithmic:
        return Lns(bits, max(bits - WHOLE, 0))
    return Fixed(bits, 0)  # the point is placed by the range


def _bits(network: WordNetwork, items: list[Item]) -> float:
    """Return the bits of all weights, and of all results of one input."""
    return float(sum(item.bits * item.count for item in items))


def _gates(network: WordNetwork, items: list[Item]) -> float:
    """Return the gates of a MAC of each layer's width, summed over MACs."""
    widths = {(item.name, item.what): item.bits for item in items}
    total, before = 0.0, widths["", "results"]
    counts = GATES["lns" if network.bench.logarithmic else "fixed"]
    curve = np.polyfit((8, 12, 16), counts, 2)
    for step in network.made.products:
        width = max(before, widths[step.name, "weights"])
        total += step.macs * float(np.polyval(curve, width))
        before = widths[step.name, "results"]
    return total


COST: dict[str, Callable[[WordNetwork, list[Item]], float]] = {"bits": _bits, "gates": _gates}
