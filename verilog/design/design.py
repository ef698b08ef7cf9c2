"""Designs: what can be generated, with its ports, its model and its operands to try.

A design is one row of `lnsarith rtl list` in one format: modules, and what judges
them. The model of an operator is its compiled kernel; a simulation feeds words to
both and compares them in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from fxp.run.backend import elementwise
from fxp.trace.circuit import Circuit
from lnsarith.catalogue.operator import Operator
from verilog.design.covering import words_for
from verilog.design.name import design_name
from verilog.emit.header import header
from verilog.emit.lower import width_of
from verilog.emit.module import Module, Port, combinational, pipelined
from verilog.emit.pipeline import stages_of

__all__ = ["Array", "Design", "Words", "operator_design"]

Words = dict[str, np.ndarray]


@dataclass(frozen=True)
class Array:
    """What an array is made of: rows x columns elements, each with the registers `reset`
    (their values after a reset), and modules at the ends of sums with their circuits.

    moving tells whether weights go through it, with sums that pass, or sums stay.
    """

    rows: int
    columns: int
    moving: bool
    reset: Mapping[str, int]
    ends: Mapping[str, Circuit] = field(default_factory=dict)


@dataclass(frozen=True)
class Design:
    """A top module with everything below it.

    inputs and outputs give the range of words of every data port by its plain name
    (x for i_x, out for o_out). A clocked design takes and gives words by valid and
    ready; latency is the cycles from a word to its answer, None if that varies.
    model(words) returns the answers, in order, as int64 arrays; stimulus(count,
    seed) returns words to try. Without a clock, answers stand beside their words.
    circuit is what one step or one word computes, state its registers and their
    values after a reset. lanes says of a port that is several words side by side,
    the first in the lowest bits, how many there are and their bits; its arrays have
    a column for each. array is what an array is made of, places where each operand is
    in the registers of a custom function unit: register, lowest bit, bits. ignored are
    inputs that no answer depends on. commands are those of a custom function unit
    (`verilog.units.cfu.commands`), texts what goes with it: C, by file name.
    """

    name: str
    summary: str
    modules: tuple[Module, ...]
    inputs: Mapping[str, tuple[int, int]]
    outputs: Mapping[str, tuple[int, int]]
    model: Callable[[Words], Words]
    stimulus: Callable[[int, int], Words]
    circuit: Circuit
    settings: Mapping[str, str] = field(default_factory=dict)
    clocked: bool = False
    latency: int | None = 0
    state: Mapping[str, int] = field(default_factory=dict)
    lanes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    array: Array | None = None
    places: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    commands: tuple = ()
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def top(self) -> Module:
        return self.modules[-1]

    @property
    def drain(self) -> int:
        """Cycles without waiting in which the design surely fills or empties."""
        wide = sum(count for count, _ in self.lanes.values())
        return 8 + wide if self.latency is None else self.latency

    @property
    def files(self) -> dict[str, str]:
        """The text of every file, by name: modules and memories."""
        texts = {f"{m.name}.v": m.text for m in self.modules}
        return texts | {k: text for m in self.modules for k, text in m.files.items()}


def operator_design(operator: Operator, f, options: Mapping | None = None, latency: int = 0,
                    target_ns: float | None = None, memories: bool = False,
                    name: str | None = None) -> Design:
    """Return an operator of the catalogue as a design.

    Combinational with latency 0, else pipelined; target_ns chooses the latency by
    the estimated delay of a stage. memories reads tables from hex files. Raises
    FormatError for what cannot be.
    """
    options = options or {}
    circuit = operator.circuit(f, **options)
    settings = {k: str(value) for k, value in
                {"format": f, **operator.settings(options)}.items()}
    stages, latency = stages_of(circuit, latency, target_ns)
    ports = operator_ports(operator, f, options)
    name = name or design_name(operator.name, f, operator.options, operator.settings(options),
                               latency, memories)
    text = header(name, operator.summary, operator.doc, settings, latency, circuit, operator.spec)
    module = (pipelined(name, text, circuit, ports, stages, latency, memories) if latency
              else combinational(name, text, circuit, ports, memories))
    ranges = operator.ports(f, **options)

    def model(words: Words) -> Words:
        return {"out": elementwise(circuit, words).astype(np.int64)}

    def stimulus(count: int, seed: int) -> Words:
        return words_for(circuit, ranges, count, seed)

    return Design(name, operator.summary, (module,), ranges,
                  {"out": operator.output_format(f, **options).words}, model, stimulus, circuit,
                  settings, bool(latency), latency)


def operator_ports(operator: Operator, f, options: Mapping) -> tuple[Port, ...]:
    """Return the ports of an operator's module: i_<operand>, o_out."""
    formats = operator.port_formats(f, **options)
    ports = [Port(f"i_{k}", width_of(*span), meaning=str(formats.get(k, "uniform random bits")))
             for k, span in operator.ports(f, **options).items()]
    out = operator.output_format(f, **options)
    return (*ports, Port("o_out", width_of(*out.words), True, str(out)))
