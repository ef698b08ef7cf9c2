"""What clocked designs are to do: machines that take a word and have its answers at once.

A reference has the registers that outlive a word (`keeps`, their values after a reset)
and no others. Its steps are those of the design's own Verilog, or of an array's element,
alone and at full speed; that these are the circuit's is proved apart from this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from verilog.design.design import Design
from verilog.prove.clocked.streams import FULL, Answers, Wires, data_of, is_one, word_of
from verilog.prove.netlist import Netlist
from verilog.prove.smt import Formula, constant

__all__ = ["ArrayReference", "FlowReference", "Reference", "reference_of"]

FLOWS = {"i_valid": "#b1", "i_ready": "#b1", "i_rst": "#b0"}


@dataclass(frozen=True)
class Reference:
    """delay is the clocks from a word to its first answer, clocks those to its last one,
    waits how long a word may be refused though no answer waits, all at full speed. spaced
    tells whether registers have to fit together, as those do that keep answers apart."""

    net: Netlist
    keeps: Mapping[str, int]
    delay: int
    clocks: int
    waits: int = 0
    spaced: bool = False

    def after_reset(self) -> dict[str, str]:
        """Return the registers' terms."""
        return {k: constant(value, self.net.widths[k]) for k, value in self.keeps.items()}

    def take(self, formula: Formula, before: Wires, step: Wires) -> tuple[dict, Answers]:
        """Return the registers after the data of a step were taken, and the answers."""
        raise NotImplementedError


@dataclass(frozen=True)
class FlowReference(Reference):
    """Of a pipeline, or of a machine, where it varies whether a word has an answer."""

    varies: bool = False

    def take(self, formula: Formula, before: Wires, step: Wires) -> tuple[dict, Answers]:
        first = {**before, **data_of(self.net, step), **FLOWS}
        steps = self.net.unroll(formula, [first, *[FULL] * self.delay])
        given = is_one(steps[-1]["o_valid"]) if self.varies else "true"
        return ({k: steps[1][k] for k in self.keeps},
                [(formula.define("Bool", given), word_of(self.net, steps[-1]))])


@dataclass(frozen=True)
class ArrayReference(Reference):
    """Of an array: its elements, each asked alone, and nothing between them."""

    design: Design = field(kw_only=True)
    parts: Mapping[str, Netlist] = field(kw_only=True)  # by the last part of their names

    def take(self, formula: Formula, before: Wires, step: Wires) -> tuple[dict, Answers]:
        array = self.design.array
        assert array is not None
        lanes = {port: [f"((_ extract {(k + 1) * width - 1} {k * width}) {step[f'i_{port}']})"
                        for k in range(count)]
                 for port, (count, width) in self.design.lanes.items() if port != "out"}
        take = self._passing if array.moving else self._staying
        after, rows, given = take(formula, before, step, lanes, array.rows, array.columns)
        return after, [(given, f"(concat {' '.join(row[::-1])})" if len(row) > 1 else row[0])
                       for row in rows]

    def _staying(self, formula, before, step, lanes, rows, columns):
        """Take a step of every sum; with last each row of them is an answer."""
        element = self.parts["pe"]
        after: dict[str, str] = {}
        words: list = []
        for r in range(rows):
            words.append([])
            for c in range(columns):
                own = _inside(before, f"pe_{r}_{c}.")
                done = element.unroll(formula, [{
                    **own, "i_enable": "#b1", "i_valid": "#b1", "i_last": "#b1", "i_rst": "#b0",
                    "i_start": step["i_start"], "i_a": lanes["a"][r], "i_b": lanes["b"][c]}, {}])[1]
                words[-1].append(done["o_out"])
                after |= {f"pe_{r}_{c}.{k}": done[k] for k in own}
        return after, words, is_one(step["i_last"])

    def _passing(self, formula, before, step, lanes, rows, columns):
        """Swap, let sums go down the columns, load."""
        element = self.parts["pe"]
        after: dict[str, str] = {}
        words: list = []
        for c in range(columns):
            begun = self.parts["start"].unroll(formula, [{"i_init": lanes["init"][c]}])[0]
            sums = {k[2:]: term for k, term in begun.items() if k.startswith("o_")}
            above = lanes["w"][c]
            for r in range(rows):
                own = _inside(before, f"pe_{r}_{c}.")
                asked, done = element.unroll(formula, [{
                    **own, "i_enable": "#b1", "i_rst": "#b0", "i_swap": step["i_swap"],
                    "i_a": lanes["a"][r], **{f"i_{k}": term for k, term in sums.items()}}, {}])
                sums = {k: done[f"o_{k}"] for k in sums}
                moves = {"shadow": ("i_load", above), "active": ("i_swap", asked["shadow"])}
                after |= {f"pe_{r}_{c}.{k}": f"(ite {is_one(step[flag])} {new} {own[k]})"
                          for k, (flag, new) in moves.items() if k in own}
                above = asked["shadow"]
            ended = self.parts["finish"].unroll(formula, [{
                f"i_{k}": term for k, term in sums.items()}])[0]
            words.append(ended["o_out"])
        return after, [words], is_one(step["i_go"])


def reference_of(design: Design, net: Netlist, parts: Mapping[str, Netlist]) -> Reference:
    """Return what a clocked design is to do; parts are the netlists below an array.

    A register that Yosys took away, as nothing depends on it, is not kept: where the
    circuit needs it, the proofs that the Verilog is the circuit fail.
    """
    array, has = design.array, set(net.registers)
    if array is None:
        keeps = {k: value for k, value in design.state.items() if k in has}
        return FlowReference(net, keeps, design.latency or 1, design.latency or 1,
                             varies=bool(design.state))
    keeps = {f"pe_{r}_{c}.{k}": value for r in range(array.rows) for c in range(array.columns)
             for k, value in array.reset.items() if f"pe_{r}_{c}.{k}" in has}
    delay = array.rows + array.columns - 1 if array.moving else array.columns
    return ArrayReference(net, keeps, delay, array.rows + array.columns - 1,
                          0 if array.moving else max(array.rows, array.columns) - 1,
                          not array.moving, design=design, parts=parts)


def _inside(registers: Wires, place: str) -> dict[str, str]:
    return {k.removeprefix(place): term for k, term in registers.items() if k.startswith(place)}
