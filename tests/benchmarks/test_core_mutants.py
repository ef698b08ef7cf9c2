"""Faults of sequencers and memories: one of each kind is seen by the bench of a small core."""

import subprocess

import pytest

from benchmarks.hardware.mutants.cores.judge import answer, seen, strict, with_random_start
from benchmarks.hardware.mutants.cores.known import why_equal
from benchmarks.hardware.mutants.cores.rules import CORE, KINDS, TRAINER, faults_of
from benchmarks.hardware.mutants.cores.subjects import SUBJECTS
from verilog.trainer.machine.memories import memory

BENCH = "tb_core.v"


@pytest.mark.parametrize("subject", (SUBJECTS[0], SUBJECTS[3]), ids=("inference", "trainer"))
def test_a_fault_of_each_kind_is_seen(subject):
    texts, others = subject.folder()
    for start in (None, 3):
        assert answer(texts, others, BENCH, start)
    every = list(faults_of(texts, "core", subject.rules))
    assert {kind for kind, *_ in every} == set(KINDS) and len(every) > 200
    for wanted in KINDS:
        own = [f for f in every if f[0] == wanted and not why_equal(subject, f[1], f[2])]
        kind, file, what, text = own[len(own) // 2]
        assert seen({**texts, file: text}, others, BENCH), (kind, file, what)


def test_random_bits_stand_in_registers_and_memories_that_are_not_filled():
    text = ('module m;\n  reg [39:0] a;\n  reg b;\n  reg [3:0] rows [0:7];\n'
            '  reg [3:0] full [0:7];\n  initial $readmemh("x.hex", full);\n'
            '  always @(posedge c) begin a <= d; rows[0] <= a; end\n  always @* b = a[0];\n'
            'endmodule\n')
    made = with_random_start(text, 1)
    assert "a = {$random, $random};" in made and "rows[start_at] = " in made
    assert "full[start_at]" not in made and " b = {" not in made


@pytest.mark.parametrize("read, said", [(3, "FAIL: bench.rows is read where it is written"),
                                        (4, "done")])
def test_a_row_that_is_read_while_it_is_written_fails(tmp_path, read, said):
    (tmp_path / "rows.v").write_text(strict(memory("memory", 8, 16).text))
    (tmp_path / "bench.v").write_text(f"""module bench;
  reg i_clk = 0;
  memory rows (.i_clk(i_clk), .i_read(1'b1), .i_read_address(4'd{read}),
               .i_write(1'b1), .i_write_address(4'd3));
  initial begin repeat (4) #1 i_clk = ~i_clk; $display("done"); end
endmodule
""")
    subprocess.run(["iverilog", "-o", "bench", "bench.v", "rows.v"], cwd=tmp_path, check=True)
    assert subprocess.run(["vvp", "bench"], cwd=tmp_path, capture_output=True,
                          text=True).stdout.split("\n")[0] == said


def test_rules_name_their_kinds():
    assert {rule.kind for rule in (*CORE, *TRAINER)} <= set(KINDS)
