"""Faults of sequencers and memories: one of each kind is seen by the bench of a small core."""

import pytest

from benchmarks.hardware.mutants.cores.judge import answer, seen, strict, with_random_start
from benchmarks.hardware.mutants.cores.known import why_equal
from benchmarks.hardware.mutants.cores.rules import CORE, KINDS, TRAINER, faults_of
from benchmarks.hardware.mutants.cores.subjects import SUBJECTS

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


def test_a_row_that_is_read_while_it_is_written_is_unknown():
    text = "    if (i_read) rows_read <= rows[i_read_address[3:0]];"
    assert strict(text).strip().startswith("if (i_read) rows_read <= i_write && i_write_address")


def test_rules_name_their_kinds():
    assert {rule.kind for rule in (*CORE, *TRAINER)} <= set(KINDS)
