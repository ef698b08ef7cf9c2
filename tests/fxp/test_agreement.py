"""Compiled kernels, NumPy and integers give the same words: every operator, random circuits.

`python -m benchmarks.agreement` compares every combination of options.
"""

import numpy as np
import pytest
from helpers.random_circuits import circuits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.agreement.cases import FRACS, WIDTHS, Case, axes, cases, covering
from benchmarks.agreement.compare import (
    SCALARS,
    scalar_differences,
    side_by_side,
    vector_differences,
)
from benchmarks.agreement.inputs import corner_inputs, corners
from benchmarks.agreement.machine import levels, map_plan, widths
from fxp.arrays.array import FixedArray
from fxp.format import Fixed
from fxp.run.backend import BACKENDS, backend, elementwise
from fxp.trace.bits import Table, clamp, lookup, maximum, minimum, where
from fxp.trace.circuit import trace
from lnsarith.catalogue.operators import OPERATORS

LEVELS = levels()
WORD = (-(1 << 15), (1 << 15) - 1)


def test_any_three_choices_of_an_operator_meet_and_every_width_is_there():
    every = {"bits": (4, 5, 6), "frac": (0, 1), "rounding": "abc", "overflow": "sw"}
    rows = covering(every, 3)
    assert len(rows) < 36  # all combinations
    for bits in every["bits"]:
        for rounding in "abc":
            for overflow in "sw":
                assert any(r[0] == bits and r[2:] == (rounding, overflow) for r in rows)
    assert axes(OPERATORS["fixed-mul"])["bits"] == tuple(WIDTHS) == tuple(range(4, 33))
    assert len(FRACS) == 5


@pytest.mark.parametrize("name", OPERATORS)
def test_kernels_and_scalar_loops_of_every_operator_give_the_words_of_numpy_and_of_integers(name):
    refused = {}
    chosen = list(cases(False, refused, name))
    assert not list(vector_differences(chosen, LEVELS, rotate=True))
    assert {case.name.split()[1] for case in chosen} == {f"bits={n}" for n in WIDTHS}
    assert len(refused) <= len(chosen) / 3, refused
    assert not list(scalar_differences(chosen[:: -(-len(chosen) // SCALARS)]))


def test_circuits_side_by_side_are_each_themselves():
    chosen = list(cases(False, None, "fixed-sub"))[:3] + list(cases(False, None, "lns-max"))[:1]
    both = side_by_side([case.circuit for case in chosen])
    given = {f"{name}_{k}": node.high for k, case in enumerate(chosen)
             for name, node in case.circuit.inputs.items()}
    assert both(**given) == tuple(
        case.circuit(**{name: node.high for name, node in case.circuit.inputs.items()})
        for case in chosen)


MANY = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(MANY, max_examples=40)
@given(st.lists(circuits(), min_size=5, max_size=8))
def test_random_circuits_give_the_words_of_numpy_in_every_width(drawn):
    chosen = [Case(f"random {circuit.nodes}", circuit) for circuit in drawn]
    assert not list(vector_differences(chosen, LEVELS, every_width=True))


@settings(MANY, max_examples=12)
@given(st.lists(circuits(), min_size=4, max_size=8))
def test_random_circuits_give_the_words_of_numpy_in_scalar_loops(drawn):
    chosen = [Case(f"random {circuit.nodes}", circuit) for circuit in drawn]
    assert not list(scalar_differences(chosen))


@pytest.mark.parametrize("name", BACKENDS)
def test_words_that_lanes_once_got_wrong(name):
    with backend(name):
        for bits in (8, 15, 16, 17, 31, 32):
            f = Fixed(bits, bits // 2)
            low, high = f.words
            x = FixedArray([low, low + 1, -1, 0, high], f, overflow="wrap")
            assert abs(x).words.tolist() == [low, high, 1, 0, high]
            assert abs(FixedArray([low], f)).words.tolist() == [high]
        x = FixedArray([1, 5, -3], Fixed(8, 0), overflow="wrap")
        for frac, words in ((14, [1 << 14, 1 << 14, 1 << 14]), (15, [-1 << 15] * 3), (16, [0] * 3)):
            assert x.astype(Fixed(16, frac)).words.tolist() == words
        assert x.astype(Fixed(32, 32)).words.tolist() == [0, 0, 0]


def same_everywhere(spec, ports, words=None):
    """Return the words of a circuit, the same by every backend, level and width."""
    circuit = trace(spec, ports)
    inputs = words or corner_inputs(circuit)
    case = Case("", circuit)
    assert not list(vector_differences([case], LEVELS, every_width=True))
    assert not list(vector_differences([case], LEVELS, every_width=True, optimise=True))
    found = [elementwise(circuit, inputs, backend=name).tolist() for name in BACKENDS]
    assert found[0] == found[1] == found[2]
    return found[0]


def test_a_shift_by_all_bits_and_more_leaves_the_sign():
    x = {"x": np.array([-(1 << 40), -1, 0, 1])}
    for count in (62, 63, 64, 65, 100):
        found = same_everywhere(lambda x, n=count: x >> n, {"x": (-(1 << 40), 1 << 40)}, x)
        assert found == [-1, -1, 0, 0]
    for count in (15, 16, 17, 31, 32, 40):
        found = same_everywhere(lambda x, n=count: (x << n) & 0xFFFF, {"x": (-4, 3)},
                                {"x": np.array([-1, 3])})
        assert found == [(-1 << count) & 0xFFFF, (3 << count) & 0xFFFF]


def test_tables_that_differ_in_minus_one_and_minus_two_are_two_tables():
    one, two = (Table("t", [*range(300), last]) for last in (-1, -2))
    assert hash(one) == hash(two)
    found = same_everywhere(lambda x: lookup(one, x) * 1000 + lookup(two, x), {"x": (0, 300)},
                            {"x": np.array([0, 7, 300])})
    assert found == [0, 7007, -1002]


def test_equal_tables_of_two_names_are_read_alike():
    tables = [Table(name, range(5, 9)) for name in "ab"]
    found = same_everywhere(lambda x, y: lookup(tables[0], x) - lookup(tables[1], y),
                            {"x": (0, 3), "y": (0, 3)}, {n: np.array(w) for n, w in (
                                ("x", [0, 3]), ("y", [1, 0]))})
    assert found == [-1, 3]


def test_ports_may_be_named_as_generated_code_names_values():
    def spec(n3, np, min):
        return n3 * np + where(n3 == min, n3, minimum(np, min))

    found = same_everywhere(spec, dict.fromkeys(("n3", "np", "min"), (0, 50)), {
        "n3": np.array([3, 4]), "np": np.array([5, 6]), "min": np.array([3, 5])})
    assert found == [18, 29]


def test_saturated_lanes_stay_narrow_only_where_a_clamp_follows():
    ports = {"x": WORD, "y": WORD}
    for spec, least in ((lambda x, y: clamp(maximum(x - y, y - x), 0, 32767), 16),
                        (lambda x, y: maximum(x - y, 0) & 0xFFFF, 32),
                        (lambda x, y: where(maximum(x, 0 - x) > 32767, y, x), 32)):
        assert widths(map_plan(trace(spec, ports)))[0] == least
        same_everywhere(spec, ports)


def test_corners_are_the_ends_zero_and_powers_with_their_neighbours():
    node = trace(lambda x: x + 1, {"x": (-9, 8)}).inputs["x"]
    assert set(corners(node)) == {-9, -8, -7, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7, 8}
    assert -6 in corners(node, [6])
