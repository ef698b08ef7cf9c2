"""The compiler, loaded when something is compiled: Numba takes a second."""

from __future__ import annotations

from fxp.once import compile_lock

__all__ = ["compiler"]


def compiler():
    """Return the module fxp.compile.cache, which loads Numba: only what compiles asks for it.

    While one thread loads it, the others wait and the process does not fork.
    """
    with compile_lock:
        import fxp.compile.cache
    return fxp.compile.cache
