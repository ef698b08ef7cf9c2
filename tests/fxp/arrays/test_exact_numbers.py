"""Numbers of any kind become words by one rounding, and compare by their exact value."""

import operator
import subprocess
import sys
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import inf, isqrt, nan

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import exact as oracle

from fxp.arrays.array import FixedArray
from fxp.arrays.exact import exact_numbers
from fxp.format import Fixed
from lnsarith.catalogue.array import LnsArray
from lnsarith.delta.gauss import log2_word
from lnsarith.lns.format import Lns

F16, L16 = Fixed(16, 11), Lns(16, 10)
SMALL = [(FixedArray, Fixed(6, 3)), (FixedArray, Fixed(5, 0, False)), (FixedArray, Fixed(4, 4)),
         (LnsArray, Lns(6, 2)), (LnsArray, Lns(7, 0))]
BOTH = pytest.mark.parametrize("kind, f", [(FixedArray, F16), (LnsArray, L16)])
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
FAR = Fraction(1, 2**80)
RATIONALS = st.one_of(
    st.fractions(-40, 40), st.integers(-(1 << 90), 1 << 90).map(Fraction),
    st.builds(lambda n, e: Fraction(n, 1 << 12) + e * FAR, st.integers(-(1 << 17), 1 << 17),
              st.sampled_from([-1, 0, 1])))


def nearest_log(q: Fraction, frac: int) -> int:
    """Return log2 q in units, to nearest, by powers of fractions alone (small frac)."""
    power = q ** (2 << frac)  # its log2 in units of a half is between two integers
    top = power.numerator.bit_length() - power.denominator.bit_length()
    halves = top if Fraction(2) ** top <= power else top - 1
    return (halves + 1) // 2


@given(RATIONALS, st.sampled_from([Fixed(16, 11), Fixed(8, 8), Fixed(32, 31), Fixed(6, 0, False)]))
@example(Fraction(1, 4096) + FAR, F16)
@example(Fraction(1, 4096), F16)
@example(Fraction(1, 4096) - FAR, F16)
@example(Fraction(3, 4096) - FAR, F16)
@example(Fraction(-1, 4096) - FAR, F16)
def test_fractions_become_the_nearest_fixed_point_word(q, f):
    word = oracle.fixed_quantise(q, f.bits, f.frac, f.signed)
    assert int(FixedArray.from_float(q, f).words) == word
    assert FixedArray.from_float([[q], [0.25]], f).words[0, 0] == word
    x = FixedArray.zeros(2, f)
    x[1] = q
    assert x.words[1] == word


@given(RATIONALS, st.integers(0, 3))
@example(Fraction(isqrt(2 * 10**200), 10**100), 0)  # less than 10^-100 below a tie
@example(Fraction(isqrt(2 * 10**200) + 1, 10**100), 0)
@example(Fraction(isqrt(isqrt(2 * 10**400)) + 1, 10**100), 1)
@example(Fraction(2) ** 31, 3)
def test_fractions_become_the_nearest_logarithmic_word(q, frac):
    f = Lns(8, frac)
    log = None if q == 0 else nearest_log(abs(q), frac)
    word = oracle.lns_encode(-1 if q < 0 else 1, log, 8)
    assert int(LnsArray.from_float(q, f).words) == word
    if log is not None:
        assert log2_word(abs(q.numerator), q.denominator, frac) == log


@BOTH
@pytest.mark.parametrize("text, tame", [
    ("0.1", Fraction(1, 10)), ("-3.14159265358979323846", Fraction("-3.14159265358979323846")),
    ("1e999999999", 10**99), ("-1e999999999", -(10**99)), ("1e-999999999", Fraction(1, 10**99)),
    ("-3e-999999999", Fraction(-1, 10**99)), ("0e999999999", 0),
    ("1234.5678", Fraction("1234.5678"))])
def test_decimals_become_the_word_of_their_fraction_at_any_exponent(kind, f, text, tame):
    number = Decimal(text)
    assert kind.from_float(number, f).is_identical(kind.from_float(tame, f))
    assert kind.from_float([number], f).is_identical(kind.from_float([tame], f))
    for holds in COMPARISONS:
        assert holds(kind([5], f), number) == holds(kind([5], f), tame)


