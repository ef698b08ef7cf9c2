"""Min-selector, shifted ReLUs, lines and equal bits: what their circuits hold, and texts."""

import re

import numpy as np
import pytest
from helpers.judged import MORE, arguments, truth
from helpers.small_formats import small_formats
from hypothesis import given
from hypothesis import strategies as st
from oracles import exact as oracle

from fxp.format import Fixed, FormatError
from fxp.operators.segments import Segment, Segments
from fxp.operators.spindle import Spindle, Unit, spindle
from fxp.operators.xnor import xnor_popcount
from fxp.text.dyadic import dyadic, power_of_two
from lnsarith.catalogue.bench.bench import Bench
from lnsarith.catalogue.bench.report import check
from lnsarith.catalogue.operators import find

UNITS = ["fixed-minselect", "fixed-minselect-mac", "fixed-spindle", "fixed-pwl",
         "fixed-xnor-popcount"]
CASES = [(name, f, options) for name in UNITS for f in small_formats(find(name))
         for options in [{}, *MORE.get(name, [])]]
POINTS = np.linspace(-30, 30, 200_001)
LOGISTIC = 1 / (1 + np.exp(-POINTS))


def operations(name, f=None, **options):
    return {node.op for node in find(name).circuit(f or Fixed(16, 11), **options).nodes}


@pytest.mark.parametrize("name, f, options", CASES, ids=str)
def test_compiled_units_are_the_spec_on_integers(name, f, options):
    bench = Bench(name, f, options)
    rng = np.random.default_rng(2)
    words = {n: rng.integers(*span, 400, endpoint=True) for n, span in bench.ports.items()}
    rows = list(zip(*(w.tolist() for w in words.values())))
    rest = arguments(bench.operator, f, bench.settings)
    expected = [truth(bench.operator)(**dict(zip(words, row)), **rest) for row in rows]
    ints = [bench.circuit(**dict(zip(words, row))) for row in rows]
    assert bench.run(words).tolist() == expected == ints


@pytest.mark.parametrize("name", ["fixed-spindle", "fixed-pwl"])
def test_every_word_of_ten_bits_has_the_oracle_s_function(name):
    f, operator = Fixed(10, 5), find(name)
    words = np.arange(f.low, f.high + 1)
    rest = arguments(operator, f, operator.settings({}))
    expected = [truth(operator)(int(w), **rest) for w in words]
    assert operator.circuit(f)(x=words).tolist() == expected


@pytest.mark.parametrize("name, options", [
    ("minselect", {"ratio": "3/8", "gain": "249/128"}), ("minselect-mac", {"ratio": "2"}),
    ("pwl", {}), ("spindle", {"rounding": "nearest-up"})])
def test_nearest_rounding_errs_by_half_a_unit_at_most(name, options):
    report = check(name, Fixed(12, 6), options, samples=1 << 16)
    assert 0 <= report.max_ulp <= 0.5
    assert not report.counts["wrong_sign"] + report.counts["wrapped"]


@pytest.mark.parametrize("name", ["fixed-minselect", "fixed-minselect-mac"])
def test_a_plain_min_selector_neither_multiplies_nor_rounds(name):
    plain = operations(name)
    assert plain <= {"input", "const", "lt", "xor", "sub", "add", "min", "max", "where"}
    for options in ({"ratio": "4"}, {"gain": "8"}, {"gain": "1/2", "rounding": "down"},
                    {"ratio": "1/4", "gain": "2", "rounding": "down"}):
        assert operations(name, **options) - plain <= {"shl", "shr"}
    assert "shr" not in operations(name, ratio="1/4", gain="4")
    assert "mul" in operations(name, gain="3/2")


def test_units_of_one_operand_hold_no_multiplier():
    assert operations("fixed-spindle") <= {"input", "const", "add", "sub", "max", "min", "shl",
                                           "shr"}
    assert "mul" not in operations("fixed-pwl")


