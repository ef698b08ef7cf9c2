"""What cocotb runs around a core with AXI: images with pauses, a reset, other weights."""

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

JOB = json.loads(Path(os.environ["CORE_JOB"]).read_text())
CONTROL, STATUS, LOAD, IMAGES = 0, 4, 8, 12


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

    async def start(self):
        self.dut.aresetn.value = 0
        await ClockCycles(self.dut.aclk, 3)
        self.dut.aresetn.value = 1
        await RisingEdge(self.dut.aclk)

    def pause(self, seed):
        source = random.Random(seed)

        def some():
            while True:
                yield source.random() < 0.3

        self.source.set_pause_generator(some())
        self.sink.set_pause_generator(some())

    async def answers(self, images):
        """Send images as one batch after the other; return what the core answers of each."""
        await self.source.send(AxiStreamFrame(bytes(sum(images, []))))
        wide = JOB["bytes"]
        found = []
        for _ in images:
            data = bytes((await self.sink.recv()).tdata)
            found.append([int.from_bytes(data[k : k + wide], "little")
                          for k in range(0, len(data), wide)])
        return found


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def images_with_pauses_a_reset_and_other_weights(dut):
    bench = Bench(dut)
    await bench.start()
    images, wanted = JOB["images"], JOB["answers"]
    assert await bench.lite.read_dword(STATUS) == 0
    await bench.lite.write_dword(CONTROL, 1)
    bench.pause(1)
    assert await bench.answers(images) == wanted
    assert await bench.lite.read_dword(IMAGES) == len(images)

    bench.source.send_nowait(AxiStreamFrame(bytes(images[0])))
    await ClockCycles(dut.aclk, len(images[0]) // 2)
    bench.source.clear()
    await bench.start()
    await bench.lite.write_dword(CONTROL, 1)
    assert await bench.lite.read_dword(IMAGES) == 0
    assert await bench.answers(images) == wanted

    for word in JOB["load"]:
        await bench.lite.write_dword(LOAD, word)
    assert await bench.answers(images) == JOB["answers_loaded"]
    assert await bench.lite.read_dword(IMAGES) == 2 * len(images)
    Path(JOB["done"]).write_text(str(2 * len(images)))
