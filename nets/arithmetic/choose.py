"""The one place that knows the number systems by name."""

from __future__ import annotations

from nets.settings.settings import FLOATS, Settings

__all__ = ["make_arithmetic"]

BACKENDS = ("vector", "numpy")


def make_arithmetic(settings: Settings, threads: int = 1, backend: str = "vector"):
    """Return the arithmetic that a run's settings ask for.

    backend vector compiles kernels, numpy runs the same circuits node by node; ValueError
    for another.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be {' or '.join(BACKENDS)}, got {backend!r}")
    if settings.binary:
        from nets.arithmetic.binary.arithmetic import BinaryArithmetic

        return BinaryArithmetic(settings, threads, backend)
    if settings.arith in FLOATS or settings.mode == "paper":
        from nets.arithmetic.real.arithmetic import RealArithmetic

        return RealArithmetic(settings, threads, backend)
    if settings.arith.startswith("lns"):
        from nets.arithmetic.lns.arithmetic import LnsArithmetic

        return LnsArithmetic(settings, threads, backend)
    if settings.selects:
        from nets.arithmetic.fixed.minselect import MinSelectArithmetic

        return MinSelectArithmetic(settings, threads, backend)
    from nets.arithmetic.fixed.arithmetic import FixedArithmetic

    return FixedArithmetic(settings, threads, backend)
