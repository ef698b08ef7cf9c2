"""The compiler, loaded when something is compiled: Numba takes a second."""

from __future__ import annotations

from fxp.once import compile_lock

__all__ = ["compiler", "copies", "team"]


def compiler():
    """Return the module fxp.compile.cache, which loads Numba: only what compiles asks for it.

    While one thread loads it, the others wait and the process does not fork.
    """
    with compile_lock:
        import fxp.compile.cache
    return fxp.compile.cache


def team():
    """Return the module fxp.compile.team, compiled when it is first asked for."""
    with compile_lock:
        compiler()
        import fxp.compile.team
    return fxp.compile.team


def copies():
    """Return the module fxp.compile.copies, the same way."""
    with compile_lock:
        compiler()
        import fxp.compile.copies
    return fxp.compile.copies
