"""The reader of numbers: what it takes, exactly, and what it refuses at once."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxp.format import FormatError
from fxp.text.numbers import exact, real, shown, whole


@pytest.mark.parametrize(("text", "value"), [
    ("3", 3), ("+3", 3), ("-5/8", Fraction(-5, 8)), (" .25 ", Fraction(1, 4)), ("5.", 5),
    ("1e-3", Fraction(1, 1000)), ("1E+2", 100), ("2^-5", Fraction(1, 32)), ("-2^3", -8),
    ("+2^-1", Fraction(1, 2)), ("1/2^3", Fraction(1, 8)), ("0.1^2", Fraction(1, 100)),
    (0.1, Fraction(1, 10)), (7, 7), (Fraction(2, 3), Fraction(2, 3)), (np.float64(0.5), 0.5),
    (np.int16(-4), -4), ("2^999", 2**999), ("1e308", 10**308)])
def test_a_number_is_read_exactly(text, value):
    assert exact("x", text) == value


@pytest.mark.parametrize("text", [
    "", " ", ".", "x", "nan", "inf", "-inf", "1e", "e5", "1_0", "0x10", "1/0", "0^-1", "--1", "1 2",
    "1/2/3", "1e999999999", "1e-999999999", "1e9999", "2^999999999", "1e400^400", "9" * 65,
    "9" * 100_000, "1/" + "9" * 10_000, "٣", "1\n2", True, None, [], math.nan, math.inf,
    10**70, 2j])
def test_what_is_no_number_of_bounded_size_is_refused_in_a_short_line(text):
    near = text in ("1e-999999999", 10**70)  # to a float64
    for read in (exact, whole) if near else (exact, whole, real):
        with pytest.raises(FormatError) as caught:
            read("x", text)
        assert str(caught.value).startswith("x must be ") and len(str(caught.value)) < 200


@given(st.fractions(max_denominator=10**12), st.integers(-(2**63), 2**63 - 1))
def test_what_is_written_is_read_again(fraction, integer):
    assert exact("x", str(fraction)) == fraction
    assert whole("x", str(integer)) == whole("x", integer) == integer


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_read_as_python_reads_them(number):
    assert real("x", repr(number)) == real("x", number) == number


def test_ranges_are_told():
    assert [whole("n", n, 0, 3) for n in (0, "3")] == [0, 3]
    for n in (-1, "4", 2**63, "9" * 60):
        with pytest.raises(FormatError, match=r"n must be an integer 0\.\.3, got"):
            whole("n", n, 0, 3)
    with pytest.raises(FormatError, match="n must be an integer -9223372036854775808"):
        whole("n", 2**63)


def test_what_came_is_shown_in_a_few_characters():
    for given_ in ("y" * 10**6, b"y" * 10**6, 10**30_000, [1] * 10**6, ["y" * 10**5]):
        assert len(shown(given_)) <= 60
    assert (shown("a"), shown(3), shown(None)) == ("'a'", "3", "None")
