"""xlns: arrays with its full table of Gaussian logarithms, its fastest sum."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile

import numpy as np
import xlns
import xlnsconf.tab_ufunc as tab

__all__ = ["array", "use_table", "words"]


def use_table(frac: int) -> None:
    """Set its precision and make sums read the full table."""
    here = os.getcwd()
    # The table is written to the current folder, and each step is told on stdout.
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        os.chdir(folder)
        try:
            xlns.xlnssetF(frac)
            tab.get_table("table")
        finally:
            os.chdir(here)
    xlns.sbdb_ufunc = tab.sbdb_ufunc_tab


def array(words: np.ndarray):
    """Return LNS words of 16 bits, none of them zero, as its array."""
    wide = words.astype(np.int64)
    logs = ((wide & 0x7FFF) ^ 0x4000) - 0x4000
    made = xlns.xlnsnp("")
    made.nd = 2 * logs + (wide < 0)
    return made


def words(made) -> np.ndarray:
    """Return the 16-bit words of its array; logs must be in their range."""
    logs, negative = made.nd >> 1, made.nd & 1
    return ((logs & 0x7FFF) - (negative << 15)).astype(np.int16)
