"""Checks of operators and Delta methods of one's own, for a test of one line.

    check_delta("ramp.py", "ramp", oracle)          oracle(gap, opposite, frac) -> int or None
    check_operator("mean.py", "fixed-mean", oracle)     oracle(x, y, bits, frac, ...) -> int

The oracle is the truth: a slow and plain function over ints and Fractions, written a second
time, which shares no code with the spec. What it is held against: the spec on ints, the same
circuit on arrays, compiled for vectors and as a scalar loop, and as Verilog (three programs
read it, one simulates it, a solver proves that it is the circuit on all inputs). The first
difference raises AssertionError with the words that show it.
"""

from lnsarith.testing.delta import check_delta
from lnsarith.testing.operators import check_operator
from lnsarith.testing.report import Report

__all__ = ["Report", "check_delta", "check_operator"]
