"""Products by parts that caches hold give NumPy's words: columns put together, sums that wait."""

import numpy as np
import pytest

from benchmarks.agreement.machine import levels
from benchmarks.agreement.plans import TWO_BLOCKS, Drawn, draw, parts_of_products, plan_differences
from fxp.format import Fixed
from fxp.run import backend as run
from fxp.run import memory
from fxp.run.kernels import Accumulator as FixedAccumulator
from lnsarith import FixedArray, LnsArray
from lnsarith.catalogue.kernels import Accumulator
from lnsarith.delta.methods import parse
from lnsarith.lns.format import Lns

LEVELS = levels()


@pytest.fixture
def always():
    with parts_of_products():
        yield


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
@pytest.mark.parametrize("seed", range(6))
def test_random_plans_agree_so(seed):
    rng = np.random.default_rng(seed)
    drawn = draw(rng)._replace(shape=(5, 3, TWO_BLOCKS if seed < 3 else 40))
    assert not list(plan_differences(drawn, rng, LEVELS[:1]))


@pytest.mark.parametrize(("columns", "rows", "room"), [
    (512, 16, 640 * 9), (1024, 16, 640 * 9),
    (512, 15, 0), (320, 16, 0), (544, 16, 0)])  # few rows, one block, rows well apart
def test_columns_are_packed_where_rows_clash(columns, rows, room):
    plan = Accumulator(Lns(16, 10), parse("lut")).plan()
    a, b = ({n: np.zeros(shape, np.int16)} for n, shape in (("a_level", (rows, 9)),
                                                            ("b_level", (9, columns))))
    found = memory.rooms_of(plan, a, b, rows).memory.get("packed")
    assert (0 if found is None else found.size) == room
    tree = Accumulator(Lns(16, 10), parse("lut"), order="tree").plan()
    assert "packed" not in memory.rooms_of(tree, a, b, rows).memory


@pytest.mark.parametrize("depth, chunk", [(0, 1), (1, 1), (1023, 1023), (1024, 512)])
def test_deep_products_take_some_steps_at_a_time(depth, chunk):
    a, b = {"a_level": np.zeros((300, depth))}, {"b_level": np.zeros((depth, 64), np.int16)}
    plan = Accumulator(Lns(16, 10), parse("lut")).plan()
    rooms = memory.rooms_of(plan, a, b, 300)
    assert rooms.arguments["chunk"] == chunk and ("sums" in rooms.arguments) is (depth > chunk)
    assert rooms.arguments["group"] == (256 if depth > chunk else 300)
    update = Accumulator(Lns(16, 10), parse("lut")).plan(keep_untouched=True)
    assert "sums" not in memory.rooms_of(update, a, b, 300).arguments


@pytest.mark.parametrize("kind, f", [(LnsArray, "lns16"), (LnsArray, "lns12"),
                                     (FixedArray, "fixed16")])
def test_deep_products_of_two_groups_of_rows_are_as_in_numpy(kind, f, monkeypatch):
    monkeypatch.setitem(run._chosen, "threads", 1)  # else no thread has more than one group
    rng = np.random.default_rng(6)
    x, y = (kind.from_float(rng.uniform(-1, 1, shape), f) for shape in ((260, 1030), (1030, 300)))
    found = (x @ y).words
    parts = slice(0, 600), slice(600, 1030)  # neither is deep
    first = x[:, parts[0]] @ y[parts[0]]
    if kind is LnsArray:  # the register is the word: sums go on where they were
        np.testing.assert_array_equal(found, x[:, parts[1]].matmul(y[parts[1]], first).words)
    with run.backend("numpy"):
        np.testing.assert_array_equal(found[250:], (x[250:] @ y).words)


@pytest.mark.parametrize("f", ["lns16", "lns12", "lns8.3"])
@pytest.mark.parametrize("top", [1, 4])
def test_arrays_of_512_columns_multiply_as_in_numpy(f, top):
    """By the forms that large products go by."""
    rng = np.random.default_rng(5)
    x, y = (LnsArray.from_float(rng.uniform(-top, top, shape), f)
            for shape in ((40, 210), (210, 512)))
    halves = [x @ y[:, part] for part in (slice(0, 320), slice(320, 512))]  # none is packed
    np.testing.assert_array_equal((x @ y).words, np.hstack([h.words for h in halves]))
