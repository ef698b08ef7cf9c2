"""Sequencers: a traced function of registers and inputs, as a clocked module.

A sequencer is a plain function in the vocabulary of specs, so that it runs in Python too,
its registers are as wide as they must be, and mutants of it are those of its circuit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fxp.trace.circuit import Circuit, trace
from verilog.core.parts.text import banner
from verilog.core.parts.wiring import wired
from verilog.emit import syntax as v
from verilog.emit.lower import Lowering, width_of
from verilog.emit.module import CLOCK, Module, Port, module_body

__all__ = ["Controller", "controller"]


@dataclass(frozen=True)
class Controller:
    """A sequencer: its circuit, its registers with their values after a reset, its module."""

    circuit: Circuit
    state: Mapping[str, int]
    module: Module


def controller(name: str, summary: str, function: Callable, state: Mapping[str, tuple[int, int]],
               inputs: Mapping[str, tuple[int, int]], outputs: tuple[str, ...],
               reset: Mapping[str, int] | None = None, circuit: Circuit | None = None
               ) -> Controller:
    """Return the sequencer of function(**state, **inputs) -> (next state, outputs), two
    mappings by name. Registers start at their lowest values, unless reset tells others.
    circuit, if given, stands in for that of the function (a mutant of it, say)."""
    values = {k: low for k, (low, _) in state.items()} | dict(reset or {})

    def step(**given):
        following, found = function(**given)
        return (*(following[k] for k in state), *(found[k] for k in outputs))

    circuit = circuit or trace(step, {**state, **inputs},
                               outputs=[*(f"next_{k}" for k in state), *outputs], name=name)
    for k, (low, high) in state.items():
        node = circuit.outputs[f"next_{k}"]
        assert low <= node.low and node.high <= high, f"{name}: {k} becomes {node.low}..{node.high}"
    ports = (*CLOCK, *(Port(f"i_{k}", width_of(*span)) for k, span in inputs.items()),
             *(Port(f"o_{k}", width_of(circuit.outputs[k].low, circuit.outputs[k].high), True)
               for k in outputs))
    body = module_body(ports)
    registers = {k: body.reg(k, width_of(*span)) for k, span in state.items()}
    sources = {**{k: f"i_{k}" for k in inputs}, **registers}
    lowering = Lowering(circuit, body, sources)
    moves = [v.nonblocking(r, lowering.output(circuit.outputs[f"next_{k}"], body.widths[r]))
             for k, r in registers.items()]
    clear = [v.nonblocking(r, v.constant(values[k], body.widths[r]))
             for k, r in registers.items()]
    body.add(v.always(moves, reset=clear))
    for p in ports:
        if p.output:
            body.add(v.assign(p.name, lowering.output(circuit.outputs[p.name[2:]], p.width)))
    return Controller(circuit, values, wired(name, banner(name, summary), ports, body))
