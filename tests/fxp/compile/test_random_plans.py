"""Compiled sums of products give NumPy's words: random formats, Delta methods, orders, shapes.

`python -m benchmarks.agreement --plans 2000` takes many more.
"""

import numpy as np
import pytest

from benchmarks.agreement.machine import levels
from benchmarks.agreement.plans import Drawn, draw, plan_differences
from fxp.run.execute import LANES, bind_matmul, shaped
from fxp.trace.plans import MatmulPlan
from lnsarith.catalogue.kernels import Accumulator
from lnsarith.delta.methods import parse
from lnsarith.lns.format import Lns

LEVELS = levels()


@pytest.mark.parametrize("seed", [*range(12), 183, 1701])
# 183: a form, and sums that begin above zero; 1701: vectors in a format that the register is not
def test_random_plans_agree_on_a_level_in_turn(seed):
    rng = np.random.default_rng(seed)
    assert not list(plan_differences(draw(rng), rng, [LEVELS[seed % len(LEVELS)]]))


def rows_of_a_batch(delta: str, guard: int) -> MatmulPlan:
    """Sums as an update takes them: from zero, rows without a step left as they are."""
    f = Lns(12, 6)
    plan = Accumulator(f, parse(delta), guard).plan(keep_untouched=True)
    zero = {"i_level": plan.start.inputs["i_level"].low, "i_sign": 0}
    return MatmulPlan(**{k: v for k, v in vars(plan).items() if k not in ("extra", "origin")},
                      origin=zero)


@pytest.mark.parametrize(("shape", "guard"), [
    ((70, 1, 100), 0),  # more rows than are looked at together, three vectors and a part
    ((33, 3, 84), 2),
    ((40, 1, 10), 4)])
def test_sums_from_zero_agree_whatever_rows_are_touched(shape, guard):
    for delta in ("lut", "exact"):
        plan = rows_of_a_batch(delta, guard)
        for turned in (False, True):
            rng = np.random.default_rng(7)
            drawn = Drawn(f"{delta} {guard} {shape}", plan, shape)
            assert not list(plan_differences(drawn, rng, LEVELS[:1], turned))


@pytest.mark.parametrize("shape", [(9, 70, 10), (4, 1, 1), (6, 33, 32), (1, 700, 1), (1, 600, 6)])
@pytest.mark.parametrize("untouched", [False, True])
def test_sums_of_one_vector_agree(shape, untouched, monkeypatch):
    """Rows beside each other, the last group not full, and one long row with gaps."""
    monkeypatch.setattr("fxp.run.execute.WORTH_BESIDE", 0)
    for delta, f, guard in (("lut", Lns(16, 10), 0), ("exact", Lns(12, 6), 2)):
        plan = Accumulator(f, parse(delta), guard).plan(keep_untouched=untouched)
        assert shaped(plan, *shape[:2], LANES).shape == ("long" if shape[0] == 1 else "narrow")
        for seed, turned in ((0, False), (1, True)):
            rng = np.random.default_rng(seed)
            drawn = Drawn(f"{delta} {guard} {shape}", plan, shape)
            assert not list(plan_differences(drawn, rng, LEVELS, turned))


def test_one_long_row_without_a_step_is_left_as_it_is():
    f = Lns(16, 10)
    plan = Accumulator(f, parse("lut")).plan(keep_untouched=True)
    rows = {n: np.full((1, 600), v, np.int16) for n, v in (("a_level", plan.absent), ("a_sign", 0))}
    b, init, out = ({n: np.full((depth, LANES), -5, np.int16) for n in names}
                    for depth, names in ((600, plan.vectors), (1, plan.start.inputs),
                                         (1, plan.finish.outputs)))
    assert shaped(plan, 1, 600, LANES).shape == "long"
    bind_matmul(plan, rows, {**b, "b_sign": 0 * b["b_sign"]},
                {**init, "i_sign": 0 * init["i_sign"]}, out)()
    assert all((v == -5).all() for v in out.values())