def test_huge_logs_and_numbers_of_many_digits_are_words_too():
    f = Lns(32, 0)
    x = LnsArray.from_float([Decimal("1e300000000"), Decimal("1e999999999"), 10**5000,
                             Fraction(-1, 10**5000), Decimal(10**5000)], f)
    # log2 of 10 is 3.32192809488736...
    assert x.words[:3].tolist() == [996578428, f.high_log, 16610]
    assert x.words[3] == oracle.lns_encode(-1, -16610, 32)
    assert x.words[4] == x.words[2]


@BOTH
@pytest.mark.parametrize("value", [
    2**60 + 1, -(2**64), [2**70, 0.5], [[2**63, -1]], np.array([2**62 + 1, 3]),
    np.array([2**64 - 1, 3], np.uint64), np.longdouble(1) / 3, np.float32(0.1),
    [1, Fraction(1, 3)]], ids=repr)
def test_ints_and_wide_floats_keep_every_digit(kind, f, value):
    def fractions(x):
        if isinstance(x, (list, np.ndarray)):
            return [fractions(part) for part in x]
        return Fraction(int(x)) if isinstance(x, (int, np.integer)) else Fraction(
            *x.as_integer_ratio())

    assert kind.from_float(value, f).is_identical(kind.from_float(fractions(value), f))
    array = exact_numbers(value)
    flat = fractions(list(np.array(value, object).flat))
    assert [Fraction(v) for v in array.flat] == flat


@pytest.mark.parametrize("given", [lambda n: n, lambda n: [n, 0.5], np.uint64, lambda n: [[n], [0]],
                                   Decimal, np.longdouble, lambda n: np.array([n, 5])])
def test_ints_on_either_side_of_a_tie_that_float64_cannot_tell_apart(given):
    f, tie = Lns(32, 24), Fraction(oracle_power(60 + Fraction(1, 1 << 25)))
    below, above = int(tie), int(tie) + 1
    assert float(below) == float(above)
    words = [LnsArray.from_float(given(n), f).words.reshape(-1)[0] for n in (below, above)]
    assert words == [60 << 24, (60 << 24) + 1]


def oracle_power(exponent: Fraction) -> Decimal:
    """Return 2**exponent with 80 digits."""
    with localcontext(Context(prec=80)):
        return Decimal(2) ** (Decimal(exponent.numerator) / exponent.denominator)


REFUSED = [1j, np.complex64(1), [1, 2j], "1", b"1", np.array(["1"]), [1, "2"], None, [None, 1.0],
           True, np.True_, [True, 0.5], [[0.5], [False]], np.array([True]), Ellipsis, [Ellipsis],
           np.ma.array([1.0, 2.0], mask=[0, 1]), [np.ma.array([1.0], mask=[1])],
           np.array([1, None]), np.array([1j, Fraction(1, 2)], object), np.datetime64("2026-01-01")]


@BOTH
@pytest.mark.parametrize("value", REFUSED, ids=repr)
def test_what_is_no_real_number_is_refused(kind, f, value):
    says = "real numbers are wanted|a truth value is no number|a masked array has places"
    with pytest.raises(TypeError, match=says):
        kind.from_float(value, f)


@BOTH
@pytest.mark.parametrize("value", [nan, Decimal("nan"), Decimal("sNaN"), Decimal("-Infinity"),
                                   [Fraction(1, 3), inf], [2**70, nan], np.float16(-inf)], ids=repr)
def test_nan_and_infinity_of_any_kind_have_no_word(kind, f, value):
    with pytest.raises(ValueError, match=f"{f} has no word for (nan|-?inf)"):
        kind.from_float(value, f)


def around(values):
    """Return numbers at, just below and just above each of some values."""
    return sorted({v + e for v in values for e in (-FAR, 0, FAR, Fraction(1, 7))})


