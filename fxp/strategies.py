"""Hypothesis strategies of formats and words, to property-test code that uses them.

They need hypothesis (pip install 'lnsarith[test]'). A word strategy takes any
format that has `bits` and `words`, so it serves logarithmic formats too:

    from hypothesis import given, strategies as st
    from fxp import spec
    from fxp.strategies import fixed_formats, pairs

    @given(st.data(), fixed_formats(max_bits=16))
    def test_the_sum_of_two_words_commutes(data, f):
        x, y = data.draw(pairs(f))
        assert spec.add(x, y, f) == spec.add(y, x, f)

Half of the words are corners or patterns of bits, since that is where arithmetic
goes wrong. Failures shrink to words near zero.
"""

from __future__ import annotations

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("strategies need hypothesis, which is in the extra test: "
                              "pip install 'lnsarith[test]'", name=error.name) from None

from fxp.format import Fixed, check_integer

__all__ = ["corners", "fixed_formats", "pairs", "patterns", "words"]


@st.composite
def _formats(draw, min_bits, max_bits):
    bits = draw(st.integers(min_bits, max_bits))
    return Fixed(bits, draw(st.integers(0, bits)), draw(st.sampled_from([True, False])))


def fixed_formats(min_bits: int = 4, max_bits: int = 32):
    """Return a strategy of fixed-point formats, signed and unsigned."""
    check_integer("max_bits", max_bits, 4, 32)
    check_integer("min_bits", min_bits, 4, max_bits)
    return _formats(min_bits, max_bits)


def corners(f) -> list[int]:
    """Return the words where arithmetic goes wrong, those near zero first.

    Zero, one and minus one unit, both ends with their neighbours, and the powers
    of two with the words around them.
    """
    low, high = f.words
    powers = [sign << k for k in range(f.bits) for sign in (1, -1)]
    around = [power + step for power in powers for step in (-1, 0, 1)]
    found = {low, low + 1, high - 1, high, *around}
    return sorted((word for word in found if low <= word <= high),
                  key=lambda word: (abs(word), word < 0))


def patterns(bits: int) -> list[int]:
    """Return patterns of bits as numbers from 0: walking ones, growing and walking
    zeros, alternating bits, pairs and nibbles."""
    ones = (1 << bits) - 1
    walking = [1 << k for k in range(bits)]
    growing = [one - 1 for one in walking]
    stripes = [sum(run << k for k in range(0, bits, step)) & ones
               for step, run in ((2, 1), (4, 3), (8, 15))]
    found = [*walking, *growing, *stripes]
    return list(dict.fromkeys(found + [ones - pattern for pattern in found]))


def words(f):
    """Return a strategy of the words of f."""
    patterned = [_fold(pattern, f) for pattern in patterns(f.bits)]
    sizes = sorted({abs(word) for word in [*corners(f), *patterned]})
    # Hypothesis shrinks size and sign apart, so it is not caught between the two.
    special = st.builds(lambda size, negative: _signed(size, negative, f),
                        st.sampled_from(sizes), st.booleans())
    return st.one_of(special, st.integers(*f.words))


def pairs(f):
    """Return a strategy of pairs of words, half of them related: equal, opposite (by
    value or by the sign bit alone) or one unit apart from that."""
    related = words(f).flatmap(
        lambda word: st.tuples(st.just(word), st.sampled_from(_relatives(word, f))))
    return st.one_of(st.tuples(words(f), words(f)), related)


def _relatives(word: int, f) -> list[int]:
    mirrored = word ^ (1 << (f.bits - 1))
    near = [base + step for base in (word, -word, mirrored) for step in (0, 1, -1)]
    return [_fold(number, f) for number in near]


def _signed(size: int, negative: bool, f) -> int:
    """Return the word of that size and sign, as near as there is one.

    No positive size becomes a negative word: it could not shrink, as sign and size would have
    to change at once.
    """
    low, high = f.words
    return max(-size, low) if negative and low < 0 else min(size, high)


def _fold(number: int, f) -> int:
    """Return the word of f with the low bits of number."""
    low, high = f.words
    return (number - low) % (high - low + 1) + low
