"""Registers behind block memories become the blocks' own, and no others do."""

import copy
import json

import pytest
from helpers.hardware.cores import core_of, small, written
from helpers.hardware.ecp5_cells import gates_of

from verilog import tools
from verilog.core.parts.memory import memory
from verilog.cost.cores import map_core
from verilog.cost.output_registers import absorb, absorb_registers


def mapped(folder, latency):
    """Return the netlist of a memory of 1024 rows of 20 bits."""
    made = memory("m", 20, 1024, latency=latency).module
    (folder / "m.v").write_text(made.text)
    (folder / "run.ys").write_text("read_verilog m.v\nsynth_ecp5 -top m -json m.json\n")
    tools.run([tools.yowasp("yosys"), "-q", "-s", "run.ys"], cwd=folder, seconds=200)
    return folder / "m.json"


def kinds(netlist, kind):
    return [c for c in netlist["modules"]["m"]["cells"].values() if c["type"] == kind]


def test_a_register_behind_each_block_becomes_the_blocks(tmp_path):
    file = mapped(tmp_path, 2)
    before = json.loads(file.read_text())
    assert len(kinds(before, "TRELLIS_FF")) == 20 == absorb(file, "m")
    after = json.loads(file.read_text())
    assert not kinds(after, "TRELLIS_FF")
    blocks = kinds(after, "DP16KD")
    assert len(blocks) == 2 and all(c["parameters"]["REGMODE_B"] == "OUTREG" for c in blocks)
    port = set(after["modules"]["m"]["ports"]["o_data"]["bits"])
    assert port == {b for c in blocks for k, bits in c["connections"].items()
                    if k.startswith("DOB") for b in bits} & port
    assert absorb_registers(after, "m") == 0  # a block has one output register
    for change in (enabled, cleared, with_another_taker, of_another_clock):
        wrong = copy.deepcopy(before)
        change(wrong["modules"]["m"]["cells"])
        left = absorb_registers(wrong, "m")
        assert 0 < left < 20 or change is of_another_clock and left == 0, change


def one(cells):
    return next(c for c in cells.values() if c["type"] == "TRELLIS_FF")


def enabled(cells):
    one(cells)["parameters"]["CEMUX"] = "CE"


def cleared(cells):
    one(cells)["connections"]["LSR"] = [999]


def with_another_taker(cells):
    cells["more"] = {"type": "LUT4", "connections": {"A": one(cells)["connections"]["DI"]},
                     "port_directions": {"A": "input"}}


def of_another_clock(cells):
    for c in cells.values():
        if c["type"] == "TRELLIS_FF":
            c["connections"]["CLK"] = [999]


@pytest.mark.parametrize("latency, count", [(1, 0), (3, 20)])
def test_memories_of_other_latencies(latency, count, tmp_path):
    file = mapped(tmp_path, latency)
    assert absorb(file, "m") == count


def test_a_mapped_core_answers_as_the_engine_does(tmp_path):
    parts = small({"arith": "lns9.4", "hidden": (12,)}, (12, 12), 4)
    core = core_of(parts, 2, 2, 1)
    folder = written(core, parts, tmp_path / "core", 1)
    cost = map_core(core, folder)
    assert cost["retimed"] and cost["block_registers"] >= 9 and cost["block_memories"] >= 2
    files = gates_of(folder)
    assert 'REGMODE_B("OUTREG")' in (folder / "gates.v").read_text()
    bench = (folder / "tb_core.v").read_text()
    first = "    // Resets at any time;"  # what follows takes minutes at this level
    assert bench.count(first) == 1
    (folder / "tb_core.v").write_text(bench.replace(first, f"    $finish;\n{first}"))
    tools.run([tools.program("iverilog"), "-g2001", "-o", "tb.vvp", *files, "tb_core.v"],
              cwd=folder)
    said = tools.run([tools.program("vvp"), "-N", "tb.vvp"], cwd=folder, seconds=600)
    assert "full speed: 5 of 5 answers, 0 wrong" in said, said
    assert "gaps and a reset: 5 of 5 answers, 0 wrong" in said, said
