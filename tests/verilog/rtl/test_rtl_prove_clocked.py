"""What whoever drives a clocked design relies on is proved, and every fault is refuted."""

import re
from dataclasses import replace

import pytest
from helpers.hardware import rtl_text_mutants as faults_in
from helpers.hardware.rtl_replay import agrees, clocks_of, faults, simulated
from helpers.hardware.rtl_text_mutants import edited

from verilog.catalogue import design
from verilog.prove.design import prove_design
from verilog.prove.equal import prove_equal
from verilog.tools import ToolError

FLOW = ["sequence", "held", "reset", "accepts", "progress"]
ARRAY = ["waiting", "moving", "wiring", "refused", *FLOW[1:]]
TWO = {"rows": "2", "columns": "2"}
CASES = {
    "a stage": (faults_in.pipelines, ("fixed-add", "fixed4.2", {}, 1)),
    "a pipeline": (faults_in.pipelines, ("fixed-add", "fixed4.2", {}, 2)),
    "a long pipeline": (faults_in.skipped_registers, ("lns-mac", "lns6.2", {}, 4)),
    "an LNS MAC unit": (faults_in.machines, ("lns-mac-unit", "lns6.2")),
    "a MAC unit": (faults_in.machines, ("fixed-mac-unit", "fixed4.2", {"kind": "each"})),
    "a custom function unit": (faults_in.units, (
        "fixed-add", "fixed4.2", {}, 2, None, False, True)),
    "an array": (faults_in.output_arrays, ("fixed-systolic", "fixed4.2", {**TWO, "depth": "2"})),
    "an array of weights": (faults_in.weight_arrays, ("fixed-systolic", "fixed4.2", {
        **TWO, "depth": "2", "stationary": "weight"})),
}
NAMED = {  # which claim a fault breaks
    "o_ready stuck at 0": "accepts", "valid 1 stuck at 1": "sequence",
    "valid 1 kept through reset": "reset", "valid 2 stuck at 1": "sequence",
    "data 1 overwritten while it waits": "sequence", "valid 1 stuck at 0": "sequence",
    "data 2 overwritten while it waits": "held", "o_valid waits for i_ready": "progress",
    "valid 2 moves while it waits": "held", "takes words only with i_ready": "accepts",
    "start ignored": "verilog", "answers before the last word": "verilog",
    "another sum after reset": "reset", "the response has no sign": "Cfu verilog",
    "the function id matters": "Cfu verilog", "unused bits matter": "Cfu verilog",
    "an operand not delayed": "wiring", "columns of the answer exchanged": "wiring",
    "rows further apart than said": "accepts", "moves only when taken": "progress",
}


def proofs_of(designs):
    """Return the proofs of each design; all of them have as many."""
    found = prove_equal(designs, 30)
    size, rest = divmod(len(found), len(designs))
    assert rest == 0
    return [found[k * size:(k + 1) * size] for k in range(len(designs))]


