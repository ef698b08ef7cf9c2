"""Where registers go: stages of a Circuit from the estimated delay of its nodes.

The estimates are nanoseconds on a small FPGA with 4-input LUTs (Lattice ECP5, speed
grade 6, routing included), rounded fits of nextpnr's own reports of single
operators between registers. They place registers; they promise no clock.
"""

from __future__ import annotations

from math import inf

from fxp.format import FormatError
from fxp.trace.circuit import Circuit
from fxp.trace.graph import Node
from verilog.emit.lower import width_of

__all__ = ["MOST_STAGES", "node_delay", "shortest_ns", "stages_for_latency", "stages_for_ns",
           "stages_of"]

MOST_STAGES = 64
LUT = 0.9  # one level of logic with its routing
CARRY = 0.06  # one bit of a carry chain


def node_delay(node: Node) -> float:
    """Return the estimated delay of one node in ns."""
    if node.op in ("input", "const", "known", "shl", "shr"):
        return 0.0
    width = max([width_of(a.low, a.high) for a in node.args if not a.is_const], default=1)
    if node.op in ("and", "or", "xor"):
        return 0.0 if any(a.is_const for a in node.args) else LUT
    if node.op == "where":
        return LUT
    if node.op == "eq":
        return LUT * (1 + (width > 2) + (width > 8))
    if node.op == "lookup":
        return LUT * (1 + max(0, width - 4) * 0.6)
    chain = LUT + CARRY * width
    if node.op in ("min", "max"):
        return chain + LUT
    if node.op == "mul":
        return 2 * LUT + 0.3 * width
    return chain


def stages_of(circuit: Circuit, latency: int, target_ns: float | None
              ) -> tuple[dict[int, int], int]:
    """Return each node's stage and the latency, which target_ns chooses if it is given.

    Raises FormatError for both, for a latency outside 0..64, or a target too short.
    """
    if target_ns is not None:
        if latency:
            raise FormatError("a latency and a target in ns exclude each other: give one")
        return stages_for_ns(circuit, target_ns)
    if not 0 <= latency <= MOST_STAGES:
        raise FormatError(f"latency must be 0..{MOST_STAGES}, got {latency}")
    return (stages_for_latency(circuit, latency) if latency else {}), latency


def stages_for_ns(circuit: Circuit, target: float) -> tuple[dict[int, int], int]:
    """Return each node's stage and the latency, no stage above `target` ns as estimated.

    Raises FormatError where a single node takes longer, or the target is no number above 0.
    """
    if not 0 < target < inf:
        raise FormatError(f"a target must be a number of ns above 0, got {target:g}")
    least = max(map(node_delay, circuit.nodes))
    if target < least:
        slowest = max(circuit.nodes, key=node_delay)
        raise FormatError(f"a target of {target:g} ns is below the {least:.2f} ns that "
                          f"{slowest.name or slowest.op} alone is estimated to take")
    stages, latency = _place(circuit, target)
    if latency > MOST_STAGES:
        raise FormatError(f"a target of {target:g} ns takes {latency} stages; at most "
                          f"{MOST_STAGES} are made")
    return stages, latency


def stages_for_latency(circuit: Circuit, latency: int) -> dict[int, int]:
    """Return each node's stage for `latency` registers from input to output, the
    slowest stage as short as possible; the last register is the output."""
    return _place(circuit, shortest_ns(circuit, latency))[0]


def shortest_ns(circuit: Circuit, latency: int) -> float:
    """Return the estimated delay of the slowest of `latency` stages, in ns."""
    low = max(map(node_delay, circuit.nodes))
    high = max(low, sum(map(node_delay, circuit.nodes)))
    if _place(circuit, low)[1] <= latency:
        return low
    for _ in range(30):
        middle = (low + high) / 2
        if _place(circuit, middle)[1] <= latency:
            high = middle
        else:
            low = middle
    return high


def _place(circuit: Circuit, target: float) -> tuple[dict[int, int], int]:
    """Return stages as early as they can be, and how many there are."""
    stage: dict[int, int] = {}
    ready: dict[int, float] = {}  # ns after the start of the stage
    for node in circuit.nodes:
        operands = [a for a in node.args if not a.is_const]
        own = max((stage[a.index] for a in operands), default=0)
        start = max((ready[a.index] for a in operands if stage[a.index] == own), default=0.0)
        delay = node_delay(node)
        if start + delay > target + 1e-9:
            own, start = own + 1, 0.0
        stage[node.index], ready[node.index] = own, start + delay
    return stage, 1 + max(stage[n.index] for n in circuit.outputs.values())
