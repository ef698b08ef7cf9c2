"""Values worked out by hand, and laws that need no second implementation."""

import ast
import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from oracles import exact as oracle

ZERO, TOP, LEAST = 64, 63, 65  # words of 8 bits: zero, the largest, the smallest
NEGATIVE_ZERO = -64


def exact(gap, opposite):
    """Return D of words with two fraction bits."""
    return oracle.delta_exact(gap, opposite, 2)


def test_the_oracle_imports_nothing_of_the_project():
    allowed = {"__future__", "decimal", "fractions", "functools", "json", "math",
               "oracles.delta", "oracles.fixed", "oracles.lns", "oracles.units"}
    texts = [p for p in Path(oracle.__file__).parent.glob("*.py") if p.stem[:5] != "test_"]
    assert len(texts) >= 6
    for path in texts:
        nodes = list(ast.walk(ast.parse(path.read_text())))
        plain = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
        assert plain <= allowed
        assert {n.module for n in nodes if isinstance(n, ast.ImportFrom)} <= allowed


@pytest.mark.parametrize("rounding, words", [
    ("down", [-2, -2, -1, 0, 0, 1, 1, 2, 2]),
    ("nearest-even", [-2, -1, 0, 0, 1, 1, 2, 2, 2]),
    ("nearest-up", [-1, -1, 0, 1, 1, 1, 2, 2, 3]),
    ("toward-zero", [-1, -1, 0, 0, 0, 1, 1, 2, 2])])
def test_each_rounding_on_ties_and_others(rounding, words):
    reals = [-1.5, -1.25, -0.5, 0.5, 0.75, 1.25, 1.5, 2, 2.5]
    assert [oracle.fixed_quantise(x, 8, 0, True, rounding) for x in reals] == words


def test_stochastic_rounding_goes_up_as_often_as_the_fraction_says():
    for quarters in range(-8, 9):
        words = [oracle.fixed_quantise(Fraction(quarters, 4), 8, 0, True, "stochastic",
                                       random=u, dropped=2) for u in range(8, 12)]
        assert Fraction(sum(words), 4) == Fraction(quarters, 4)
        assert words == sorted(words)


def test_overflow_saturates_or_wraps():
    def word(x, signed, overflow):
        return oracle.fixed_quantise(x, 4, 0, signed, overflow=overflow)

    assert [word(x, True, "saturate") for x in (-9, -8, 7, 8)] == [-8, -8, 7, 7]
    assert [word(x, True, "wrap") for x in (-9, -8, 7, 8, 24)] == [7, -8, 7, -8, -8]
    assert [word(x, False, "saturate") for x in (-1, 15, 16)] == [0, 15, 15]
    assert [word(x, False, "wrap") for x in (-1, 15, 16)] == [15, 15, 0]


def test_fixed_point_by_hand():
    f = 8, 4, True
    assert oracle.fixed_value(-24, *f) == Fraction(-3, 2)
    assert oracle.fixed_add(100, 100, *f) == 127
    assert oracle.fixed_sub(-100, 100, *f, "wrap") == 56
    assert oracle.fixed_neg(-128, *f) == 127
    assert oracle.fixed_neg(-128, *f, "wrap") == -128
    assert [oracle.fixed_abs(x, *f) for x in (-128, -5, 5)] == [127, 5, 5]
    assert oracle.fixed_mul(24, 40, *f) == 60  # 1.5 * 2.5
    assert [oracle.fixed_mul(x, 8, *f) for x in (1, 3)] == [0, 2]  # ties
    assert oracle.fixed_mac(1, 3, 8, *f) == 2  # 1 + 1.5 units: the tie goes down
    assert [oracle.fixed_mul(1, 4, *f, "stochastic", random=u)
            for u in (11, 12, 28)] == [0, 1, 1]
    assert (oracle.fixed_min(-3, 2, *f), oracle.fixed_max(-3, 2, *f)) == (-3, 2)
    assert [oracle.fixed_compare(x, 0, *f) for x in (-1, 0, 1)] == [-1, 0, 1]
    assert oracle.fixed_resize(-24, *f, 8, 2, True) == -6
    assert oracle.fixed_resize(24, *f, 4, 4, False) == 15
    assert oracle.fixed_resize(3, *f, 8, 6, True, "stochastic", random=5) == 12
    assert [oracle.fixed_resize(5, *f, 8, 2, True, "stochastic", random=u)
            for u in range(8)] == [1, 1, 1, 2] * 2


