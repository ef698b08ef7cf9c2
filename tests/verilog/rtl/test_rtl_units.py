"""Units against the engine's own kernels: on random words, and on a trained layer."""

from argparse import Namespace

import numpy as np
import pytest
from helpers.front_door import answer, assert_one_line, call

from fxp.arrays.array import FixedArray
from fxp.format import FormatError
from lnsarith.catalogue.array import LnsArray
from lnsarith.catalogue.operators import parse_format
from lnsarith.commands.rtl.layer import layer_design, own_options
from lnsarith.delta.methods import parse
from nets.settings.settings import Settings
from verilog.catalogue import design
from verilog.simulate.icarus import run_phases


def answered(made, words):
    """Return what the model of a design answers."""
    return made.model(words)["out"]


def test_a_mac_unit_sums_as_arrays_do():
    f = parse_format("lns12")
    made = design("lns-mac-unit", "lns12", {"guard": "2", "delta": "balanced"})
    words = made.stimulus(300, 5)
    ends = np.flatnonzero(words["last"])
    starts = np.maximum.accumulate(np.where(words["start"], np.arange(300), 0))[ends]

    def row(port, low, high):
        return LnsArray(words[port][low : high + 1], f, delta=parse("balanced"), guard=2)

    expected = []
    for low, high in zip(starts, ends):
        a, b = row("a", low, high), row("b", low, high)
        init = LnsArray(words["init"][low] if low else f.zero, f, delta=parse("balanced"), guard=2)
        expected.append(int(a.matmul(b, init=init).words.ravel()[0]))
    assert answered(made, words).tolist() == expected


def test_a_tree_sums_in_the_engines_tree_order():
    f = parse_format("lns9.4")
    made = design("lns-dot", "lns9.4", {"n": "7", "delta": "exact"})
    words = made.stimulus(200, 6)
    expected = [int((LnsArray(a[None], f, delta=parse("exact"), order="tree")
                     @ LnsArray(b[:, None], f, delta=parse("exact"), order="tree")).words[0, 0])
                for a, b in zip(words["a"], words["b"])]
    assert answered(made, words).tolist() == expected
    sequential = [int((LnsArray(a[None], f, delta=parse("exact"))
                       @ LnsArray(b[:, None], f, delta=parse("exact"))).words[0, 0])
                  for a, b in zip(words["a"], words["b"])]
    assert sequential != expected


def test_an_exact_tree_sums_as_fixed_arrays_do():
    f = parse_format("fixed9.4")
    made = design("fixed-dot", "fixed9.4", {"n": "5"})
    words = made.stimulus(200, 6)
    expected = [int((FixedArray(a[None], f) @ FixedArray(b[:, None], f)).words[0, 0])
                for a, b in zip(words["a"], words["b"])]
    assert answered(made, words).tolist() == expected