@pytest.mark.parametrize("kind, f", SMALL, ids=str)
def test_words_compare_with_numbers_by_exact_value(kind, f):
    """A logarithmic word with a log off the integers is irrational: its power is compared."""
    words = np.arange(f.words[0], f.words[1] + 1)
    x = kind(words, f)
    values = [oracle.fixed_value(w, f.bits, f.frac, f.signed) if kind is FixedArray
              else Fraction(v) for w, v in zip(words.tolist(), x._decoded().tolist())]
    numbers = around([*values, 0, 3, -5, 2**40, -(2**40), Fraction(1, 2**40)])

    def order(word, value, q):
        if kind is LnsArray and value and (q > 0) == (value > 0) and q:
            _, log = oracle.lns_decode(word, f.bits)
            size = abs(q) ** (1 << f.frac)
            return int(np.sign(Fraction(2) ** log - size)) * (1 if q > 0 else -1)
        return (value > q) - (value < q)

    right = np.array([[order(w, v, q) for w, v in zip(words.tolist(), values)] for q in numbers])
    column = np.array(numbers, object)[:, None]
    floats = np.array(numbers, np.float64)[:, None]
    exact = np.array([Fraction(float(v)) == q for v, q in zip(floats[:, 0], numbers)])
    for holds in COMPARISONS:
        assert np.array_equal(holds(x, column), holds(right, 0)), holds
        assert np.array_equal(holds(x, floats[exact]), holds(right[exact], 0)), holds
        assert np.array_equal(holds(x, numbers[7]), holds(right[7], 0))
        assert np.array_equal(holds(floats[exact], x), holds(0, right[exact]))


@BOTH
def test_nan_and_infinity_compare_as_floats_do(kind, f):
    x, floats = kind.from_float([1.0, -2.0, 0.0], f), np.array([1.0, -2.0, 0.0])
    for other in (nan, inf, -inf, np.array([nan, 1.0, inf]), [0.0, nan, -inf], 1e308, -1e308,
                  5e-324, np.float32(1.0)):
        for holds in COMPARISONS:
            assert np.array_equal(holds(x, other), holds(floats, other)), (holds, other)
            assert holds(x, other).dtype == bool
    assert np.array_equal(x == [Fraction(1), Decimal("NaN"), inf], [True, False, False])
    assert np.array_equal(x != [Fraction(1), Decimal("NaN"), inf], [False, True, True])


@BOTH
def test_comparisons_broadcast_and_refuse_what_has_no_order(kind, f):
    x = kind.from_float([1.0, 2.0], f)
    assert (x < np.array([[1.5], [3.0]])).tolist() == [[True, False], [True, True]]
    assert (x == Fraction(1, 4)).tolist() == [False, False]
    assert (x >= [1, 3]).tolist() == [True, False]
    for other in ("1", None, object()):
        assert (x == other) is False and (x != other) is True
        with pytest.raises(TypeError):
            x < other  # noqa: B015
    for other in (1j, True, np.array(["1"]), np.ma.array([1.0, 2.0], mask=[0, 1])):
        for holds in (operator.eq, operator.lt):
            with pytest.raises(TypeError, match="real numbers|truth value|masked"):
                holds(x, other)


def test_numbers_outside_a_format_do_not_saturate_before_they_are_compared():
    x = FixedArray([0], Fixed(8, 4, False))
    assert (x > -5).all() and not (x == -5).any() and (x != -5).all()
    assert (FixedArray([127], Fixed(8, 4)) < 8).all()
    assert (LnsArray([L16.high_log], L16) < 1e9).all()
    assert (LnsArray([L16.zero], L16) < 1e-9).all() and (LnsArray([L16.zero], L16) == 0).all()


@BOTH
def test_fractions_and_decimals_take_part_in_arithmetic(kind, f):
    x = kind.from_float([1.0, -3.0], f)
    for number in (Fraction(1, 2), Decimal("0.5"), np.longdouble(0.5)):
        assert (x + number).is_identical(x + 0.5) and (number * x).is_identical(0.5 * x)
        assert x.maximum(number).is_identical(x.maximum(0.5))
    x[0] = Fraction(1, 3)
    assert x[0].is_identical(kind.from_float(1 / 3, f))


@BOTH
def test_arrays_without_dimensions_are_assigned(kind, f):
    for x in (kind.from_float(1.0, f), kind(0, f), kind.zeros((), f), kind.from_float([1], f)[0],
              kind.from_float(1.0, f) + 1, kind.from_float([1, 2], f).sum()):
        x[()] = 2
        assert (x == 2).all() and x.shape == () and isinstance(x.words, np.ndarray)
        x[...] = kind.from_float(4.0, f)
        assert (x == 4).all()


@pytest.mark.parametrize("module", ["fxp.strategies", "lnsarith.strategies"])
def test_strategies_without_hypothesis_name_the_extra(module):
    program = f"import sys; sys.modules['hypothesis'] = None; import {module}"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=False)
    assert told.stderr.endswith("ModuleNotFoundError: strategies need hypothesis, which is in the "
                                "extra test: pip install 'lnsarith[test]'\n")