def test_a_fixed_point_dot_product_rounds_once_or_in_each_step():
    f = 8, 4, True
    xs, ys = [1, 1, 1, 1], [8, 8, 8, 8]  # each product is half a unit
    assert oracle.fixed_dot(xs, ys, 1, *f) == 3
    assert oracle.fixed_dot(xs, ys, 1, *f, per_step=True) == 2  # 2.5 to 2
    # It saturates in the middle, or not at all.
    assert oracle.fixed_dot([100, -100], [100, 100], 0, *f) == 0
    assert oracle.fixed_dot([100, -100], [100, 100], 0, *f, per_step=True) == -128
    assert oracle.fixed_dot(xs, ys, 0, *f, "stochastic", per_step=True,
                            randoms=[7, 8, 7, 8]) == 2
    assert oracle.fixed_dot(xs[:3], ys[:3], 0, *f, "stochastic", randoms=[8]) == 2


def test_logarithmic_words_by_hand():
    assert [oracle.lns_decode(w, 8) for w in (0, TOP, LEAST, -1)] == [
        (1, 0), (1, 63), (1, -63), (-1, -1)]
    assert [oracle.lns_decode(w, 8) for w in (ZERO, NEGATIVE_ZERO)] == [(1, None)] * 2
    assert oracle.lns_encode(-1, 64, 8) == -128 + 63
    assert [oracle.lns_encode(-1, n, 8) for n in (-64, None)] == [ZERO, ZERO]
    assert oracle.lns_encode(-1, -64, 8, "smallest") == -128 + LEAST
    assert oracle.lns_encode(1, None, 8, "smallest") == ZERO


def test_every_logarithmic_word_survives_decoding_and_conversion():
    for word in range(-128, 128):
        canonical = ZERO if word == NEGATIVE_ZERO else word
        assert oracle.lns_encode(*oracle.lns_decode(word, 8), 8) == canonical
        real = Fraction(oracle.lns_to_real(word, 8, 3))
        assert oracle.lns_from_real(real, 8, 3) == canonical
        assert oracle.lns_from_real(real * Fraction(104, 100), 8, 3) == canonical
        assert oracle.lns_neg(oracle.lns_neg(word, 8), 8) == canonical
        assert oracle.lns_abs(word, 8) == oracle.lns_from_real(abs(real), 8, 3)


def test_reals_of_logarithmic_words():
    assert oracle.lns_to_real(8, 8, 3) == 2
    assert oracle.lns_to_real(-128 + 4, 8, 3) ** 2 == pytest.approx(Decimal(2))
    assert oracle.lns_from_real(-0.5, 8, 3) == -8
    assert oracle.lns_from_real(3, 8, 3) == 13  # log2(3) = 12.68 / 8
    assert oracle.lns_from_real(2**-7.94, 8, 3) == ZERO  # log -63.52 / 8
    assert oracle.lns_from_real(2**-7.93, 8, 3) == LEAST
    assert oracle.lns_from_real(-1000, 8, 3) == -128 + TOP


def test_logarithmic_products_quotients_and_powers_by_hand():
    minus = -128  # the sign bit: minus + 5 is the negative of 5
    assert oracle.lns_mul(minus + 5, 6, 8) == minus + 11
    assert [oracle.lns_mul(40, y, 8) for y in (40, ZERO, NEGATIVE_ZERO)] == [
        TOP, ZERO, ZERO]
    assert oracle.lns_mul(88, 88, 8) == ZERO  # log -40 twice
    assert oracle.lns_mul(88, 88, 8, "smallest") == LEAST
    assert oracle.lns_mul(TOP, ZERO, 8, "smallest") == ZERO
    assert oracle.lns_div(5, minus + 7, 8) == -2
    assert [oracle.lns_div(x, ZERO, 8) for x in (5, minus + 5, ZERO)] == [
        TOP, minus + TOP, ZERO]
    assert oracle.lns_div(ZERO, 5, 8, "smallest") == ZERO
    assert [oracle.lns_sqrt(x, 8) for x in (5, 7, 127, -1, ZERO)] == [
        2, 4, 0, ZERO, ZERO]
    assert [oracle.lns_power(minus + 3, y, 8, 1) for y in (1, 3, 4, -4)] == [
        2, 4, 6, 122]
    assert [oracle.lns_power(ZERO, y, 8, 1) for y in (1, 0, -1)] == [ZERO, 0, TOP]


def test_the_order_of_logarithmic_words_is_that_of_their_values():
    minus = -128
    order = [minus + TOP, minus + LEAST, ZERO, LEAST, 0, TOP]
    for i, x in enumerate(order):
        assert [oracle.lns_compare(x, y, 8, 3) for y in order] == (
            [1] * i + [0] + [-1] * (len(order) - 1 - i))


