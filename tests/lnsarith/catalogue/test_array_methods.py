"""Means, extremes, powers and texts of arrays, and formats given as text."""

import math
from fractions import Fraction

import numpy as np
import pytest
from oracles import exact as oracle

from fxp import spec as fixed_spec
from fxp.arrays.array import FixedArray
from fxp.format import Fixed, FormatError
from fxp.run import backend as run
from lnsarith.catalogue.array import LnsArray
from lnsarith.lns import spec as lns_spec
from lnsarith.lns.format import Lns

F, L = Fixed(8, 3), Lns(8, 3)
BOTH = pytest.mark.parametrize("kind, f", [(FixedArray, F), (LnsArray, L)])


def numbers(kind, f, shape, seed=0, **options):
    words = np.random.default_rng(seed).integers(*f.words, shape, endpoint=True)
    return kind(words, f, **options)


@pytest.mark.parametrize("rounding", ["down", "toward-zero", "nearest-even", "nearest-up"])
@pytest.mark.parametrize("rows", [1, 2, 3, 4, 6, 7])
def test_the_mean_of_fixed_point_numbers_is_exact_and_rounded_once(rounding, rows):
    x = numbers(FixedArray, F, (rows, 200), rounding=rounding)
    for axis, words in ((0, x.words.T), (1, x.words), (-1, x.words)):
        right = [oracle.fixed_quantise(Fraction(sum(w), 8 * len(w)), 8, 3, rounding=rounding)
                 for w in words.tolist()]
        assert x.mean(axis).words.tolist() == right
    assert int(x.mean().words) == oracle.fixed_quantise(
        Fraction(int(x.words.sum()), 8 * x.size), 8, 3, rounding=rounding)


def test_the_mean_of_the_largest_words_does_not_saturate():
    top = FixedArray(np.full(1000, 2**31 - 1), Fixed(32, 0))
    assert int(top.mean().words) == 2**31 - 1
    assert int(FixedArray(np.full(999, -(2**31)), Fixed(32, 0)).mean().words) == -(2**31)


def test_the_mean_of_logarithmic_numbers_is_the_sum_by_the_count():
    x = numbers(LnsArray, L, (3, 40))
    assert x.mean(0).is_identical(x.sum(0) / 3)
    assert x.mean(1).is_identical(x.sum(1) / 40) and x.mean().is_identical(x.sum() / 120)
    delta = x._parameter("delta", None)
    words = []
    for a, b in x.words[:2].T.tolist():
        words.append(lns_spec.div(lns_spec.add(a, b, L, delta), 1 << 3, L))
    assert x[:2].mean(0).words.tolist() == words


@BOTH
@pytest.mark.parametrize("backend", run.BACKENDS)
def test_extremes_are_those_of_the_values(kind, f, backend):
    with run.backend(backend):
        for shape in ((1, 5), (2, 5), (7, 5), (8, 3)):
            x = numbers(kind, f, shape)
            values = x.to_float()
            for axis in (0, 1, -1, None):
                assert np.array_equal(x.max(axis).to_float(), values.max(axis))
                assert np.array_equal(x.min(axis).to_float(), values.min(axis))


@BOTH
def test_of_no_numbers_there_is_no_mean_and_no_extreme(kind, f):
    empty = kind.zeros((0, 3), f)
    for ask in (lambda: empty.max(), lambda: empty.min(0), lambda: empty.mean(),
                lambda: empty.mean(0)):
        with pytest.raises(ValueError, match="no numbers"):
            ask()
    assert empty.max(1).shape == empty.mean(1).shape == (0,)


def test_a_mean_is_not_rounded_stochastically():
    with pytest.raises(TypeError, match="not rounded stochastically"):
        FixedArray([1, 2], F, rounding="stochastic").mean()


def test_equal_extremes_are_the_first_of_them():
    zeros = [L.zero, L.zero - 256 + 128]  # the second has a sign that is ignored
    assert int(LnsArray([zeros[0], zeros[1]], L).max().words) == zeros[0]
    assert int(LnsArray([zeros[1], zeros[0], zeros[0]], L).min().words) == zeros[1]


