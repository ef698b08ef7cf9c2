"""A multiply-accumulate unit: one product a cycle, start and last mark a sum."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fxp.trace.bits import where
from fxp.trace.circuit import Circuit, trace
from verilog.design.design import Design, Words
from verilog.design.stimulus import operand_columns
from verilog.emit.header import header
from verilog.emit.lower import width_of
from verilog.emit.module import Port, machine
from verilog.units.macs import Mac

__all__ = ["group_answers", "held_at_ends", "mac_unit", "start_and_last"]

DOC = """Takes a word pair (a, b) a cycle. A pair with start begins a sum at the word init; any
other goes on with the register, zero after a reset. After a pair with last the sum is
rounded to a word and given out; the register keeps what it has."""


def mac_unit(name: str, summary: str, mac: Mac, settings: Mapping[str, str],
             memories: bool = False) -> Design:
    """Return the unit; its answers are those of the engine's kernel."""
    circuit = _circuit(name, mac)
    inputs = {k: (n.low, n.high) for k, n in circuit.inputs.items() if k not in mac.state}
    formats = {"a": mac.a, "b": mac.b, "init": mac.out}
    ports = (*(Port(f"i_{k}", width_of(*span), meaning=str(formats.get(k, "flag")))
               for k, span in inputs.items()),
             Port("o_out", width_of(*mac.out.words), True, str(mac.out)))
    state = dict(zip(mac.state, mac.zero))
    text = header(name, summary, DOC, settings, None, circuit, mac.spec)
    module = machine(name, text, circuit, ports, state, memories)

    def model(words: Words) -> Words:
        return {"out": group_answers(words, mac)}

    def stimulus(count: int, seed: int) -> Words:
        words = {**operand_columns(inputs, count, seed), **start_and_last(count, seed)}
        return held_at_ends(words, {"a": mac.a.words, "b": mac.b.words}, seed)

    return Design(name, summary, (module,), inputs, {"out": mac.out.words}, model, stimulus,
                  circuit, settings, clocked=True, latency=None, state=state)


def _circuit(name: str, mac: Mac) -> Circuit:
    def step(start, last, init, a, b, **state):
        before = tuple(where(start, new, old)
                       for new, old in zip(mac.start(init), state.values()))
        after = mac.step(before, a, b)
        return (*after, mac.finish(after), last)

    outputs = [*(f"next_{k}" for k in mac.state), "out", "done"]
    flag = (0, 1)
    ports = {"start": flag, "last": flag, "init": mac.out.words, "a": mac.a.words,
             "b": mac.b.words, **mac.state}
    return trace(step, ports, outputs=outputs, name=name)


def start_and_last(count: int, seed: int, longest: int = 24) -> Words:
    """Return flags that cut count words into sums of 1..longest words; some sums give
    a word half-way and go on. The first has no start, it goes on from a reset, and answers
    at once."""
    rng = np.random.default_rng(seed + 1)
    start, last = np.zeros(count, np.int64), np.zeros(count, np.int64)
    at = 0
    while at < count:
        end = min(at + int(rng.integers(1, longest, endpoint=True)), count)
        start[at] = last[end - 1] = 1
        if rng.random() < 0.2:
            last[at + int(rng.integers(0, end - at))] = 1
        at = end
    start[:1], last[:1] = 0, 1
    return {"start": start, "last": last}


def held_at_ends(words: Words, ports: Mapping[str, tuple[int, int]], seed: int) -> Words:
    """Return the words with those of some ports held at ends of their ranges through some of
    the sums, so that registers get to their own ends; the first word of each is a small
    power of two, so that what a reset leaves in a register is not lost in a large sum."""
    rng = np.random.default_rng(seed + 3)
    group = np.cumsum(words["start"])
    count = int(group.max(initial=0)) + 1
    held = rng.random(count) < 0.25
    found = dict(words)
    for name, span in ports.items():
        column = words[name]
        ends = rng.choice(span, (count, *column.shape[1:]))
        rows = held[group].reshape(-1, *[1] * (column.ndim - 1))
        found[name] = np.where(rows, ends[group], column)
        found[name][:1] = np.minimum(1 << rng.integers(0, 5, column[:1].shape), span[1])
    return found


def group_answers(words: Words, mac: Mac) -> np.ndarray:
    """Return the kernel's word for each `last`: init + the products since the `start`, or
    zero + those since the reset."""
    starts = np.maximum.accumulate(np.where(words["start"], np.arange(words["start"].size), 0))
    answers = []
    for end in np.flatnonzero(words["last"]):
        begin = starts[end]
        part = slice(begin, end + 1)
        init = words["init"][begin] if words["start"][begin] else mac.zero_word
        a, b = words["a"][part][None, :], words["b"][part][:, None]
        answers.append(int(mac.multiply(a, b, np.array([[init]]))[0, 0]))
    return np.array(answers, np.int64)
