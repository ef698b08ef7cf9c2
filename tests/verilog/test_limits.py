"""Solvers are limited by the processor's time, so that a loaded machine changes no verdict."""

import threading
import time
from types import SimpleNamespace

import pytest

from fxp.trace.circuit import trace
from verilog.prove.mutants import Mutant, mutants
from verilog.prove.proof import settle
from verilog.prove.smt import Formula, resized
from verilog.prove.solving import solvers
from verilog.prove.solving.limits import Limit, interrupted
from verilog.prove.solving.solvers import solve


def work(until):
    while not until():
        sum(range(1000))


def factors():
    """A formula that takes z3 far longer than a tenth of a second."""
    formula = Formula()
    names = [formula.input(name, 1 << 30, (1 << 31) - 1) for name in "xy"]
    wide = [f"((_ zero_extend 32) {name})" for name in names]
    formula.require(f"(= (bvmul {wide[0]} {wide[1]}) (_ bv{1500450271 * 2147483647} 64))")
    return formula


def products():
    """A formula that takes bitwuzla far longer than a tenth of a second."""
    formula = Formula()
    x, y, z = (formula.input(name, -(1 << 23), (1 << 23) - 1) for name in "xyz")
    formula.require(f"(distinct (bvmul (bvmul {x} (bvadd {y} #x000001)) {z}) "
                    f"(bvmul {x} (bvadd {z} (bvmul {y} {z}))))")
    return formula


def test_waiting_is_not_counted_and_working_is():
    limit = Limit(0.1)
    time.sleep(0.3)
    assert not limit() and limit.left > 0
    work(limit)
    assert limit() and limit.left <= 0


def test_a_block_is_interrupted_once_it_has_worked_long_enough():
    called = threading.Event()
    with interrupted(0.1, called.set):
        time.sleep(0.3)
        assert not called.is_set()
        began = time.thread_time()
        work(called.is_set)
    assert time.thread_time() - began < 5
    called.clear()
    work(Limit(0.1))
    assert not called.is_set()


def test_each_solver_gives_up_in_time():
    for name, hard in (("bitwuzla", products), ("z3", factors)):
        began = time.thread_time()
        answer = solve(hard(), 0.1, (name,))
        assert (answer.verdict, answer.solver) == ("unknown", name)
        assert answer.note.startswith("none within 0.1 s")
        assert time.thread_time() - began < 10


def test_a_mutant_brings_words_that_show_it_and_wrong_ones_do_no_harm():
    circuit = trace(lambda x: (x & 7) + 1, {"x": (-20, 20)})
    found = list(mutants(circuit))
    assert found and all(m.circuit(**m.words) != circuit(**m.words) for m in found)

    def ask(asked):
        formula = Formula()
        own, other = (resized(*formula.circuit(c)[0]["out"], 8) for c in (asked, circuit))
        formula.require(f"(distinct {own} {other})")
        return formula

    def replay(asked, model):
        words = {"x": model["x"]}
        return words if asked(**words) != circuit(**words) else {}

    assert settle("same", "", circuit, ask, replay, found, 10).passed
    blind = [Mutant("where", "", trace(lambda x: (x & 7) + 1 + (x > 15), {"x": (-20, 20)}),
                    {"x": 3})]
    assert settle("same", "", circuit, ask, replay, blind, 10).passed


@pytest.mark.parametrize("lines, two_sides, seconds, turns", [
    (100, False, 60, [("bitwuzla", 1), ("z3", 1), ("bitwuzla", 60), ("z3", 60)]),
    (100, True, 60, [("bitwuzla", 1), ("z3", 1), ("bitwuzla by lemmas", 60), ("z3", 60)]),
    (9000, True, 60, [("bitwuzla", 30), ("z3", 1), ("bitwuzla by lemmas", 60), ("z3", 60)]),
    (9000, True, 10, [("bitwuzla", 10), ("z3", 1), ("bitwuzla by lemmas", 10), ("z3", 10)]),
    (9000, True, 1, [("bitwuzla", 1), ("bitwuzla by lemmas", 1), ("z3", 1)])])
def test_long_formulas_are_left_to_bitwuzla_before_lemmas(lines, two_sides, seconds, turns):
    """With large tables each lemma takes longer than many a whole proof."""
    sides = [1] if two_sides else []
    formula = SimpleNamespace(lines=["x"] * lines, cells=sides, terms=sides)
    assert solvers._turns(formula, seconds, solvers.SOLVERS) == turns
