"""How many cycles a step takes, phase by phase, and what share of them makes products."""

from __future__ import annotations

from dataclasses import dataclass

from verilog.trainer.plan.geometry import BACKWARD, FORWARD, SOFTMAX, UPDATE, Geometry
from verilog.trainer.plan.learning import Learning

__all__ = ["Spent", "best_lanes", "spent"]

NAMES = {FORWARD: "forward", SOFTMAX: "soft-max", BACKWARD: "backward", UPDATE: "update"}


@dataclass(frozen=True)
class Spent:
    """A phase: its name, its layer from 1, the cycles in which lanes step (of the soft-max none),
    and the products that a step of a whole batch asks of it."""

    name: str
    layer: int
    cycles: int
    products: int


def spent(g: Geometry) -> list[Spent]:
    """Return the phases of a whole batch; each ends some cycles later, when its last sums
    are finished."""
    batch, found = g.learning.batch, []
    for phase in g.phases:
        layer = g.layers[phase.layer]
        k, n, t = layer.inputs, layer.outputs, layer.tiles
        sums, steps, products = {
            FORWARD: (t * batch, k + 1, batch * (k + 1) * n),
            BACKWARD: (g.groups * k, n, batch * k * n),
            UPDATE: ((k + 1) * t, batch, batch * (k + 1) * n),
            SOFTMAX: (0, 0, 0)}[phase.kind]
        cycles = -(-sums // g.loop) * g.loop * steps
        found.append(Spent(NAMES[phase.kind], phase.layer + 1, cycles, products))
    return found


def best_lanes(learning: Learning, loop: int) -> int:
    """Return the lanes, of 8 to 16 and no more than any layer has outputs, that waste fewest
    cycles."""
    most = max(learning.sizes[1:])

    def wasted(lanes: int) -> float:
        return sum(p.cycles for p in spent(Geometry(learning, lanes, loop))) * lanes

    return min(range(min(8, most), min(16, most) + 1), key=lambda p: (wasted(p), -p))
