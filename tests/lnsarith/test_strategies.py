"""What the public strategies promise to those who test with them."""

import subprocess
import sys

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from fxp import spec
from fxp.format import Fixed, FormatError
from fxp.strategies import corners, fixed_formats, pairs, patterns, words
from lnsarith.lns.format import Lns
from lnsarith.strategies import lns_formats

FORMATS = st.one_of(fixed_formats(), lns_formats())


@given(st.data(), FORMATS)
def test_words_and_pairs_are_words_of_the_format(data, f):
    drawn = [data.draw(words(f)), *data.draw(pairs(f)), *corners(f)]
    low, high = f.words
    assert all(low <= word <= high for word in drawn)


@given(pairs(Fixed(4, 0)), pairs(Lns(4, 0)), pairs(Fixed(4, 0, signed=False)))
def test_pairs_at_the_ends_of_a_small_format_stay_inside(fixed, lns, unsigned):
    assert all(-8 <= word <= 7 for word in (*fixed, *lns))
    assert all(0 <= word <= 15 for word in unsigned)


@given(st.data())
def test_formats_keep_to_the_range_of_bits(data):
    for formats in (fixed_formats, lns_formats):
        assert 4 <= data.draw(formats()).bits <= 32
        assert 6 <= data.draw(formats(6, 9)).bits <= 9
        assert data.draw(formats(min_bits=32)).bits == 32


@pytest.mark.parametrize("formats, most", [(fixed_formats, 0), (lns_formats, 2)])
def test_formats_reach_every_limit_and_shrink_to_the_smallest(formats, most):
    smallest = find(formats(), lambda f: True)
    assert (smallest.bits, smallest.frac) == (4, 0)
    assert find(formats(), lambda f: f.frac == f.bits - most)
    assert find(formats(), lambda f: f.bits == 32)


@pytest.mark.parametrize("formats", [fixed_formats, lns_formats])
def test_a_range_of_bits_that_cannot_be_is_refused(formats):
    with pytest.raises(FormatError, match="max_bits must be 4..32, got 33"):
        formats(max_bits=33)
    with pytest.raises(FormatError, match="min_bits must be 4..8, got 9"):
        formats(9, 8)


def test_corners_by_hand():
    assert corners(Fixed(5, 2)) == [
        0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 7, -7, 8, -8, 9, -9, 14, 15, -15, -16]
    assert corners(Fixed(5, 2, signed=False)) == [
        0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 30, 31]


@given(FORMATS)
def test_corners_are_simplest_first_and_unique(f):
    found, (low, high) = corners(f), f.words
    assert found[0] == 0
    assert len(found) == len(set(found)) < 6 * f.bits
    assert {low, low + 1, high - 1, high} <= set(found)


@given(lns_formats())
def test_corners_of_a_logarithmic_format_hold_its_own(f):
    two = 1 << f.frac
    found, minus = set(corners(f)), -1 << (f.bits - 1)
    assert {f.zero, f.zero + 1, f.high_log, f.one, minus, minus + 1} <= found
    if f.frac < f.bits - 2:
        assert {two - 1, two, two + 1} <= found


def test_patterns_by_hand():
    assert set(patterns(4)) == set(range(16)) - {6, 9}
    assert {0x5555, 0xAAAA, 0x3333, 0xCCCC, 0x0F0F, 0xF0F0} <= set(patterns(16))
    assert {0x8000, 0x7FFF, 0x0FFF, 0xFF00} <= set(patterns(16))


@given(st.integers(1, 32))
def test_patterns_fill_their_bits_and_no_more(bits):
    found = patterns(bits)
    assert len(found) == len(set(found))
    assert min(found) == 0 and max(found) == (1 << bits) - 1


@pytest.mark.parametrize("f", [Fixed(8, 3), Fixed(8, 3, signed=False), Lns(8, 3)])
def test_every_word_can_be_drawn(f):
    low, high = f.words
    for word in range(low, high + 1, 17):
        assert find(words(f), lambda drawn, word=word: drawn == word) == word


@pytest.mark.parametrize("f", [Fixed(16, 8), Lns(16, 10)])
def test_words_shrink_towards_zero(f):
    def simplest(strategy, holds):
        # Any seed will do, but a fixed one may run out of shrinks half way.
        return find(strategy, holds, settings=settings(derandomize=False, database=None))

    assert simplest(words(f), lambda word: word > 0) == 1
    # The lowest word, found first one time in sixty, was one that could not shrink.
    assert {simplest(words(f), lambda word: word < 0) for _ in range(40)} == {-1}
    # To the very next word, or to the corner after it.
    assert simplest(words(f), lambda word: word > 1000) in (1001, 1023)
    assert simplest(words(f), lambda word: word < -1000) in (-1001, -1023)
    assert simplest(pairs(f), lambda pair: pair[0] < pair[1]) == (0, 1)


@pytest.mark.parametrize("f", [Fixed(32, 16), Lns(32, 20)])
def test_pairs_are_often_related(f):
    def seen(relation):
        few = settings(max_examples=1000, database=None)
        return find(pairs(f), lambda p: p[0] not in corners(f) and relation(*p),
                    settings=few)

    sign = 1 << 31
    assert seen(lambda x, y: x == y)
    assert seen(lambda x, y: x == -y)
    assert seen(lambda x, y: x - y == 1) and seen(lambda x, y: y - x == 1)
    assert seen(lambda x, y: abs(x - y) == sign)
    assert seen(lambda x, y: abs(abs(x - y) - sign) == 1)


@given(st.data(), fixed_formats(max_bits=16))
def test_the_example_of_the_documentation_runs(data, f):
    x, y = data.draw(pairs(f))
    assert spec.add(x, y, f) == spec.add(y, x, f)


def test_hypothesis_comes_with_the_strategies_alone():
    script = ("import sys, fxp.format, lnsarith.lns.format, fxp.spec, lnsarith.lns.spec;"
              "assert 'hypothesis' not in sys.modules")
    subprocess.run([sys.executable, "-c", script], check=True)
