"""Blocks of columns that are put together first give NumPy's words."""

import numpy as np
import pytest

from benchmarks.agreement.machine import levels
from benchmarks.agreement.plans import Drawn, draw, plan_differences
from fxp.format import Fixed
from fxp.run import memory
from fxp.run.kernels import Accumulator as FixedAccumulator
from lnsarith import LnsArray
from lnsarith.catalogue.kernels import Accumulator
from lnsarith.delta.methods import parse
from lnsarith.lns.format import Lns

LEVELS = levels()
TWO_BLOCKS = 350  # columns


@pytest.fixture
def always(monkeypatch):
    """Every product that has more columns than a block packs them."""
    monkeypatch.setattr(memory, "CLASH", 1)
    monkeypatch.setattr(memory, "WORTH_PACKING", 1)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("untouched", [False, True])
@pytest.mark.parametrize("plan", [
    Accumulator(Lns(16, 10), parse("lut")), Accumulator(Lns(12, 6), parse("exact"), 4),
    Accumulator(Lns(24, 14), parse("interp")),
    FixedAccumulator(Fixed(16, 11), Fixed(12, 9), Fixed(16, 11), "exact", 64, 62)], ids=str)
def test_products_of_two_blocks_agree(plan, untouched):
    plan = plan.plan(keep_untouched=untouched)
    for level in LEVELS:
        rng = np.random.default_rng(3)
        assert not list(plan_differences(Drawn("", plan, (7, 5, TWO_BLOCKS)), rng, [level]))


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("seed", range(3))
def test_random_plans_agree_so(seed):
    rng = np.random.default_rng(seed)
    drawn = draw(rng)._replace(shape=(5, 3, TWO_BLOCKS))
    assert not list(plan_differences(drawn, rng, LEVELS[:1]))


@pytest.mark.parametrize(("columns", "rows", "room"), [
    (512, 16, 640 * 9), (1024, 16, 640 * 9),
    (512, 15, 0), (320, 16, 0), (544, 16, 0)])  # few rows, one block, rows well apart
def test_columns_are_packed_where_rows_clash(columns, rows, room):
    plan = Accumulator(Lns(16, 10), parse("lut")).plan()
    b = {n: np.zeros((9, columns), np.int16) for n in ("b_level",)}
    assert memory.room_to_pack(plan, b, rows).size == room
    tree = Accumulator(Lns(16, 10), parse("lut"), order="tree").plan()
    assert memory.room_to_pack(tree, b, rows).size == 0


@pytest.mark.parametrize("f", ["lns16", "lns12", "lns8.3"])
@pytest.mark.parametrize("top", [1, 4])
def test_arrays_of_512_columns_multiply_as_in_numpy(f, top):
    """By the forms that large products go by."""
    rng = np.random.default_rng(5)
    x, y = (LnsArray.from_float(rng.uniform(-top, top, shape), f)
            for shape in ((40, 210), (210, 512)))
    halves = [x @ y[:, part] for part in (slice(0, 320), slice(320, 512))]  # none is packed
    np.testing.assert_array_equal((x @ y).words, np.hstack([h.words for h in halves]))
