"""Cells as a Delta method give the oracle's values; the search finds the best partition, and
cells with which sums are better than with the published table."""

import itertools
import math

import numpy as np
import pytest
from oracles.delta import delta_cells

from fxp.format import FormatError
from lnsarith.catalogue.array import LnsArray
from lnsarith.catalogue.kernels import Accumulator
from lnsarith.catalogue.operators import find
from lnsarith.delta.cells import Cells, cells_text
from lnsarith.delta.design.partition import partitions
from lnsarith.delta.design.search import Designer
from lnsarith.delta.methods import Lut, parse
from lnsarith.lns.format import Lns

CANCEL = -(1 << 40)


def random_cells(rng):
    """Return cells of 10 fraction bits with starts at random places, and values between."""
    texts = []
    for sign, most in ((1, 1 << 10), (-1, 3 << 10)):
        starts = [0, *sorted(rng.choice(range(1, 9 << 10), 9, replace=False).tolist())]
        values = [*(sign * np.sort(rng.integers(0, most, 9))[::-1]).tolist(), 0]
        if sign < 0:
            values[0] = None
        texts.append(cells_text(list(zip(starts, values))))
    return Cells(10, *texts)


@pytest.mark.parametrize("frac", [0, 1, 3, 6, 9, 10, 11])
def test_cells_of_any_start_give_the_values_that_they_state(frac):
    rng = np.random.default_rng(frac)
    for _ in range(3):
        cells = random_cells(rng)
        spec = cells.at(frac, CANCEL)
        starts = [int(c.partition(":")[0]) for side in (cells.plus, cells.minus)
                  for c in side.split("_")]
        near = {max(0, (s << frac >> 10) + by) for s in starts for by in (-1, 0, 1)}
        gaps = sorted({*near, *rng.integers(0, 20 << frac, 200).tolist()})
        for side in (False, True):
            wanted = [delta_cells(g, side, frac, cells.plus, cells.minus, 10) for g in gaps]
            assert [int(spec(g, -side)) for g in gaps] == [
                CANCEL if w is None else w for w in wanted]


@pytest.mark.parametrize("text, word", [
    ("plus=0:1", "2..128 cells, got 1"), ("plus=0:5_4:0_3:0", "rise"),
    ("plus=1:5_4:0", "begin with 0"), ("plus=0:zero_4:0", "no cell that is zero"),
    ("minus=0:-5_4:0", "begin with a cell that is zero"), ("minus=0:zero_4:7_9:0", "got 7 at 4"),
    ("plus=0:4097_4:0", "0..4096, got 4097"), ("plus=0:9_4:5", "end with a cell of value 0"),
    ("plus=0:9_65537:0", "at 16 octaves or before"), ("plus=0:9_99999999999:0", "cell 2 is none"),
    ("minus=0:zero_x:0", "cell 2 is none"),
    ("plus=" + "_".join(f"{i}:0" for i in range(129)), "more than 128"),
    ("frac=13", "frac must be an integer 0..12, got 13"),
])
def test_cells_that_no_method_has_are_refused(text, word):
    with pytest.raises(FormatError, match=word):
        parse(f"cells:{text}")


def every_partition(low, width):
    """Return the ways to cut a range into halves of halves."""
    yield ((low, width),)
    if width > 1:
        half = width // 2
        for a, b in itertools.product(list(every_partition(low, half)),
                                      list(every_partition(low + half, half))):
            yield a + b


@pytest.mark.parametrize("opposite", [False, True])
def test_the_partition_is_the_best_of_all(opposite):
    rng = np.random.default_rng(1)
    weights = np.zeros(16)
    weights[:8] = rng.random(8)
    real = [1 + (-1 if opposite else 1) * 2.0**-d for d in range(16)]

    def error(start, width):
        part = range(start, start + width)
        tried = [-math.inf] if opposite and start == 0 else [v for v in range(-9, 2)]
        return min(sum(weights[g] * (2.0**v - real[g]) ** 2 for g in part) for v in tried)

    known = {(s, w): error(s, w) for w in (1, 2, 4, 8, 16) for s in range(0, 16, w)}
    best = dict.fromkeys(range(1, 7), math.inf)
    for parts in every_partition(0, 16):
        if len(parts) in best:
            best[len(parts)] = min(best[len(parts)], sum(known[p] for p in parts))
    errors, cells = partitions(weights, opposite, 0, 6)
    assert np.allclose(errors, [best[n] for n in range(1, 7)], atol=1e-9)
    assert [len(c) for c in cells] == [1, 2, 3, 4, 5, 6]


def test_sums_are_better_than_with_the_table_that_has_as_many_cells():
    """By the kernels, on operands of another make than those of the search."""
    rng = np.random.default_rng(5)
    a, b = rng.normal(0, 1, (100, 785)), rng.normal(0, 0.1, (785, 8))
    exact = a @ b
    errors = {}
    for name, method in (("designed", Designer(6, 2).of_cells(40).method), ("lut", Lut())):
        x, y = (LnsArray.from_float(w, Lns(12, 6), delta=method, guard=2) for w in (a, b))
        errors[name] = float(np.std((x @ y).to_float() - exact) / np.std(exact))
    assert errors["designed"] < 0.85 * errors["lut"] < 0.1


def test_sums_in_wider_registers_than_cells_are_for_are_refused():
    cells = parse("cells:frac=8,plus=0:240_256:0,minus=0:zero_64:-300_512:0")
    assert Accumulator(Lns(12, 6), cells, guard=2).register.frac == 8
    with pytest.raises(FormatError, match="at most 8 fraction bits, .* has 9"):
        Accumulator(Lns(12, 6), cells, guard=3)
    with pytest.raises(FormatError, match="at most 8 fraction bits"):
        find("lns-mac").circuit(Lns(16, 10), delta=cells)


def test_two_designs_are_two_circuits():
    add, f = find("lns-add"), Lns(8, 2)
    one, other = (add.circuit(f, delta=parse(f"cells:plus=0:{v}_4096:0"))
                  for v in (3900, 1900))
    assert one.digest != other.digest
