"""Faults in a core's sequencers, memories and wires: its bench catches them.

One of STEP is tried here. KNOWN are those that change no answer, each with its reason; the
port that loads weights is checked behind AXI, with the words of another network.
"""

import re
import subprocess

import pytest
from helpers.hardware.core_faults import faults
from helpers.hardware.cores import bench, core_of, passed, small, written

from verilog import tools
from verilog.cost.cores import retiming

STEP = 9
KNOWN = {
    "a register that is written before it is read":
        r"(last_image|held_bank|held_place|held_end|held_buffer|count_[01]|best|class_found|"
        r"number|slot) is not reset",
    "a register of one value, for lanes have one output here": r"lane is not reset",
    "a clock after a reset it has what a register that was reset gives it":
        r"(\w+_[1-9]|\w+_d\d|load_wish|\w+_now|bank_\d_write) is not reset",
    "no sum of a slot without a turn is caught": r"left out: assign run_and_step_is_0 ",
    "steps are at their first when nothing runs": r"left out: assign (run_and_step_is_entry|go) ",
    "banks are at their first when nothing is drained": r"left out: assign bank_ends ",
    "the sender is free while a last layer runs": r"left out: assign layer_is_2_and_and ",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    parts = small({"arith": "lns9.4", "hidden": (6, 5)}, (3, 3), 4)
    core = core_of(parts, 4, 4, 4)
    folder = written(core, parts, tmp_path_factory.mktemp("faults") / "core", 18)
    return folder, {f"{m.name}.v": m.text for m in core.modules}


def test_a_bench_catches_faults(place):
    folder, texts = place
    assert passed(bench(folder))
    every = [f for f in faults(texts) if "reload" not in f[0]]
    tried = [f for f in every[::STEP] if not any(re.search(k, f[1]) for k in KNOWN.values())]
    assert len(tried) >= 15
    left = []
    for file, what, text in tried:
        (folder / file).write_text(text)
        if passed(bench(folder)):
            left.append((file, what))
        (folder / file).write_text(texts[file])
    assert left == []


def test_a_netlist_with_moved_registers_answers_as_the_source_does(tmp_path):
    parts = small({"arith": "lns9.4", "hidden": (12,)}, (4, 4), 4)
    core = core_of(parts, 2, 2)
    assert core.schedule.layers == ((16, 12), (12, 4))
    folder = written(core, parts, tmp_path / "core", 3)
    names = (folder / "files.f").read_text().split()
    reads = "".join(f"read_verilog {name}\n" for name in names if "lane" not in name)
    (folder / "lane.ys").write_text(retiming(core.lane))
    tools.run([tools.yowasp("yosys"), "-q", "-s", "lane.ys"], cwd=folder)
    # What is around the lanes stays in words, which simulate faster than gates.
    (folder / "run.ys").write_text(f"read_rtlil lane.il\n{reads}hierarchy -check -top core\n"
                                   "proc\nflatten\nopt\nmemory -nomap\nopt_clean\n"
                                   "write_verilog -noattr gates.v\n")
    tools.run([tools.yowasp("yosys"), "-q", "-s", "run.ys"], cwd=folder)
    assert "module core_issue" not in (folder / "gates.v").read_text()
    (folder / "files.f").write_text("gates.v\n")
    assert passed(bench(folder))


MONITOR = """
module monitor;
  integer meetings, reads;
  initial begin meetings = 0; reads = 0; end
  always @(posedge tb_core.dut.i_clk) begin
{checks}  end
  always @(tb_core.got) if (tb_core.got < 0) $display("never");
endmodule
"""


def test_no_row_is_read_while_it_is_written(place):
    folder, _ = place
    parts = [f"bank_{k}_part" for k in range(4)] + ["weights_part", "logits_part"]
    top = (folder / "core.v").read_text()
    known = [p for p in parts if re.search(rf"^ +{p}$", top, re.M)]
    assert len(known) >= 4
    checks = "".join(
        f"    if (tb_core.dut.{p}.i_read === 1) reads = reads + 1;\n"
        f"    if (tb_core.dut.{p}.i_read === 1 && tb_core.dut.{p}.i_write === 1 &&\n"
        f"        tb_core.dut.{p}.i_read_address === tb_core.dut.{p}.i_write_address)\n"
        f'      $display("MEETING in {p}");\n'
        f'    if (reads == 1) $display("READING");\n' for p in known)
    (folder / "monitor.v").write_text(MONITOR.format(checks=checks))
    sources = (folder / "files.f").read_text().split()
    tools.run([tools.program("iverilog"), "-g2001", "-o", "m.vvp", "-s", "tb_core", "-s",
               "monitor", *sources, "tb_core.v", "monitor.v"], cwd=folder)
    said = subprocess.run([tools.program("vvp"), "-N", "m.vvp"], cwd=folder, text=True,
                          capture_output=True, check=True).stdout
    assert "READING" in said and "PASS" in said and "MEETING" not in said
