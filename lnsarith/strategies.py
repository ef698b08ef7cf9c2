"""Hypothesis strategies of logarithmic formats; those of words are fxp's.

    from hypothesis import given, strategies as st
    from fxp.strategies import words
    from lnsarith.lns import spec
    from lnsarith.strategies import lns_formats

    @given(st.data(), lns_formats(max_bits=16))
    def test_one_is_neutral(data, f):
        x = spec.absolute(data.draw(words(f)), f)
        assert spec.mul(x, f.one, f) == x
"""

from __future__ import annotations

from fxp.format import check_integer
from fxp.strategies import st  # or what to install
from lnsarith.lns.format import Lns

__all__ = ["lns_formats"]


@st.composite
def _formats(draw, min_bits, max_bits):
    bits = draw(st.integers(min_bits, max_bits))
    return Lns(bits, draw(st.integers(0, bits - 2)))


def lns_formats(min_bits: int = 4, max_bits: int = 32):
    """Return a strategy of logarithmic formats."""
    check_integer("max_bits", max_bits, 4, 32)
    check_integer("min_bits", min_bits, 4, max_bits)
    return _formats(min_bits, max_bits)