@pytest.mark.parametrize("ratio, gain", [("1/256", "1/256"), ("256", "256"), ("255/256", "256")])
def test_the_widest_min_selector_stays_within_64_bits(ratio, gain):
    f = Fixed(32, 0)
    options = {"ratio": ratio, "gain": gain, "overflow": "wrap"}
    circuit = find("minselect-mac").circuit(f, **options)
    settings = find("minselect-mac").settings(options)
    rest = dict(bits=32, frac=0, signed=True, **settings)
    for row in ((f.low, f.low, f.high), (f.high, f.low, f.low), (f.low, f.low, f.low)):
        words = dict(zip(("acc", "x", "y"), row))
        assert circuit(**words) == oracle.fixed_minselect_mac(**words, **rest)


def test_the_unbiased_and_the_least_squares_gain():
    rng = np.random.default_rng(3)
    x, y = (np.abs(rng.standard_normal(1 << 18)) * np.sqrt(np.pi / 2) for _ in range(2))
    size = find("minselect").truth({"x": x, "y": y})
    assert (x * y).mean() / size.mean() == pytest.approx(1 + 2**-0.5, rel=0.01)
    least = 1 / (np.sqrt(2) * (1 - 2 / np.pi))
    assert (x * y) @ size / (size @ size) == pytest.approx(least, rel=0.01)
    assert least == pytest.approx(249 / 128, abs=0.001)


@pytest.mark.parametrize("bits", [4, 7, 32])
def test_equal_bits_of_corners(bits):
    f = Fixed(bits, 0, False)
    circuit = find("xnor-popcount").circuit(f)
    assert (circuit.outputs["out"].low, circuit.outputs["out"].high) == (0, bits)
    for x, y in ((0, 0), (0, f.high), (f.high, f.high), (1, f.high), (5, 6)):
        assert circuit(x=x, y=y) == oracle.fixed_xnor_popcount(x, y, bits, 0, False)
        assert xnor_popcount(x, y, f) == circuit(x=x, y=y)


def test_bits_are_counted_as_the_real_function_says():
    report = check("xnor-popcount", Fixed(8, 0, False), exhaustive=True)
    assert (report.max_ulp, report.counts["compared"]) == (0, 1 << 16)


def test_bits_are_added_as_a_tree():
    nodes = find("xnor-popcount").circuit(Fixed(32, 0, False)).nodes
    depth = {}
    for node in nodes:
        depth[node.index] = max((depth[a.index] for a in node.args), default=0) + (
            node.op == "add")
    assert max(depth.values()) == 5


@pytest.mark.parametrize("parse, name, error", [(Spindle.parse, "logistic8", 0.0115),
                                                (Segments.parse, "logistic9", 0.01)])
def test_the_default_approximations_of_the_logistic_function(parse, name, error):
    found = np.abs(parse(name).real(POINTS) - LOGISTIC).max()
    assert 0.98 * error < found <= error
    operator = {"logistic8": "spindle", "logistic9": "pwl"}[name]
    assert check(operator, Fixed(16, 11)).max_ulp < (1 if operator == "spindle" else 0.51)


def numbers(bits=6):
    return st.integers(-(1 << 10), 1 << 10).map(lambda k: dyadic("n", f"{k}/{1 << bits}"))


@given(st.lists(st.builds(Unit, numbers(), st.integers(-16, 4), st.sampled_from([1, -1]),
                          st.booleans()), min_size=1, max_size=9), numbers(11))
def test_spindles_survive_their_text(units, offset):
    one = Spindle(tuple(units), offset)
    assert Spindle.parse(str(one)) == one


SLOPES = st.builds(lambda log, sign: sign * dyadic("n", f"2^{log}"), st.integers(-16, 8),
                   st.sampled_from([1, 0, -1]))


@given(st.builds(Segment, st.none(), SLOPES, numbers(12)),
       st.lists(st.builds(Segment, numbers(), SLOPES, numbers(12)), max_size=6,
                unique_by=lambda s: s.start))
def test_segments_survive_their_text(first, others):
    one = Segments((first, *sorted(others, key=lambda s: s.start)))
    assert Segments.parse(str(one)) == one


