"""What cocotb runs around a trainer with AXI: weights, batches with pauses, a reset, weights."""

import json
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

JOB = json.loads(Path(os.environ["TRAINER_JOB"]).read_text())
CONTROL, STATUS, LOAD, STEPS, RATE = 0, 4, 8, 12, 16
TAKE, GIVE = 1, 4


class Bench:
    def __init__(self, dut):
        self.dut = dut
        cocotb.start_soon(Clock(dut.aclk, 10, "ns").start())
        given = dict(reset_active_level=False)
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.aclk,
                                      dut.aresetn, **given)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.aclk,
                                  dut.aresetn, **given)
        self.lite = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.aclk, dut.aresetn,
                                  **given)
        for number, end in enumerate((self.source, self.sink)):
            end.set_pause_generator(self.pauses(number))

    @staticmethod
    def pauses(seed):
        source = random.Random(seed)
        while True:
            yield source.random() < 0.3

    async def start(self):
        self.dut.aresetn.value = 0
        await ClockCycles(self.dut.aclk, 3)
        self.dut.aresetn.value = 1
        await RisingEdge(self.dut.aclk)

    async def train(self, number):
        """Send a batch, which its last label ends, and wait for its step."""
        done = await self.lite.read_dword(STEPS)
        if JOB["rates"]:
            await self.lite.write_dword(RATE, JOB["rates"][number])
        await self.source.send(AxiStreamFrame(bytes(JOB["batches"][number])))
        while await self.lite.read_dword(STEPS) == done:
            pass

    async def words(self):
        await self.lite.write_dword(CONTROL, TAKE | GIVE)
        data, wide = bytes((await self.sink.recv()).tdata), JOB["bytes"]
        return [int.from_bytes(data[k : k + wide], "little") for k in range(0, len(data), wide)]


@cocotb.test(timeout_time=200, timeout_unit="us")
async def weights_batches_a_reset(dut):
    bench = Bench(dut)
    await bench.start()
    for word in JOB["before"]:
        await bench.lite.write_dword(LOAD, word)
    assert await bench.words() == JOB["before"]
    await bench.train(0)
    assert await bench.lite.read_dword(STATUS) == 0
    assert await bench.words() == JOB["after"][0]
    bench.source.send_nowait(AxiStreamFrame(bytes(JOB["batches"][0][:JOB["half"]])))
    await ClockCycles(dut.aclk, 2 * JOB["half"])
    bench.source.clear()
    await bench.start()
    await bench.lite.write_dword(CONTROL, TAKE)
    assert await bench.lite.read_dword(STEPS) == 0
    await bench.train(1)
    assert await bench.lite.read_dword(STEPS) == 1
    assert await bench.words() == JOB["after"][1]
    Path(JOB["done"]).write_text("2")