def test_logarithmic_sums_by_hand():
    minus = -128
    assert oracle.lns_add(0, 0, 8, exact) == 4  # 1 + 1 = 2
    assert oracle.lns_add(4, minus, 8, exact) == 0  # 2 - 1 = 1
    assert oracle.lns_add(0, minus + 4, 8, exact) == minus  # 1 - 2 = -1
    assert oracle.lns_sub(0, 0, 8, exact) == ZERO
    assert oracle.lns_add(TOP, TOP, 8, exact) == TOP
    assert oracle.lns_add(ZERO, minus + 9, 8, exact) == minus + 9
    assert oracle.lns_add(NEGATIVE_ZERO, ZERO, 8, exact) == ZERO
    below = LEAST + 1, minus + LEAST  # their difference is less than the smallest
    assert oracle.lns_add(*below, 8, exact) == ZERO
    assert oracle.lns_add(*below, 8, exact, "smallest") == LEAST
    assert oracle.lns_sub(LEAST, LEAST, 8, exact, "smallest") == ZERO
    assert oracle.lns_mac(minus, 2, 2, 8, exact) == 0  # -1 + 1.41 * 1.41
    # The product saturates: what is left of it is zero.
    assert oracle.lns_mac(minus + TOP, 40, 40, 8, exact) == ZERO


def test_sums_commute_and_negate():
    pick = random.Random(7)
    for _ in range(500):
        x, y = pick.randrange(-128, 128), pick.randrange(-128, 128)
        total = oracle.lns_add(x, y, 8, exact)
        assert total == oracle.lns_add(y, x, 8, exact)
        negated = oracle.lns_add(oracle.lns_neg(x, 8), oracle.lns_neg(y, 8), 8, exact)
        assert negated == oracle.lns_neg(total, 8)


def test_a_logarithmic_word_changes_its_format():
    minus = -128
    assert oracle.lns_resize(minus + 5, 8, 2, 10, 4) == -512 + 20
    assert [oracle.lns_resize(x, 8, 3, 6, 1) for x in (2, 6, 7, minus + 60)] == [
        0, 2, 2, -32 + 15]  # ties to even, and the top
    assert oracle.lns_resize(70, 8, 2, 6, 2) == 16
    assert oracle.lns_resize(70, 8, 2, 6, 2, "smallest") == 17
    assert oracle.lns_resize(ZERO, 8, 2, 6, 0, "smallest") == 16
    # The log 5 / 4 goes up once in four.
    assert [oracle.lns_resize(5, 8, 3, 6, 1, random=u) for u in range(8)] == [
        1, 1, 1, 2] * 2


def test_a_tree_pairs_neighbours_and_a_sequence_does_not():
    def delta(gap, opposite):
        return -gap - 1 if opposite else 10 + gap  # leaves a trace of each step

    # By hand: 0 + 1 -> 1 + 11 = 12; 12 + 2 -> 12 + 20 = 32.
    assert oracle.lns_sum([0, 1, 2], 8, delta) == 32
    assert oracle.lns_sum([2, 0, 1], 8, delta) == 14 + 10 + 13
    assert oracle.lns_sum([0, 1, 2, 2], 8, delta, tree=True) == 12 + 10
    assert oracle.lns_sum([0, 1, 2, 2], 8, delta) == 32 + 40 - 9  # saturated at 63
    assert oracle.lns_sum([0, 1, 2, ZERO, ZERO], 8, delta, tree=True) == 32
    assert oracle.lns_sum([], 8, delta) == ZERO
    # The initial word is the first leaf: (0 + 1) + (2 + 2).
    assert oracle.lns_dot([1, 2, 2], [0, 0, 0], 0, 8, delta, tree=True) == 22


def test_a_logarithmic_dot_product_by_hand():
    ones = [0] * 16
    assert oracle.lns_dot(ones[:3], ones[:3], ZERO, 8, exact) == 6  # 4, then 2 more
    # From 2**3.5 on another one is too little to move the sum; guard bits see it.
    assert oracle.lns_dot(ones, ones, ZERO, 8, exact) == 14
    assert oracle.lns_dot(ones, ones, ZERO, 8, fine, guard=2) == 16
    assert oracle.lns_dot(ones, ones, ZERO, 8, exact, tree=True) == 16
    assert oracle.lns_dot([0, 40], [0, -88], 0, 8, fine, guard=2) == -128 + TOP
    # With guard bits a product reaches 63.75, so 52 is left when 63 is subtracted.
    assert oracle.lns_dot([40], [40], -128 + TOP, 8, fine, guard=2) == 52
    assert oracle.lns_dot([], [], -5, 8, fine, guard=2) == -5


def fine(gap, opposite):
    """Return D of words with two fraction and two guard bits."""
    return oracle.delta_exact(gap, opposite, 4)


def test_the_end_of_an_accumulator_rounds_to_even_and_saturates():
    def twice(log):
        return oracle.lns_dot([log], [0], log, 8, lambda gap, opposite: 2, guard=2)

    assert [twice(log) for log in (4, 5, TOP)] == [4, 6, TOP]  # ties: half a unit more

    def tiny(underflow):
        # Logs -63 and -62 of opposite signs, lowered to -62 - 6/4: a tie, to -64.
        return oracle.lns_dot([65, 66], [-128, 0], ZERO, 8, lambda gap, opposite: -6,
                              2, underflow)

    assert [tiny("zero"), tiny("smallest")] == [ZERO, LEAST]
