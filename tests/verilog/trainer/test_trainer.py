"""A trainer in hardware has, after any number of steps, the words of the engine."""

import json
from dataclasses import replace

import pytest
from helpers.hardware.small_trainer import bench_says, folder_of, lint_says, training, with_text

from lnsarith.commands.rtl.training import streamed
from verilog import tools
from verilog.tools import ToolError
from verilog.trainer import simulate
from verilog.trainer.package import write_trainer
from verilog.trainer.plan.cycles import spent
from verilog.trainer.simulate import Simulated

# Shorter last batches, groups of more images than lanes, tiles that are not full, sums that
# outlast their rows, single layers: each case has some of them.
CASES = {
    "lns12": ({"arith": "lns12"}, 4, 2),
    "lns12-stochastic-two-layers": ({"arith": "lns12", "hidden": (7, 5), "batch": 7, "guard": 1,
                                     "update": "stochastic", "delta": "interp:r=1/4"}, 3, 3),
    "lns12-momentum-level": ({"arith": "lns12", "momentum": "0.5", "schedule": "cosine",
                              "decay": "level", "weight_decay": "0.5", "batch": 3,
                              "activation": "relu", "underflow": "smallest"}, 5, 4),
    "fixed16": ({"arith": "fixed16", "batch": 6, "momentum": "0.5", "clip": "0.5", "l1": "2^-12",
                 "schedule": "linear", "schedule_by": "batch", "shuffle": "epoch"}, 4, 1),
    "fixed12-no-hidden": ({"arith": "fixed12", "hidden": (), "batch": 2, "activation": "relu",
                           "accumulator": "each"}, 3, 2),
    "formats": ({"arith": "lns12", "gradients": "lns16", "weights": "lns12.6", "batch": 1}, 2, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_a_trainer_learns_word_for_word_as_the_engine(case, tmp_path):
    made = training(*CASES[case])
    built = Simulated(made.core, tmp_path, scrambled=True, seed=7, short=True)
    built.load(made.start)
    assert (built.read() == made.start).all()
    for gaps in range(3):
        seen = []
        for program, pixels, labels in made.trainer.batches():
            program.run(pixels, labels)
            seen.append((pixels, labels, made.rate()))
        built.train(*streamed(seen, made.core.geometry.learning.rated), gaps)
        assert (built.read() == made.words()).all()
    built.close()
    assert (made.words() != made.start).mean() > 0.3
    steps = 3 * len(seen)
    at_least = sum(p.cycles for p in spent(made.core.geometry))
    assert built.working <= at_least * steps < 4 * built.cycles


@pytest.mark.parametrize("case", ["lns12-momentum-level", "fixed12-no-hidden", "formats"])
def test_a_trainer_is_clean_for_icarus_and_verilator(case, tmp_path):
    assert not lint_says(training(*CASES[case], backend="numpy").core, tmp_path)


@pytest.mark.parametrize("case", ["lns12", "fixed16"])
def test_the_bench_of_a_folder_passes_and_tells_a_wrong_word(case, tmp_path):
    folder = folder_of(training(*CASES[case]), tmp_path / "tiny")
    said, status = bench_says(folder)
    assert status == 0 and "PASS" in said, said
    golden = folder / "golden_weights.hex"
    lines = golden.read_text().splitlines()
    lines[5] = lines[6] if lines[5] != lines[6] else lines[7]
    golden.write_text("\n".join(lines) + "\n")
    said, status = bench_says(folder)
    assert status != 0 and "FAIL: 1 of" in said, said
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["golden"]["steps"] == 3 and manifest["sizes"] == [16, 12, 4]


def test_a_core_that_stands_still_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(simulate, "STUCK", 1000)
    made = training(*CASES["lns12"])
    stuck = with_text(made.core, "assign o_softmax = state == PREPARE & c_kind == SOFTMAX;",
                      "assign o_softmax = 1'b0;")
    built = Simulated(stuck, tmp_path, short=True)
    built.load(made.start)
    program, pixels, labels = next(made.trainer.batches())
    with pytest.raises(ToolError, match="stands still"):
        built.train(pixels, labels, labels * 0 + [0, 0, 0, 0, 1])
    built.close()


def test_a_netlist_of_gates_answers_as_the_trainer_does(tmp_path):
    made = training({"arith": "lns8.3", "hidden": (4,)}, 4, 2)
    folder = folder_of(made, tmp_path / "tiny")
    sources = (folder / "files.f").read_text().split()
    script = [*(f"read_verilog {name}" for name in sources), "hierarchy -top tiny", "proc",
              "flatten", "opt", "memory -nomap", "opt -full", "techmap", "opt",
              "abc -g AND,OR,XOR,MUX", "opt_clean", "write_verilog -noattr gates.v",
              "tee -q -o stat.json stat -json"]
    (folder / "run.ys").write_text("\n".join(script) + "\n")
    tools.run([tools.yowasp("yosys"), "-q", "-s", "run.ys"], cwd=folder)
    cells = json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]
    assert cells["$_AND_"] > 1000 and not any(c.startswith("$add") for c in cells)
    (folder / "files.f").write_text("gates.v\n")
    said, status = bench_says(folder)
    assert status == 0 and "PASS" in said, said


MEETING = """always @(posedge i_clk)
  if (i_write === 1'b1 && i_read !== 1'b0 && i_write_address === i_read_address) begin
    $display("FAIL: a word is read while it is written");
    $stop;
  end
assign o_data = data;"""


def watched(core):
    """Return a core whose memories stop the bench where both ports meet on one word."""
    modules = tuple(replace(m, text=m.text.replace("assign o_data = data;", MEETING))
                    for m in core.modules)
    assert sum("FAIL" in m.text for m in modules) == 5
    return replace(core, modules=modules)


@pytest.mark.parametrize("case", ["lns12", "formats"])
def test_no_word_is_read_while_it_is_written(case, tmp_path):
    made = training(*CASES[case])
    golden = made.golden()
    write_trainer(watched(made.core), tmp_path / "right", golden, {})
    said, status = bench_says(tmp_path / "right")
    assert status == 0 and "PASS" in said, said
    always = with_text(made.core, ".i_read(order_idle ? host_fetch : is_update | order_valid)",
                       ".i_read(1'b1)")
    write_trainer(watched(always), tmp_path / "wrong", golden, {})
    assert "a word is read while it is written" in bench_says(tmp_path / "wrong")[0]
