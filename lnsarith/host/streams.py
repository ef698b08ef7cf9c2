"""The standard streams of a command, whatever the process was given for them."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["prepare", "telling"]

PACKAGES = ("fxp", "lnsarith", "nets", "verilog")


def prepare() -> None:
    """Make stdout and stderr of this process such that a command can do its work.

    A closed one is the null device, which also keeps files opened later from its
    number. What stderr cannot take is dropped. What stdout cannot take raises OSError,
    with the name stdout; letters that it lacks are escaped.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            os.set_inheritable(number, True)
    sys.stdout = _over(sys.stdout, _Answers)
    sys.stderr = _over(sys.stderr, _Complaints)


class _Answers(io.FileIO):
    def write(self, data):
        try:
            return super().write(data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, "stdout") from None


class _Complaints(io.FileIO):
    def write(self, data):
        try:
            return super().write(data) or len(data)  # None: a terminal that is too slow
        except OSError:
            return len(data)


def _over(stream, raw: type[io.FileIO]) -> io.TextIOWrapper:
    """Return a stream like this one, or on the null device if it is None, over raw files."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    return io.TextIOWrapper(
        io.BufferedWriter(raw(stream.fileno(), "w", closefd=False)), stream.encoding,
        "backslashreplace", line_buffering=stream.line_buffering,
        write_through=stream.write_through)


@contextmanager
def telling(verbose: bool) -> Iterator[None]:
    """For the body of a with statement, put the packages' logs on stderr if verbose."""
    if not verbose:
        yield
        return
    import logging

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("lnsarith: %(message)s"))
    logs = [logging.getLogger(name) for name in PACKAGES]
    for log in logs:
        log.addHandler(handler)
        log.setLevel(logging.INFO)
    try:
        yield
    finally:
        for log in logs:
            log.removeHandler(handler)
            log.setLevel(logging.NOTSET)
