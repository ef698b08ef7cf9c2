"""A lane: one step of a sum a clock, with registers in the loop, so many sums in turn."""

from __future__ import annotations

from dataclasses import dataclass

from fxp.trace.bits import where
from fxp.trace.circuit import Circuit, evaluate, trace
from verilog.core.parts.wiring import Wiring, wired
from verilog.core.parts.word import Word, word_of
from verilog.emit import syntax as v
from verilog.emit.header import header
from verilog.emit.lower import Lowering, width_of
from verilog.emit.module import Module, Port, combinational
from verilog.emit.pipeline import stages_for_latency

__all__ = ["Sums", "circuit_module", "lane", "lane_circuit"]


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


def lane_circuit(name: str, sums: Sums) -> Circuit:
    """Return what a lane does in a turn, from first, skip, the operands' fields and the
    registers: a sum begins, stays or takes a step. Of a bias the bits are those of b.

    The left operand has the step's range; where it is out of it skip is 1, and what the step
    makes of its bits is not taken.
    """
    nodes = sums.step.inputs
    spans = {k: (nodes[k].low, nodes[k].high) for k in (*sums.state, *sums.a, *sums.b)}
    bias = {} if not sums.start else {
        f"bias_{k}": (n.low, n.high) for k, n in sums.start.inputs.items()}

    def turn(first, skip, **given):
        kept = [given[k] for k in sums.state]
        if sums.start:
            begun = _tuple(evaluate(sums.start, **{k: given[f"bias_{k}"]
                                                   for k in sums.start.inputs}))
            before = dict(zip(sums.state, kept))
        else:
            begun = sums.zero
            kept = [where(first, z, k) for z, k in zip(begun, kept)]
            before = dict(zip(sums.state, kept))
        operands = {k: given[k] for k in (*sums.a, *sums.b)}
        stepped = _tuple(evaluate(sums.step, **before, **operands))
        after = [where(skip, k, n) for k, n in zip(kept, stepped)]
        return (*(where(first, b, n) for b, n in zip(begun, after)),) if sums.start else (
            *after,)

    return trace(turn, {"first": (0, 1), "skip": (0, 1), **spans, **bias},
                 outputs=[f"next_{k}" for k in sums.state], name=name)


def _tuple(found) -> tuple:
    return found if isinstance(found, tuple) else (found,)


def lane(name: str, sums: Sums, a: Word, depth: int, ahead: int) -> Module:
    """Return the module of a lane: the sum of a slot comes out where its next step begins.

    A slot's operands, with first or skip, are taken `ahead` clocks before its step; depth
    clocks later its sum is at o_sum and the slot's turn comes again. The registers of the
    loop are spread over the step by its estimated delays. a is the left operand's word as
    memories hold it.
    """
    state = sums.registers
    ports = (Port("i_clk", 1), Port("i_first", 1), Port("i_skip", 1), Port("i_a", a.bits),
             Port("i_b", sums.row_bits), Port("o_sum", state.bits, True))
    body = Wiring(ports)
    held = {k: body.delayed(f"i_{k}", ahead) for k in ("first", "skip", "a", "b")}
    operands = {**a.parts(body, held["a"]), **sums.weight.parts(body, held["b"]),
                "first": body.read(held["first"]), "skip": body.read(held["skip"])}
    if sums.bias:
        operands |= {f"bias_{k}": value for k, value in
                     sums.bias.parts(body, held["b"]).items()}
    circuit = lane_circuit(name, sums)
    sources = {k: body.wire(k, width_of(n.low, n.high)) for k, n in circuit.inputs.items()}
    lowering = Lowering(circuit, body, sources, stages_for_latency(circuit, depth))
    values = [lowering.output(circuit.outputs[f"next_{k}"], state.kept(low, high), depth)
              for k, low, high in state.fields]
    for _, registers in sorted(lowering.registers.items()):
        body.add(v.always([v.nonblocking(r, body.read(source)) for r, source in registers]))
    total = body.wire("total", state.bits, v.concat(*reversed(values)) if len(values) > 1
                      else values[0])
    operands |= state.parts(body, total)
    body.add(*(v.assign(wire, operands[k]) for k, wire in sources.items()),
             v.assign("o_sum", body.read(total)))
    summary = f"a step of a sum a clock, {depth} sums in turn"
    text = header(name, summary, "", {}, None, circuit)
    return wired(name, text, ports, body)
