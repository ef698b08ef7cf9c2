"""A lane: one step of a sum a clock, with registers in the loop, so many sums in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fxp.trace.circuit import Circuit
from verilog.core.text import banner
from verilog.core.wiring import Wiring, wired
from verilog.core.word import Word, word_of
from verilog.emit import syntax as v
from verilog.emit.header import header
from verilog.emit.lower import width_of
from verilog.emit.module import Module, Port, combinational

__all__ = ["Sums", "circuit_module", "lane"]


@dataclass(frozen=True)
class Sums:
    """How a sum of products is taken: the circuits of an engine's plan.

    step takes the registers `state`, the fields a of the left operand and b of the right
    one, and gives the registers (in order). start gives them from the fields of a bias;
    without it a sum begins at the values zero. Where a's first field is `absent` the
    step is left out.
    """

    step: Circuit
    state: tuple[str, ...]
    a: tuple[str, ...]
    b: tuple[str, ...]
    start: Circuit | None = None
    zero: tuple[int, ...] = ()
    absent: int | None = None

    @property
    def registers(self) -> Word:
        """The word of a sum: each register, as wide as the step takes it."""
        return word_of(self.step, self.state)

    @property
    def weight(self) -> Word:
        return word_of(self.step, self.b)

    @property
    def bias(self) -> Word | None:
        """The word of a bias, None if sums begin at zero."""
        return word_of(self.start, self.start.inputs) if self.start else None

    @property
    def row_bits(self) -> int:
        """The bits of a word in a row of weights, which may be a bias."""
        return max(self.weight.bits, self.bias.bits if self.bias else 0)


def circuit_module(name: str, summary: str, circuit: Circuit) -> Module:
    """Return a circuit as a module without a clock: ports i_<input> and o_<output>."""
    ports = (*(Port(f"i_{k}", width_of(n.low, n.high)) for k, n in circuit.inputs.items()),
             *(Port(f"o_{k}", width_of(n.low, n.high), True)
               for k, n in circuit.outputs.items()))
    return combinational(name, header(name, summary, circuit.doc, {}, 0, circuit), circuit, ports)


def lane(name: str, sums: Sums, a: Word, depth: int, ahead: int) -> list[Module]:
    """Return the modules of a lane, itself the last: the sum of a slot comes out where
    its next step begins.

    A slot's operands, with first or skip, are taken `ahead` clocks before its step; depth
    clocks later its sum is at o_sum and the slot's turn comes again. a is the left
    operand's word as memories hold it.
    """
    modules = [circuit_module(f"{name}_step", "the step of a sum", sums.step)]
    if sums.start:
        modules.append(circuit_module(f"{name}_start", "a sum that begins", sums.start))
    state = sums.registers
    ports = (Port("i_clk", 1), Port("i_first", 1), Port("i_skip", 1), Port("i_a", a.bits),
             Port("i_b", sums.row_bits), Port("o_sum", state.bits, True))
    body = Wiring(ports)
    held = {k: body.delayed(f"i_{k}", ahead) for k in ("first", "skip", "a", "b")}
    sum_now = body.declare(body.fresh("sum"), state.bits)
    body.items.append(v.wire(sum_now, state.bits))
    following = _following(body, modules, sums, a, held, sum_now)
    last = body.delayed(body.wire("following", state.bits, following), depth)
    body.add(v.assign(sum_now, body.read(last)), v.assign("o_sum", body.read(sum_now)))
    summary = f"a step of a sum a clock, {depth} sums in turn"
    return [*modules, wired(name, banner(name, summary), ports, body)]


def _following(body: Wiring, modules, sums: Sums, a: Word, held: Mapping[str, str], now: str):
    """Return the expression of the sum behind a step."""
    state = sums.registers
    before = state.parts(body, now)
    begun = None
    if not sums.start:
        begun = {k: v.constant(z, width_of(low, high))
                 for (k, low, high), z in zip(state.fields, sums.zero)}
        first = body.read(held["first"])
        before = {k: v.choose(first, begun[k], value) for k, value in before.items()}
    operands = {**a.parts(body, held["a"]), **sums.weight.parts(body, held["b"])}
    outputs = body.put(modules[0], "step", **before, **{
        k: operands[k] for k in (*sums.a, *sums.b)})
    stepped = _of_outputs(body, state, list(outputs.values()))
    kept = body.read(now)
    if not sums.start:
        kept = v.choose(body.read(held["first"]), _constant(state, sums.zero), kept)
        return v.choose(body.read(held["skip"]), kept, stepped)
    assert sums.bias
    given = sums.bias.parts(body, held["b"])
    start = body.put(modules[1], "start", **given)
    return v.choose(body.read(held["first"]), _of_outputs(body, state, list(start.values())),
                    v.choose(body.read(held["skip"]), kept, stepped))


def _of_outputs(body: Wiring, state: Word, wires: list[str]):
    """Return a sum's word from wires in the order of its registers."""
    parts = []
    for (_, low, high), wire in zip(state.fields, wires):
        wanted = state.kept(low, high)
        parts.append(body.resized(wire, wanted, low < 0))
    return v.concat(*reversed(parts)) if len(parts) > 1 else parts[0]


def _constant(state: Word, values: tuple[int, ...]):
    parts = [v.constant(value & ((1 << state.kept(low, high)) - 1), state.kept(low, high))
             for (_, low, high), value in zip(state.fields, values)]
    return v.concat(*reversed(parts)) if len(parts) > 1 else parts[0]
