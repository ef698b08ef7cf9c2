"""The bench inside the simulator: one set of cocotb tests for all designs.

`verilog.simulate.icarus` starts it and names a folder in LNSARITH_BENCH: job.json and
job.bin there hold the words and answers of every phase, result.json receives what came
of it. A cycle changes the inputs at the falling edge and looks at the outputs right before
the rising one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import chain, repeat

import cocotb
from cocotb.triggers import Timer

from verilog.simulate.bench_check import META, Checker, columns

LATENCY: int | None = META["latency"]
SPARE: int = META["drain"]  # cycles in which a design surely fills or drains
PATIENCE = 1000 + 20 * SPARE  # cycles without a word or answer, then a design is stuck
FLOWING = 6  # cycles at full speed before the first stall
RESETS = 8  # in the middle of the stream


@cocotb.test(skip="words" not in META["phases"])
async def words(dut):
    """Every word in, its answer out; no clock."""
    checker = Checker(dut, "words")
    inputs = columns("words", "i_")
    writes = [getattr(dut, name).set for name in inputs]
    settle = Timer(10, "ns")
    began = time.perf_counter()
    for given in zip(*inputs.values()):
        for write, word in zip(writes, given):
            write(word)
        await settle
        checker.check(checker.sample())
    checker.finish(time.perf_counter() - began, 0)


class Line:
    """A driven bit that is written only when it changes."""

    def __init__(self, handle):
        self.handle = handle
        self.level = -1

    def put(self, level: int) -> None:
        if level != self.level:
            self.level = level
            self.handle.set(level)


class Bench:
    """Driver and monitor of a design with valid and ready, a cycle at a time."""

    def __init__(self, dut, phase: str, exact: bool = False):
        self.checker = Checker(dut, phase)
        inputs = columns(phase, "i_")
        self.data = [getattr(dut, name) for name in inputs]
        self.words = list(zip(*inputs.values()))
        self.nothing = tuple("X" * META["widths"][name] for name in inputs)
        lines = ("i_clk", "i_rst", "i_valid", "i_ready")
        self.clock, self.rst, self.valid, self.ready = (Line(getattr(dut, n)) for n in lines)
        self.o_ready, self.o_valid = dut.o_ready.get, dut.o_valid.get
        self.half = Timer(5, "ns")
        self.exact = exact  # every answer comes exactly LATENCY cycles after its word
        self.began = time.perf_counter()
        self.cycles = 0
        self.restart()

    def restart(self) -> None:
        """Forget what is on its way."""
        self.sent = self.checker.got = 0
        self.accepted_at: list[int] = []
        self.pending = False  # a word is offered and not yet accepted
        self.driven: object = None
        self.held: tuple | None = None

    async def reset(self, cycles: int = 2, take: bool = False) -> None:
        """Reset for some cycles, in which no answer counts and no word that is offered."""
        self.rst.put(1)
        self.valid.put(1)
        self.ready.put(int(take))
        self._drive(self.words[self.sent % len(self.words)])
        for _ in range(cycles):
            await self._clock()
        self.rst.put(0)
        self.valid.put(0)
        self.restart()

    async def _clock(self) -> None:
        self.clock.put(0)
        await self.half
        self.clock.put(1)
        await self.half
        self.cycles += 1

    def _drive(self, word: tuple) -> None:
        if word is not self.driven:
            self.driven = word
            for handle, value in zip(self.data, word):
                handle.set(value)

    async def cycle(self, offer: bool, take: bool) -> bool:
        """Let a cycle pass; return whether a word or an answer moved.

        A word once offered stays until it is accepted. Without one, the data are X:
        a design that uses them shows it.
        """
        offer = self.sent < len(self.words) and (offer or self.pending)
        self.valid.put(int(offer))
        self._drive(self.words[self.sent] if offer else self.nothing)
        self.ready.put(int(take))
        self.clock.put(0)
        await self.half
        moved = self._watch(offer, take)
        self.clock.put(1)
        await self.half
        self.cycles += 1
        return moved

    def _watch(self, offer: bool, take: bool) -> bool:
        """Look at both sides before the rising edge."""
        try:
            # A ready that depends on the data means nothing while none are offered.
            ready, valid = int(self.o_ready()) if offer else 0, int(self.o_valid())
        except ValueError:
            self.checker.fault(f"cycle {self.cycles}: o_ready {self.o_ready()}, "
                               f"o_valid {self.o_valid()}")
            return False
        answer = self.checker.sample() if valid else None
        if self.held is not None and answer != self.held:
            self.checker.fault(f"cycle {self.cycles}: an answer changed before it was taken, "
                               f"{self.held} to {answer}")
        self.held = None if take else answer
        if valid and take:
            self._time(self.checker.got)
            self.checker.check(answer or ())
        accepted = bool(offer and ready)
        self.pending = offer and not accepted
        if accepted:
            self.sent += 1
            self.accepted_at.append(self.cycles)
        return accepted or bool(valid and take and self.checker.got <= self.checker.count)

    def _time(self, index: int) -> None:
        """Check when an answer comes, where a design says it."""
        if LATENCY is None or index >= len(self.words):
            return
        if index >= len(self.accepted_at):
            self.checker.fault(f"cycle {self.cycles}: answer {index} before its word")
            return
        took = self.cycles - self.accepted_at[index]
        if took < LATENCY or (self.exact and took > LATENCY):
            self.checker.fault(f"answer {index} came after {took} cycles, not {LATENCY}")

    async def stream(self, stalls: Iterator[tuple[bool, bool]]) -> None:
        """Send every word and take every answer; then nothing more may come."""
        waited, start = 0, self.cycles
        while waited < PATIENCE and (self.sent < len(self.words)
                                     or self.checker.got < self.checker.count):
            waited = 0 if await self.cycle(*next(stalls)) else waited + 1
        took = self.cycles - start
        if waited >= PATIENCE:
            self.checker.fault(f"stuck for {waited} cycles after {self.sent} words "
                               f"and {self.checker.got} answers")
        elif self.exact and took != len(self.words) + SPARE:
            self.checker.fault(f"{len(self.words)} words took {took} cycles, "
                               f"not {len(self.words)} + {SPARE}")
        for _ in range(SPARE + 8):
            await self.cycle(False, True)

    async def fill(self) -> None:
        """Let one answer wait and offer words behind it: each stage has to take one."""
        for _ in range(2 * SPARE):
            await self.cycle(not self.sent, False)
        for _ in range(2 * SPARE):
            await self.cycle(True, False)
        if LATENCY is not None and self.sent < min(LATENCY, len(self.words)):
            self.checker.fault(f"while the answer waits, {LATENCY} stages take {self.sent} words")

    def finish(self) -> None:
        self.checker.finish(time.perf_counter() - self.began, self.cycles)


def stalls(seed: int) -> Iterator[tuple[bool, bool]]:
    """Yield whether to offer and to take: seldom, often or always, for some cycles each."""
    source = random.Random(seed)
    while True:
        offer, take = source.choice((0.2, 0.6, 1)), source.choice((0.2, 0.6, 1))
        for _ in range(source.randint(4, 40)):
            yield source.random() < offer, source.random() < take


@cocotb.test(skip="full speed" not in META["phases"])
async def full_speed(dut):
    """Both sides always ready: a word a cycle, each answer after the latency."""
    bench = Bench(dut, "full speed", exact=LATENCY is not None)
    await bench.reset()
    await bench.stream(repeat((True, True)))
    bench.finish()


@cocotb.test(skip="stalls" not in META["phases"])
async def random_stalls(dut):
    """Random gaps and random waiting: same answers in the same order, held until taken."""
    bench = Bench(dut, "stalls")
    await bench.reset()
    await bench.stream(chain(repeat((True, True), FLOWING), stalls(META["seed"])))
    bench.finish()


@cocotb.test(skip="patient" not in META["phases"])
async def ready_after_valid(dut):
    """The other side is ready only once it saw an answer, however long the first one waits:
    a design that waits for it never gives one."""
    bench = Bench(dut, "patient")
    await bench.reset()
    await bench.fill()

    def patient() -> Iterator[tuple[bool, bool]]:
        for offer, _ in stalls(META["seed"] + 2):
            yield offer, bench.held is not None

    await bench.stream(patient())
    bench.finish()


@cocotb.test(skip="reset" not in META["phases"])
async def reset_mid_stream(dut):
    """Resets while words are on their way, some while the output waits: nothing stale comes
    out, neither before the next words nor among their answers."""
    bench = Bench(dut, "reset")
    await bench.reset()
    pattern = stalls(META["seed"] + 1)
    for number in range(RESETS):
        until = bench.cycles + PATIENCE
        while bench.sent < len(bench.words) // (number + 2) and bench.cycles < until:
            await bench.cycle(*next(pattern))
        for _ in range(0 if number % 2 else SPARE + 2):
            await bench.cycle(True, False)
        await bench.reset(1 + number // 2 % 2, take=bool(number % 2))
        for _ in range(SPARE + 8 if number % 4 < 2 else 0):
            await bench.cycle(False, True)
    await bench.stream(pattern)
    bench.finish()
