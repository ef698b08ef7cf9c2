"""What tracing records: ranges, folding, names, claims, and what it refuses."""

import cProfile
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxp.compile.nodes.lanes import lane_modes, lane_width
from fxp.trace.bits import Table, clamp, known, lookup, maximum, minimum, where
from fxp.trace.circuit import evaluate, trace
from fxp.trace.graph import SpecError

SQUARES = Table("squares", [i * i for i in range(8)])


def sample(a, b):
    """A spec that uses the whole vocabulary."""
    top = maximum(a, b)
    gap = top - minimum(a, b)
    index = minimum(gap >> 2, 7)
    moved = where((a > b) & (gap != 3), lookup(SQUARES, index), (a ^ b) | 1)
    return clamp(top + moved - (b & 6) * 2, -100, 90), gap << 1


@given(st.integers(-64, 63), st.integers(-64, 63))
def test_a_circuit_computes_what_its_spec_computes(a, b):
    circuit = trace(sample, {"a": (-64, 63), "b": (-64, 63)}, outputs=("x", "y"))
    assert circuit(a=a, b=b) == sample(a, b)
    for name, value in zip(("x", "y"), sample(a, b)):
        assert circuit.outputs[name].low <= value <= circuit.outputs[name].high


def test_every_node_stays_within_its_range():
    circuit = trace(sample, {"a": (-64, 63), "b": (-64, 63)})
    a, b = (side.ravel().astype(np.int64) for side in np.mgrid[-64:64, -64:64])
    for i, node in enumerate(circuit.nodes):
        part = type(circuit)("part", "", circuit.inputs, {"n": node}, circuit.nodes[: i + 1])
        value = evaluate(part, a=a, b=b)
        assert node.low <= np.min(value) <= np.max(value) <= node.high


def test_constants_and_equal_nodes_are_folded():
    circuit = trace(lambda a: (a + 0) * 1 + (a << 0) + minimum(a, 1000) + (a - a), {"a": (0, 9)})
    assert [n.op for n in circuit.nodes] == ["input", "add", "add"]
    twice = trace(lambda a, b: (a + b) * (b + a), {"a": (0, 9), "b": (0, 9)})
    assert [n.op for n in twice.nodes] == ["input", "input", "add", "mul"]


def test_comparisons_that_ranges_decide_are_folded():
    circuit = trace(lambda a: where(a > 9, 5, where(a >= 0, a, 7)), {"a": (0, 9)})
    assert [n.op for n in circuit.nodes] == ["input"]


def test_nodes_carry_the_names_of_the_spec():
    circuit = trace(sample, {"a": (-64, 63), "b": (-64, 63)})
    assert {"a", "b", "top", "gap", "index", "moved"} <= {n.name for n in circuit.nodes}


def test_a_profiler_at_work_stays_at_work_and_changes_nothing():
    profile = cProfile.Profile()
    circuit = profile.runcall(trace, sample, {"a": (-64, 63), "b": (-64, 63)})
    assert "top" in {n.name for n in circuit.nodes}
    assert "_named_outputs" in {entry.code.co_name for entry in profile.getstats()
                                if not isinstance(entry.code, str)}


def test_a_claim_is_recorded_and_narrows_the_range():
    circuit = trace(lambda a, b: lookup(SQUARES, known(a - b, 0, 7)), {"a": (0, 7), "b": (0, 7)})
    (claim,) = circuit.claims
    assert (claim.low, claim.high) == (0, 7)
    assert circuit(a=7, b=5) == 4


@pytest.mark.parametrize(("spec", "what"), [
    (lambda a: lookup(SQUARES, a), "leaves"),
    (lambda a: a + 0.5, "floats"),
    (lambda a: a if a > 3 else 0, "branch"),
    (lambda a: a << a, "constants"),
    (lambda a: (a << 60) * 4, "64 bits"),
    (lambda a: (a & 0) + (1 << 63), "64 bits"),
    (lambda a: (minimum(a, 0) - (1 << 62)) * 4, "64 bits"),
    (lambda a: known(a, 20, 30), "contradicts"),
])
def test_what_leaves_the_vocabulary_is_refused(spec, what):
    with pytest.raises(SpecError, match=what):
        trace(spec, {"a": (0, 9)})


def test_the_digest_tells_circuits_apart():
    ports = {"a": (0, 9)}
    digests = {trace(spec, ports).digest for spec in (
        lambda a: a + 1, lambda a: a + 2, lambda a: lookup(Table("t", range(10)), a),
        lambda a: lookup(Table("t", range(1, 11)), a))}
    assert len(digests) == 4
    assert trace(lambda a: a + 1, ports).digest == trace(lambda a: 1 + a, ports).digest


def test_lanes_are_as_narrow_as_the_ranges_allow():
    word = (-(1 << 15), (1 << 15) - 1)
    ports = {"a": word, "b": word}
    clamped = trace(lambda a, b: clamp(a + b, -5, 5), ports)
    assert lane_width([clamped]) == 16  # the sum saturates in its lane
    assert lane_width([trace(lambda a, b: a + b, ports)]) == 32
    assert lane_width([trace(lambda a, b: (a + b) & 255, ports)]) == 16  # low bits only
    assert lane_width([trace(lambda a, b: (a * b) >> 3, ports)]) == 32
    assert lane_modes(trace(lambda a, b: (a + b) >> 1, ports), 16) is None


def test_specs_are_traced_without_a_compiler():
    code = ("import sys, lnsarith.lns.spec, lnsarith.delta.methods, lnsarith.lns.convert\n"
            "import fxp.spec, fxp.trace.circuit\n"
            "assert not {'numba', 'llvmlite'} & set(sys.modules), 'a compiler was imported'")
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
