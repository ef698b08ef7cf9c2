"""Tables with flipped bits: as many flips as the rate says, in words of the table's own range."""

import numpy as np
import pytest

from fxp.trace.bits import Table
from fxp.trace.circuit import trace
from lnsarith.delta.methods import parse
from lnsarith.lns import spec
from lnsarith.lns.format import Lns
from nets.experiments.studies.tables import Flipped, flip_table

F = Lns(12, 6)
ZERO = spec.zero_level(F)


@pytest.mark.parametrize("low, bits", [(0, 7), (-64, 8)])
def test_each_bit_of_a_table_flips_with_the_rate(low, bits):
    table = Table("t", np.random.default_rng(0).integers(low, 128, 20000).tolist() + [127])
    after = flip_table(table, 0.01, 1)
    apart = (table.array ^ after.array) & ((1 << bits) - 1)
    for bit in range(bits):  # 200 expected, standard deviation 14
        assert 140 < ((apart >> bit) & 1).sum() < 260
    half = 1 << (bits - 1)
    assert min(after.values) >= (-half if low else 0) and max(after.values) < (
        half if low else 2 * half)
    assert flip_table(table, 0.01, 1) == after != flip_table(table, 0.01, 2)


@pytest.mark.parametrize("method", ["exact", "lut", "lut:r=1/8,dmax=10", "interp:r=1/4"])
def test_a_flipped_method_computes_alike_on_words_and_in_circuits(method):
    delta = Flipped(parse(method), 0.05, 3).at(6, ZERO)
    sound = parse(method).at(6, ZERO)
    gaps = np.arange(1024)
    same, opposite = (delta(gaps, np.full(1024, s)) for s in (0, -1))
    circuit = trace(delta, {"gap": (0, 1023), "opposite": (-1, 0)})
    assert (circuit(gap=gaps, opposite=np.zeros(1024, int)) == same).all()
    assert (circuit(gap=gaps, opposite=np.full(1024, -1)) == opposite).all()
    assert circuit.outputs["out"].low <= min(same.min(), opposite.min())
    assert circuit.outputs["out"].high >= max(same.max(), opposite.max())
    assert (same != sound(gaps, np.zeros(1024, int))).any()


@pytest.mark.parametrize("method", ["balanced", "mitchell", "exact"])
def test_without_tables_or_flips_nothing_changes(method):
    rate = 0.0 if method == "exact" else 0.5
    x, y = spec.Number(np.arange(-900, -100), 0), spec.Number(np.full(800, -500), -1)
    sums = [spec.total(x, y, m.at(6, ZERO), F) for m in
            (parse(method), Flipped(parse(method), rate, 0))]
    assert (sums[0].level == sums[1].level).all()