@pytest.mark.parametrize("options", [{}, {"rounding": "down", "overflow": "wrap"}], ids=str)
def test_fixed_point_powers_are_products_from_left_to_right(options):
    x = FixedArray(np.arange(-128, 128), F, **options)
    rounding, mode = x.options["rounding"], x.options["overflow"]
    right = words = x.words.tolist()
    for n in range(1, 6):
        assert (x**n).words.tolist() == right and (x ** np.int8(n)).words.tolist() == right
        right = [fixed_spec.mul(a, b, F, rounding, mode) for a, b in zip(right, words)]
    assert (x**0 == 1).all() and (x**1).words is not x.words
    for exponent in (0.5, "2", True, np.ones(3), x):
        with pytest.raises(TypeError, match="power"):
            x**exponent
    for exponent in (-1, 1001):
        with pytest.raises(ValueError, match=f"is 0..1000, got {exponent}"):
            x**exponent


def test_logarithmic_powers_multiply_the_log_and_keep_the_sign_of_odd_ones():
    x = LnsArray(np.arange(-128, 128), L)
    for n in (-3, -2, -1, 0, 1, 2, 3, 2.0, Fraction(3)):
        magnitude = x.power(n)
        odd = n % 2 == 1
        words = [lns_spec.neg(m, L) if odd and v < 0 else m
                 for m, v in zip(magnitude.words.tolist(), x.to_float().tolist())]
        assert (x**n).words.tolist() == words
    assert (x**1).to_float().tolist() == x.to_float().tolist()
    positive = x.maximum(0)
    assert (positive**0.5).is_identical(positive.power(0.5))
    assert (positive ** FixedArray(4, F)).is_identical(positive.power(0.5))
    for exponent in (0.5, FixedArray(4, F)):
        with pytest.raises(ValueError, match="a negative number has no power .*x.power"):
            x**exponent
    for exponent in (Fraction(1, 3), 1000, np.array([2, 3])):
        with pytest.raises(FormatError, match="no multiple of 1/256 from -128 to 128"):
            x**exponent


@BOTH
def test_the_text_shows_values_and_their_format(kind, f):
    x = kind.from_float([1, -2, 0.5], f)
    assert str(x) == f"[ 1.  -2.   0.5] {f}" and f"{x[1]}" == f"-2. {f}"
    assert len(str(kind.zeros(10**5, f))) < 100
    assert str(kind([], f)) == f"[] {f}"


def test_formats_may_be_given_as_text():
    x = FixedArray.from_float([1.0, -1.5], "fixed16.11")
    assert x.f == Fixed(16, 11) and FixedArray([1], "ufixed8").f == Fixed(8, 4, False)
    assert FixedArray.zeros(2, "fixed8.3").f == F and LnsArray([0], "lns12").f == Lns(12, 6)
    y = LnsArray.from_float([1.0, -1.5], "lns16")
    assert y.f == Lns(16, 10)
    for array in (x, y):
        assert array.astype("lns9.4").is_identical(array.astype(Lns(9, 4)))
        assert array.astype("fixed8.3").is_identical(array.astype(F))
        assert array.astype("ufixed8.3").is_identical(array.astype(Fixed(8, 3, False)))
    with pytest.raises(FormatError, match="bits must be 4..32, got 64"):
        x.astype("lns64")
    with pytest.raises(FormatError, match="not a fixed-point format: 'lns16'"):
        FixedArray([1], "lns16")
    with pytest.raises(FormatError, match="not a logarithmic format: 'fixed16'"):
        LnsArray.from_float([1], "fixed16")


def test_the_sum_of_squares_by_every_road_is_one_word():
    x = FixedArray.from_float([1.5, -2.25, 3.0], "fixed16.8")
    assert float(x @ x) == math.fsum(v * v for v in (1.5, -2.25, 3.0))
    assert (x @ x).is_identical((x * x).sum()) and (x**2).is_identical(x * x)