def test_a_binary_neuron_counts_and_fires():
    made = design("xnor-unit", "ufixed8.0", {"depth": "30"})
    words = made.stimulus(500, 2)
    out = made.model(words)
    count, at, counts, fires = 0, 0, [], []
    for i in range(500):
        equal = 8 - bin(int(words["a"][i]) ^ int(words["b"][i])).count("1")
        count = equal if words["start"][i] else count + equal
        if words["last"][i]:
            counts.append(count)
            fires.append(int(count >= words["threshold"][i]))
            at += 1
    assert out["count"].tolist() == counts and out["fire"].tolist() == fires
    assert 0 < sum(fires) < at


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the folder of a run for each arithmetic, two epochs of the embedded digits."""
    folder = tmp_path_factory.mktemp("runs")
    found = {}
    for arith, more in (("lns12", ()), ("lns16", ("--guard", "2")), ("fixed12", ())):
        found[arith] = folder / arith
        code, _, err = call("train", "--dataset", "digits", "--no-plot", "--epochs", "2",
                            "--hidden", "12", "--recipe", "icassp2020", "--arith", arith, *more,
                            "--out", found[arith], cwd=folder)
        assert code == 0, err
    return found


UNITS = [("lns12", "mac-unit", [], 0), ("lns16", "mac-unit", [], 1),
         ("fixed12", "mac-unit", [], 0),
         ("lns12", "systolic", ["rows=4", "columns=5"], 0),
         ("lns16", "systolic", ["rows=2", "columns=3"], 1),
         ("fixed12", "systolic", ["rows=4", "columns=5"], 0),
         ("lns12", "systolic", ["rows=8", "columns=4", "stationary=weight"], 0),
         ("fixed12", "systolic", ["rows=12", "columns=5", "stationary=weight"], 1)]


@pytest.mark.parametrize("arith, op, options, layer", UNITS,
                         ids=lambda v: "-".join(v) if isinstance(v, list) else str(v))
def test_a_trained_layer_gives_the_words_of_the_engine(runs, arith, op, options, layer):
    made = layer_design(Namespace(op=op, option=options, delta=None, memh=False, name=None,
                                  layer=layer, run_folder=runs[arith], images=2, data_dir=None))
    report = run_phases(made, {"stalls": made.stimulus(0, 0)})
    assert report.equal, (report.mismatches, report.faults)
    assert report.compared >= (4 if op == "systolic" else 20)


def test_another_delta_does_not_give_the_words_of_the_engine(runs):
    made = layer_design(Namespace(op="mac-unit", option=[], delta="bitshift", memh=False, name=None,
                                  layer=1, run_folder=runs["lns12"], images=2, data_dir=None))
    report = run_phases(made, {"full speed": made.stimulus(0, 0)})
    assert report.compared == 20 and report.wrong > 5


def test_the_command_runs_a_trained_layer(runs, tmp_path):
    told = answer("rtl", "sim", "mac-unit", "--run", runs["lns12"], "--layer", "1", "--images", "3",
                  cwd=tmp_path)
    assert told["equal"] and told["compared"] == 30 and told["vectors"] == 3 * 12 * 10


@pytest.mark.parametrize("unit", [
    ["mac-unit"], ["systolic", "--option", "columns=5"],
    ["systolic", "--option", "stationary=weight", "--option", "rows=12"]], ids=lambda u: u[-1])
def test_the_first_words_of_a_trained_layer_are_drawn(runs, unit, tmp_path):
    told = answer("rtl", "sim", *unit, "--run", runs["lns12"], "--layer", "1", "--images", "1",
                  "--picture", "a.svg", cwd=tmp_path)
    assert told["equal"] and told["picture"] == "a.svg"
    drawn = (tmp_path / "a.svg").read_text("utf-8")
    made = layer_design(Namespace(op=unit[0], option=unit[2::2], delta=None, memh=False, name=None,
                                  layer=1, run_folder=runs["lns12"], images=1, data_dir=None))
    first = np.ravel(made.stimulus(5, 0)["a"])
    assert all(f">{word}<" in drawn for word in first)
    assert len(made.stimulus(5, 0)["a"]) == 5 < len(made.stimulus(0, 0)["a"])


@pytest.mark.parametrize("arguments, message", [
    (["mac-unit", "--layer", "2"], "layer must be 0..1, got 2"),
    (["mac-unit", "--images", "0"], "images must be 1..355, got 0"),
    (["add"], "runs on a mac-unit or a systolic array, not on lns-add"),
    (["mac-unit", "--exhaustive"], "leave out --exhaustive"),
    (["systolic", "--option", "rows=4", "--option", "stationary=weight", "--option", "guard=1"],
     "12 inputs need as many rows"),
])
def test_a_layer_that_cannot_run_is_told_in_one_line(runs, arguments, message, tmp_path):
    code, out, err = call("rtl", "sim", *arguments, "--run", runs["lns12"],
                          *([] if "--layer" in arguments else ["--layer", "1"]), cwd=tmp_path)
    assert (code, out) == (2, "")
    assert_one_line(err, message)


def test_a_register_of_more_octaves_has_no_unit_yet():
    f = parse_format("lns12")
    assert own_options(Settings(arith="lns12", guard=2), f)["guard"] == "2"
    with pytest.raises(FormatError, match="the run has register_bits 2"):
        own_options(Settings(arith="lns12", register_bits=2), f)
