"""Inside the simulator: a trainer fed with gaps, read with waits, reset in mid-image.

The folder named by TRAINER_BENCH has job.npz: words before, after each step, and batches.
"""

import json
import os
import random
from pathlib import Path

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

FOLDER = Path(os.environ["TRAINER_BENCH"])
JOB = np.load(FOLDER / "job.npz")
PATIENCE = 20_000


class Driver:
    """What a user of the core does; every wait is of a random length."""

    def __init__(self, dut):
        self.dut, self.random = dut, random.Random(3)
        self.edge = FallingEdge(dut.i_clk)
        self.steps = 0

    async def cycle(self):
        self.steps += int(self.dut.o_done.value)
        await self.edge

    async def reset(self):
        for name in ("i_valid", "i_weight_valid", "i_read", "i_weight_ready", "i_last"):
            getattr(self.dut, name).value = 0
        self.dut.i_rst.value = 1
        for _ in range(3):
            await self.edge
        self.dut.i_rst.value = 0
        await self.edge

    async def offer(self, valid, ready):
        """Offer a word until it is taken, after some cycles without."""
        while self.random.random() < 0.3:
            await self.cycle()
        valid.value = 1
        for _ in range(PATIENCE):
            self.steps += int(self.dut.o_done.value)
            taken = int(ready.value)
            await self.edge
            if taken:
                valid.value = 0
                return
        raise AssertionError("nothing is taken")

    async def load(self, words):
        for word in words:
            self.dut.i_weight.value = int(word)
            await self.offer(self.dut.i_weight_valid, self.dut.o_weight_ready)
        for _ in range(4):
            await self.cycle()

    async def image(self, pixels, label, last):
        for pixel in pixels:
            self.dut.i_pixel.value = int(pixel)
            self.dut.i_label.value = int(label)
            self.dut.i_last.value = int(last)
            await self.offer(self.dut.i_valid, self.dut.o_ready)

    async def batch(self, number):
        pixels, labels = JOB[f"pixels{number}"], JOB[f"labels{number}"]
        for i, (row, label) in enumerate(zip(pixels, labels)):
            await self.image(row, label, i == len(labels) - 1)

    async def ask(self):
        self.dut.i_read.value = 1
        await self.cycle()
        self.dut.i_read.value = 0

    async def words(self, count):
        found = []
        for _ in range(PATIENCE):
            ready = self.random.random() < 0.6
            self.dut.i_weight_ready.value = ready
            self.steps += int(self.dut.o_done.value)
            if ready and int(self.dut.o_weight_valid.value):
                found.append(str(self.dut.o_weight.value))
                assert int(self.dut.o_weight_last.value) == (len(found) == count)
            await self.edge
            if len(found) == count:
                self.dut.i_weight_ready.value = 0
                return found
        raise AssertionError(f"{len(found)} of {count} words were given")

    async def until(self, steps):
        for _ in range(PATIENCE):
            if self.steps >= steps:
                return
            await self.cycle()
        raise AssertionError(f"{self.steps} of {steps} steps were done")


@cocotb.test()
async def gaps_waits_resets(dut):
    """Five steps, each judged; then the first again from weights loaded anew."""
    driver, compared = Driver(dut), 0
    bits = len(dut.o_weight)

    async def judged(golden):
        nonlocal compared
        found = await driver.words(len(golden))
        wanted = [f"{int(w) & ((1 << bits) - 1):0{bits}b}" for w in golden]
        wrong = [i for i, (f, w) in enumerate(zip(found, wanted)) if f != w]
        assert not wrong, f"{len(wrong)} words differ, the first {wrong[0]}"
        compared += len(golden)

    cocotb.start_soon(Clock(dut.i_clk, 10, "ns").start(start_high=False))
    await driver.reset()
    await driver.load(JOB["before"])
    await driver.ask()
    await judged(JOB["before"])
    for number in range(5):
        if number == 2:  # half of a batch is forgotten
            await driver.image(JOB["pixels0"][0], 1, False)
            await driver.image(JOB["pixels0"][1][:7], 0, False)
            await driver.reset()
        await driver.batch(number)
        while not int(dut.o_busy.value):
            await driver.cycle()
        if number != 3:
            await driver.until(number + 1)
            await driver.ask()
            await judged(JOB[f"after{number}"])
            continue
        await driver.ask()  # during a step, while the next batch waits for its end
        await driver.batch(4)
        await judged(JOB["after3"])
        await driver.until(5)
        await driver.ask()
        await judged(JOB["after4"])
        break
    await driver.load(JOB["before"])
    await driver.batch(0)
    await driver.until(6)
    await driver.ask()
    await judged(JOB["after0"])
    (FOLDER / "result.json").write_text(json.dumps({"compared": compared, "steps": driver.steps}))
