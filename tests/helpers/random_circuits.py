"""Specs drawn from the whole vocabulary, with ranges at and around the lanes' limits."""

from __future__ import annotations

from hypothesis import assume
from hypothesis import strategies as st

from fxp.trace.bits import Table, clamp, known, lookup, maximum, minimum, where
from fxp.trace.circuit import Circuit, trace
from fxp.trace.graph import SpecError

__all__ = ["circuits"]

LIMITS = sorted({sign * (1 << k) + step for k in (0, 3, 7, 8, 15, 16, 31, 32, 62)
                 for sign in (1, -1) for step in (-1, 0, 1)})
NARROW = [n for n in LIMITS if abs(n) <= 1 << 16]
COUNTS = [0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 40, 63, 64, 70]
MASKS = [(1 << k) - 1 for k in (1, 4, 8, 15, 16, 17, 31, 32, 33, 62)]
SIZES = (2, 16, 33, 64, 200, 300)
TWO = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "and": lambda a, b: a & b, "or": lambda a, b: a | b, "xor": lambda a, b: a ^ b,
    "min": minimum, "max": maximum, "eq": lambda a, b: a == b, "lt": lambda a, b: a < b,
    "size": lambda a, b: maximum(a, 0 - a), "gap": lambda a, b: maximum(a, b) - minimum(a, b),
    "where": lambda a, b: where((a < b) & (b != 0), a, b), "choose": lambda a, b: where(a, b, 5),
}


@st.composite
def circuits(draw) -> Circuit:
    """Return a circuit of one to three ports and up to a dozen operations."""
    limits = st.sampled_from(draw(st.sampled_from([NARROW, LIMITS])))
    ports = {name: tuple(sorted((draw(limits), draw(limits))))
             for name in "xyz"[: draw(st.integers(1, 3))]}
    steps = [_step(draw, limits) for _ in range(draw(st.integers(1, 9)))]
    ends = [_bounding(draw) for _ in range(draw(st.integers(1, 2)))]

    def spec(**operands):
        values = list(operands.values())
        for first, second, apply in steps:
            a = values[first % len(values)]
            values.append(apply(a, values[second % len(values)]))
        return tuple(end(values[-1 - i % len(values)]) for i, end in enumerate(ends))

    try:
        return trace(spec, ports)
    except SpecError as refusal:  # more than 64 bits, or a claim that contradicts a range
        assume("64 bits" not in str(refusal) and "contradicts" not in str(refusal))
        raise


def _step(draw, limits):
    kind = draw(st.sampled_from([*TWO, "constant", "shl", "shr", "mask", "clamp", "table",
                                 "known"]))
    if kind in TWO:
        apply = TWO[kind]
    elif kind == "constant":
        apply = _with_constant(TWO[draw(st.sampled_from([*TWO]))], draw(limits))
    elif kind in ("shl", "shr"):
        apply = _shifted(kind, draw(st.sampled_from(COUNTS)))
    elif kind == "table":
        apply = _read(draw(st.sampled_from(SIZES)), draw(st.sampled_from(MASKS[:8])),
                      draw(st.integers(0, 3)))
    elif kind == "known":
        apply = _claimed
    else:
        apply = _bounding(draw)
    return draw(st.integers(0, 9)), draw(st.integers(0, 9)), apply


def _bounding(draw):
    """Return what brings a value into a range again: a mask, a clamp or nothing."""
    mask, count = draw(st.sampled_from(MASKS)), draw(st.sampled_from([0, 0, 1, 8]))
    low, high = sorted((draw(st.sampled_from(LIMITS)), draw(st.sampled_from(LIMITS))))
    return draw(st.sampled_from([
        lambda a, b=0: a & mask, lambda a, b=0: (a >> count) & mask,
        lambda a, b=0: clamp(a, low, high), lambda a, b=0: minimum(a, high),
        lambda a, b=0: ((a & mask) ^ (mask // 2 + 1)) - (mask // 2 + 1), lambda a, b=0: a]))


def _with_constant(operation, constant: int):
    return lambda a, b: operation(a, constant)


def _shifted(kind: str, count: int):
    return lambda a, b: a << count if kind == "shl" else a >> count


def _read(size: int, most: int, shift: int):
    """Return a read that is clamped into its table, of words up to `most`, some negative."""
    table = Table(f"t{size}", [(i * i * 2654435761 + i) % (most + 1) - (i % 3 == 0)
                               for i in range(size)])
    limit = (size << shift) - 1
    return lambda a, b: lookup(table, minimum(maximum(a, 0) + b * 0, limit) >> shift)


def _claimed(a, b):
    """A claim that holds: the greater of two less the smaller."""
    return known(maximum(a, b) - minimum(a, b), 0, (1 << 63) - 1)