def test_the_parts_of_a_text():
    one = Spindle.parse(" offset=7/1024, -4:+2^-5,1.5:-0.25:left ")
    assert str(one) == "offset=7/1024,-4:+2^-5,3/2:-2^-2:left"
    assert one.at(Fixed(12, 6)) == (14, [(-256, 0, 1, False), (96, 3, -1, True)], 5)
    assert [power_of_two(dyadic("n", t)) for t in ("8", "1/8", "3", "-2", "0")] == [
        3, -3, None, None, None]


@pytest.mark.parametrize("given, message", [
    ("", "a spindle has 1..64 units, got 0"),
    ("1", "a unit is knee:gain or knee:gain:left, got '1'"),
    ("1:2:right", "a unit is knee:gain or knee:gain:left, got '1:2:right'"),
    ("1:3", "a gain is + or - a power of two, got '3'"), ("1:0", "got '0'"),
    ("1:2^-17", "a gain is + or - a power of two, 2^-16..2^4, got 2^-17"),
    ("a:1", "knee must be a number such as 3/2, 0.25 or 2^-5, got 'a'"),
    ("1/0:1", "got '1/0'"),
    ("0.1:1", "knee must be a multiple of 2^-24, got 0.1; 838861/8388608 is near"),
    ("offset=1,offset=2,0:1", "a spindle has one offset, got 1, 2"),
    ("1/64:1", "knee 1/64 is no multiple of 2^-5, the unit of fixed10.5"),
    ("16:1", "knee 16 is outside fixed10.5, which is -16..15.9688"),
])
def test_spindles_that_cannot_be(given, message):
    with pytest.raises(FormatError, match=re.escape(message)):
        find("spindle").circuit(Fixed(10, 5), units=given)


@pytest.mark.parametrize("given, message", [
    ("1:2:3", "the first segment is slope:intercept"),
    ("0:0,0:0", "the others are start:slope:intercept, with rising starts"),
    ("0:0,1:0:0,1:1:0", "with rising starts"),
    ("0", "a segment is start:slope:intercept, got '0'"),
    ("3:0", "a slope is 0 or + or - a power of two, 2^-16..2^8, got 3"),
    ("0:0,1/64:1:0", "start 1/64 is no multiple of 2^-5, the unit of fixed10.5"),
    ("0:x", "intercept must be a number"),
])
def test_segments_that_cannot_be(given, message):
    with pytest.raises(FormatError, match=re.escape(message)):
        find("pwl").circuit(Fixed(10, 5), segments=given)


@pytest.mark.parametrize("name, options, f, message", [
    ("minselect", {"gain": "1.9459"}, Fixed(8, 3),
     "gain must be a multiple of 2^-8, got 1.9459; 249/128 is near"),
    ("minselect", {"ratio": "-1"}, Fixed(8, 3), "ratio must be above 0 and at most 256, got -1"),
    ("minselect-mac", {"ratio": "0"}, Fixed(8, 3), "ratio must be above 0"),
    ("minselect-mac", {"gain": "257"}, Fixed(8, 3), "at most 256, got 257"),
    ("xnor-popcount", {}, Fixed(8, 0), "such as ufixed16.0, got fixed8.0"),
    ("xnor-popcount", {}, Fixed(8, 2, False), "such as ufixed16.0, got ufixed8.2"),
])
def test_messages_of_the_units(name, options, f, message):
    with pytest.raises(FormatError, match=re.escape(message)):
        find(name).circuit(f, **options)


def test_a_negative_sum_is_floored_and_a_wide_one_saturates():
    f = Fixed(10, 5)
    one = Spindle.parse("0:-2^-1")
    assert [spindle(x, f, f, one) for x in (0, 1, 2, 3)] == [0, -1, -1, -2]
    eight = Spindle.parse(",".join(["-16:+2^0"] * 8))
    assert spindle(f.high, f, f, eight) == f.high
    assert spindle(f.high, f, Fixed(16, 5), eight) == 8 * (f.high - f.low)
