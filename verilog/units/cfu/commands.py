"""Commands of a custom function unit: what each does to its registers and answers, as a spec.

A unit is a list of commands over some registers. From it come the circuit of one command,
its Verilog (a machine that takes a command a cycle and answers in the next), its model, its
emulation in C and its table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fxp.trace.bits import where
from fxp.trace.circuit import Circuit, evaluate, trace
from verilog.design.design import Design, Words
from verilog.design.stimulus import operand_columns
from verilog.emit.header import header
from verilog.emit.module import Port, machine

__all__ = ["ANY", "INPUTS", "Command", "Operand", "command_unit", "packed", "word_of"]

WORD = (1 << 32) - 1
ANY = (0, WORD)  # what a register of the processor holds
INPUTS = {"function": (0, (1 << 10) - 1), "inputs_0": ANY, "inputs_1": ANY}
State = Mapping[str, Any]


@dataclass(frozen=True)
class Operand:
    """Bits low..low+bits-1 of one input register of a command: its name and what it means."""

    name: str
    register: int
    bits: int = 32
    low: int = 0
    meaning: str = ""

    @property
    def place(self) -> str:
        """Return where it is, as inputs_0[7:0]."""
        return f"inputs_{self.register}[{self.low + self.bits - 1}:{self.low}]"


@dataclass(frozen=True)
class Command:
    """One command, chosen by funct3 and funct7.

    apply(inputs_0, inputs_1, state) returns the registers that change and the answer, of
    which the low 32 bits are given; gives says what that is, nothing for 0.
    """

    name: str
    summary: str
    funct3: int
    operands: tuple[Operand, ...]
    apply: Callable[[Any, Any, State], tuple[Mapping[str, Any], Any]]
    gives: str = ""
    funct7: int = 0

    @property
    def code(self) -> int:
        """The function id: {funct7, funct3}."""
        return self.funct7 << 3 | self.funct3


def word_of(register, low: int, high: int):
    """Return the word of range low..high (two's complement if low is negative) that the low
    bits of a register of the processor hold."""
    if low >= 0:
        return register & ((1 << high.bit_length()) - 1)
    half = 1 << max((-low - 1).bit_length(), high.bit_length())
    return ((register & (2 * half - 1)) ^ half) - half


def packed(register, low: int, bits: int, signed: bool = False):
    """Return bits low..low+bits-1 of a register, as a number."""
    field = (register >> low) & ((1 << bits) - 1)
    half = 1 << (bits - 1)
    return (field ^ half) - half if signed else field


def command_unit(name: str, summary: str, doc: str, commands: Sequence[Command],
                 state: Mapping[str, tuple[int, int]], reset: Mapping[str, int],
                 settings: Mapping[str, str], spec: Callable, memories: bool = False) -> Design:
    """Return the unit with ports function, inputs_0, inputs_1 and word.

    state gives each register its range, reset its value after a reset.
    """
    circuit = _circuit(name, commands, state)
    ports = (Port("i_function", 10, meaning="{funct7, funct3}"), Port("i_inputs_0", 32),
             Port("i_inputs_1", 32), Port("o_word", 32, True))
    text = header(name, summary, doc, settings, None, circuit, spec)
    module = machine(name, text, circuit, ports, reset, memories)

    def model(words: Words) -> Words:
        return {"word": run_commands(circuit, reset, words)}

    def stimulus(count: int, seed: int) -> Words:
        return _stimulus(commands, count, seed)

    return Design(name, summary, (module,), INPUTS, {"word": ANY}, model, stimulus, circuit,
                  settings, clocked=True, latency=None, state=dict(reset))


def _circuit(name: str, commands: Sequence[Command], state: Mapping[str, tuple[int, int]]
             ) -> Circuit:
    def step(function, inputs_0, inputs_1, **registers):
        after, word = dict(registers), 0
        for command in commands:
            chosen = function == command.code
            changes, answer = command.apply(inputs_0, inputs_1, registers)
            after.update({k: where(chosen, new, after[k]) for k, new in changes.items()})
            word = where(chosen, answer & WORD, word)
        return (*after.values(), word, 1)

    outputs = [*(f"next_{k}" for k in state), "word", "done"]
    return trace(step, {**INPUTS, **state}, outputs=outputs, name=name)


def run_commands(circuit: Circuit, reset: Mapping[str, int], words: Words) -> np.ndarray:
    """Return the answer to each command, one after the other from a reset, int64."""
    registers, answers = dict(reset), []
    for row in zip(*(words[k].tolist() for k in INPUTS)):
        *after, word, _ = evaluate(circuit, **dict(zip(INPUTS, row)), **registers)
        registers = dict(zip(reset, map(int, after)))
        answers.append(int(word))
    return np.array(answers, np.int64)


def _stimulus(commands: Sequence[Command], count: int, seed: int) -> Words:
    """Return commands at random, now and then one that is none; those that change a sum the
    most often, and operands of few bits as well as corners."""
    rng = np.random.default_rng(seed + 5)
    codes = np.array([c.code for c in commands])
    function = rng.choice(codes, count)
    odd = rng.random(count) < 0.05
    words = operand_columns({k: INPUTS[k] for k in ("inputs_0", "inputs_1")}, count, seed)
    small = rng.random(count) < 0.3
    return {"function": np.where(odd, rng.integers(0, 1 << 10, count), function),
            **{k: np.where(small, column & 0x07070707, column) for k, column in words.items()}}
