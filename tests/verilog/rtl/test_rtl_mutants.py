"""Faults in the text of generated Verilog: made of every kind, and caught or shown equal."""

import numpy as np
import pytest
from helpers.hardware.rtl_faults import with_text

from benchmarks.hardware.mutants.designs import CASES
from benchmarks.hardware.mutants.edits import KINDS, edited, edits, picked
from benchmarks.hardware.mutants.judge import compiles, equal
from fxp.trace.circuit import node_values
from verilog.catalogue import design
from verilog.design.stimulus import operand_columns
from verilog.simulate.icarus import simulate

PIPELINE = design("lns-mac", "lns9.4", {}, 2)
LIMITED = design("fixed-mac-unit", "fixed9.4", {"kind": "limited", "bits": "20"})
WEIGHTS = design("fixed-systolic", "fixed8", {"rows": "3", "columns": "1", "stationary": "weight"})


def test_there_is_a_fault_of_every_kind_and_the_seed_decides_which():
    found = edits(PIPELINE)
    assert {e.kind for e in found} == set(KINDS)
    one, again, other = (picked(found, 14, seed) for seed in (3, 3, 4))
    assert one == again != other and [e.kind for e in one[:7]] == list(KINDS)
    for edit in one:
        before, after = (d.top.text.split("\n") for d in (PIPELINE, edited(PIPELINE, edit)))
        assert [k for k in range(len(before)) if before[k] != after[k]] == [edit.line]


def test_every_kind_of_emitter_is_among_the_designs():
    assert len(CASES) >= 12
    shapes = {(c.name, bool(c.latency), c.cfu, c.options.get("stationary")) for c in CASES}
    assert len(shapes) >= 12


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_of_each_kind_is_found_by_simulation_or_shown_to_change_nothing(kind):
    edit = next(e for e in picked(edits(PIPELINE), 100, 5)
                if e.kind == kind and compiles(edited(PIPELINE, e)))
    faulty = edited(PIPELINE, edit)
    assert not simulate(faulty, 2000).equal or equal(PIPELINE, faulty, 30), str(edit)


@pytest.mark.parametrize("right, old, new, same", [
    (design("fixed-mul", "fixed9.4"), "< $signed(14'd255)", "<= $signed(14'd255)", True),
    (design("fixed-mul", "fixed9.4"), "< $signed(14'd255)", "< $signed(14'd254)", False),
    (PIPELINE, "valid_s1 <= i_valid", "valid_s1 <= load_s1", False),
    (design("lns-mac-unit", "lns9.4"), "sign <= 1'd0", "sign <= 1'd1", True),  # of a zero
    (design("lns-mac-unit", "lns9.4"), "level <= -9'd256", "level <= -9'd255", False),
    (WEIGHTS, "swap_passed <= 1'd0", "swap_passed <= 1'd1", True),  # zeros for zeros
    (WEIGHTS, "load_passed <= 1'd0", "load_passed <= 1'd1", True),  # passed to no one
    (WEIGHTS, "active <= 8'd0", "active <= 8'd1", False)])
def test_a_fault_is_shown_equal_only_if_it_changes_nothing(right, old, new, same):
    assert equal(right, with_text(right, old, new), 30) is same


@pytest.mark.parametrize("right, old, new", [
    (LIMITED, "($signed(total) < $signed((-21'd524288)))? -21'd524288 : total", "total"),
    (design("xnor-unit", "ufixed8.0", {"depth": "40"}), "total <= 9'd0", "total <= 9'd1"),
    (design("xnor-unit", "ufixed8.0", {"depth": "40"}), "count < i_threshold",
     "count <= i_threshold"),
    (design("fixed-systolic", "fixed8", {"rows": "2", "columns": "3"}), "register <= 26'd0",
     "register <= 26'd1"),
    (WEIGHTS, "shadow <= 8'd0", ""), (WEIGHTS, "active <= 8'd0", "")])
def test_what_random_words_hardly_reach_is_tried(right, old, new):
    assert not simulate(with_text(right, old, new), 800).equal


def test_words_reach_each_entry_of_a_table_and_both_sides_of_where_values_meet():
    made = design("lns-mac", "lns12", {"delta": "exact"})
    table = next(n for n in made.circuit.nodes if n.op == "lookup")

    def entries(words):
        return np.unique(node_values(made.circuit, words)[table.args[0].index])

    reachable = {*range(484), *range(512, 996)}
    assert set(entries(made.stimulus(10_000, 0))) == reachable
    assert len(entries(operand_columns(made.inputs, 10_000, 0))) < len(reachable)
    least = next(n for n in made.circuit.nodes if n.op == "min" and n.args[1].is_const)
    values = node_values(made.circuit, made.stimulus(10_000, 0))
    away = values[least.args[0].index] - least.args[1].low
    assert {-1, 0, 1} <= set(np.asarray(away).tolist())