@pytest.fixture(scope="module")
def searches():
    """Let searches for runs end after a second of the processor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("verilog.prove.clocked.proofs.RUN_SECONDS", 1.0)
        yield


@pytest.fixture(scope="module")
def refuted(searches):
    """Return what proofs of a kind of design refute: a list of (text, design, proofs).

    A run that shows a fault is found in a seventh of a second here; where there is none, as for
    what an array does wrong from registers that no reset leads to, longer searches find none.
    """
    known = {}

    def of(kind):
        if kind not in known:
            make, arguments = CASES[kind]
            texts, designs = zip(*make(design(*arguments)))
            known[kind] = [
                (text, made, {p.name: p for p in proofs if p.verdict == "refuted"})
                for text, made, proofs in zip(texts, designs, proofs_of(designs))]
        return known[kind]

    return of


@pytest.mark.parametrize("kind", CASES)
def test_every_fault_is_refuted_by_the_claim_it_breaks(kind, refuted):
    for text, _, proofs in refuted(kind):
        assert proofs, f"{kind}: {text}"
        assert all(p.counterexample for p in proofs.values()), text
        assert NAMED.get(text) in (None, *proofs), (text, list(proofs))


@pytest.mark.parametrize("kind", ["a stage", "a pipeline", "an LNS MAC unit",
                                  "a custom function unit"])
def test_runs_that_show_faults_happen_in_icarus_and_are_wrong(kind, refuted, tmp_path):
    right = design(*CASES[kind][1])
    for text, made, proofs in refuted(kind):
        runs = [clocks_of(p.counterexample) for name, p in proofs.items()
                if name in FLOW]
        for run in runs:
            assert agrees(made, run, simulated(made, run, tmp_path)), text
        assert not runs or any(faults(right, run) - {"lost"} for run in runs) or (
            "lost" in faults(right, runs[0])), text


@pytest.mark.parametrize("kind", CASES)
def test_the_designs_without_a_fault_are_proved(kind):
    proofs = prove_design(design(*CASES[kind][1]), 30)
    assert [p.as_dict() for p in proofs if not p.passed] == []
    names = [p.name for p in proofs if p.name not in ("start", "finish", "start ranges",
                                                      "finish ranges", "verilog", "ranges")]
    assert [n for n in names if n != "room"][:len(FLOW)] == FLOW or names == ARRAY
    assert ("room" in names) == ("MAC" not in kind and "array" not in kind)


def test_a_gap_that_does_not_close_is_refuted():
    right = design("fixed-add", "fixed4.2", {}, 2)
    open_gap = right.top.text.replace("~valid_s1 | load_s2", "~valid_s2 | load_s2")
    assert open_gap != right.top.text
    wrong = replace(right, modules=(replace(right.top, text=open_gap),))
    proofs = {p.name: p for p in prove_design(wrong, 30)}
    assert proofs["room"].verdict == "refuted" and proofs["sequence"].passed


@pytest.mark.parametrize("arguments", [
    ("lns-mac", "lns6.2", {}, 1),  # three operands, two of them in halves
    ("fixed-mul", "ufixed5.3", {"rounding": "stochastic"}, 1),  # extended with zeros
    ("lns-to-fixed", "lns6.2", {}, 2)])
def test_functions_of_a_processor_are_proved_at_their_32_bits(arguments):
    proofs = prove_design(design(*arguments, as_cfu=True), 30)
    assert [p.as_dict() for p in proofs if not p.passed] == []
    assert {f"Cfu {name}" for name in ("verilog", *FLOW)} <= {p.name for p in proofs}


@pytest.mark.parametrize("edits", [
    [(r"if\(load_s1\) begin(\s+(?!valid|\s))", r"if(load_s1 & i_valid) begin\1")],
    [(r"reg valid_s1;", "reg valid_s1;\n  reg [1:0] idle;\n  always @(posedge i_clk) "
      "idle <= idle + 2'd1;")],
    [(r"assign o_ready = load_s1", "assign o_ready = ~(valid_s1 & ~load_s2)")]])
def test_edits_that_change_no_answer_are_proved(edits):
    made = edited(design("fixed-add", "fixed4.2", {}, 2), *edits)
    assert [p.as_dict() for p in prove_equal([made], 30) if not p.passed] == []


def test_arrays_of_one_row_or_column_are_proved():
    made = [design("fixed-systolic", "fixed4.2", {
        "rows": rows, "columns": columns, "depth": "2", "stationary": stays})
        for rows, columns in (("1", "1"), ("1", "3"), ("3", "1"))
        for stays in ("output", "weight")]
    assert [p.as_dict() for p in prove_equal(made, 30) if not p.passed] == []


def test_ends_of_sums_are_their_circuits():
    made = design(*CASES["an array of weights"][1])
    for module, pattern in (("start", r"assign o_register = .*;"), ("finish", r"\? -\d+'d8")):
        place = next(k for k, m in enumerate(made.modules) if m.name.endswith(module))
        wrong = edited(made, (pattern, {
            "start": "assign o_register = {5'd0, i_init};", "finish": "? 8'd0"}[module]),
            module=place)
        assert {p.name: p.verdict for p in prove_equal([wrong], 30)}[module] == "refuted"


def test_a_register_at_another_clock_is_refused():
    made = edited(design("fixed-add", "fixed4.2", {}, 2), (r"posedge", "negedge"))
    with pytest.raises(ToolError, match="CLK_POLARITY"):
        prove_equal([made])


def test_what_is_proved_is_said():
    said = {p.name: p.statement for p in prove_equal([design("fixed-add", "fixed4.2", {}, 2)])}
    assert "by induction" in said["sequence"] and "none lost" in said["sequence"]
    assert re.search(r"within 2 clocks, whether or not i_ready", said["progress"])
