"""Instructions on the ways through a loop of machine code."""

import json

import pytest

from benchmarks.common.child import run
from benchmarks.kernels.loops import Way, step_loop
from fxp.compile.machine.target import target

LOOP = """
run:
\tvmovdqu64\t(%rax), %zmm3
.LBB0_1:
\tvpbroadcastw\t16(%rcx), %zmm0
\tvpaddw\t(%rdi,%rcx), %zmm0, %zmm1
\tcmpq\t$5, %rax
\tjl\t.LBB0_3
\tvpmaxsw\t%zmm1, %zmm2, %zmm1
\tvmovdqa64\t%zmm1, 64(%rsp)
.LBB0_3:
\tvpermi2w\t%zmm3, %zmm4, %zmm1
\tjne\t.LBB0_1
\tvmovdqu64\t%zmm1, (%rdx)
.LBB0_4:
\tvpaddw\t%zmm1, %zmm2, %zmm3
\tvpaddw\t%zmm1, %zmm2, %zmm3
\tvpaddw\t%zmm1, %zmm2, %zmm3
\tvmovdqu64\t%zmm1, (%rdx)
\tjne\t.LBB0_4
\tretq
"""


def test_ways_through_the_loop_that_keeps_its_sums_are_counted():
    assert step_loop(LOOP) == (Way(3, 2, 0, 1), Way(5, 2, 1, 1))
    with pytest.raises(ValueError, match="no loop"):
        step_loop("run:\n\tretq\n")


def test_the_command_writes_a_row_for_each_product(tmp_path):
    run(["-m", "benchmarks.kernels", "--arith", "lns12", "--size", "40x1024x128", "--rounds", "1",
         "--results", str(tmp_path)])
    rows = [json.loads(line) for line in (tmp_path / "kernels.jsonl").read_text().splitlines()]
    layer = ["forward", "backward", "weights' step"]
    assert [r["plan"] for r in rows if not r["plan"].startswith("arrays")] == 2 * layer
    assert ("arrays: one word" in [r["plan"] for r in rows]) is (target().level == "avx512")
    most = {"avx512": 40, "avx2": 64, "plain": 80}[target().level]  # tables in fewer registers
    assert all(8 < r["instructions"] < most and r["bits"] == 16 and r["rate"] > 0 for r in rows)
