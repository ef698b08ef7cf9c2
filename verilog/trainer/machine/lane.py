"""A lane: registers of sums in a ring around the step circuit, one slot each."""

from __future__ import annotations

from fxp.trace.circuit import evaluate
from verilog.emit.module import Module, Port
from verilog.trainer.machine.parts import Part, part, stepping
from verilog.trainer.plan.geometry import BACKWARD, FORWARD, UPDATE
from verilog.trainer.plan.learning import Learning, Sum
from verilog.trainer.writing.text import literal, module, vec

__all__ = ["Lane", "lane"]


class Lane:
    """The module of a lane and what it is made of. A register of any kind of sum lies in
    the lowest of `width` bits."""

    def __init__(self, name: str, learning: Learning, loop: int):
        self.sums = {FORWARD: learning.forward, BACKWARD: learning.backward,
                     UPDATE: learning.update}
        self.width = max(s.register.width for s in self.sums.values())
        self.scalar = max(s.a.width for s in self.sums.values())
        self.vector = max(s.b.width for s in self.sums.values())
        self.steps: dict[int, Part] = {}
        found: dict[str, Part] = {}
        for kind, one in self.sums.items():
            circuit = stepping(one.step, one.state)
            if circuit.digest not in found:
                number = f"_{len(found) + 1}" if found else ""
                found[circuit.digest] = part(f"{name}_step{number}", "a step of a sum", circuit,
                                             loop)
            self.steps[kind] = found[circuit.digest]
        self.start = part(f"{name}_start", "the register that holds a bias",
                          learning.forward.start, 0)
        self.parts = [*found.values(), self.start]
        self.module = lane(f"{name}_lane", self)


def _zero(one: Sum) -> int:
    """Return the register that a sum starts from where that is zero: of the start's
    operand whose number is zero, the lowest of a logarithm, 0 of a fixed-point word."""
    ports = one.start.inputs
    zero = {name: (0 if len(ports) == 1 or name.endswith("sign") else node.low)
            for name, node in ports.items()}
    values = evaluate(one.start, **zero)
    values = values if isinstance(values, tuple) else (values,)
    return one.register.kept(dict(zip(one.state, values)))


def lane(name: str, own: Lane) -> Module:
    """Return the lane: i_first takes a new sum into the slot whose turn it is, from a bias
    with i_load, else from zero; a step follows unless i_absent. o_register is the slot that
    was given `loop` cycles before."""
    ports = [Port("i_clk", 1), Port("i_kind", 2), Port("i_first", 1), Port("i_load", 1),
             Port("i_absent", 1), Port("i_a", own.scalar), Port("i_b", own.vector),
             Port("o_register", own.width, True)]
    forward = own.sums[FORWARD]
    lines = [own.start.instance("started", forward.b.opened("i", "i_b")),
             f"wire {vec(own.width)}register;"]
    started = own.start.answers("started").values()
    begun = _widened(forward.register.closed(dict(zip(forward.state, started)), ""),
                     forward.register.width, own.width)
    zeros = {kind: literal(_zero(own.sums[kind]), own.width) for kind in (BACKWARD, UPDATE)}
    zero = zeros[UPDATE] if len(set(zeros.values())) == 1 else (
        f"i_kind == 2'd{BACKWARD} ? {zeros[BACKWARD]} : {zeros[UPDATE]}")
    lines += [f"wire {vec(own.width)}begun = {begun};",
              f"wire {vec(own.width)}prior = i_first ? (i_load ? begun : {zero}) : register;"]
    answers: dict[str, tuple[list[int], str]] = {}
    for kind, step in own.steps.items():
        one, label = own.sums[kind], f"step_{list(own.steps.values()).index(step)}"
        if label not in answers:
            operands = {**one.register.opened("", "prior"), **one.a.opened("a", "i_a"),
                        **one.b.opened("b", "i_b"), "absent": "i_absent"}
            lines.append(step.instance(label, operands))
            after = {n: step.answers(label)[f"next_{n}"] for n in one.state}
            answers[label] = [], _widened(one.register.closed(after, ""), one.register.width,
                                          own.width)
        answers[label][0].append(kind)
    chosen = [value for _, value in answers.values()]
    value = chosen[-1]
    for (kinds, vector) in list(answers.values())[:-1]:
        test = " | ".join(f"i_kind == 2'd{k}" for k in kinds)
        value = f"({test}) ? {vector} : {value}"
    lines += [f"assign register = {value};", "assign o_register = register;"]
    return module(name, "a lane of sums of products", ports, "\n".join(lines))


def _widened(vector: str, bits: int, to: int) -> str:
    return vector if bits == to else f"{{{to - bits}'d0, {vector}}}"
