"""Products whose parts have lanes of their own: words equal to NumPy's, whatever the width."""

import numpy as np
import pytest

from fxp.compile.machine.target import Target
from fxp.compile.nests.products import sum_width
from fxp.compile.nodes.lanes import lane_modes, lane_width
from fxp.run.execute import bind_matmul
from fxp.trace.circuit import trace
from lnsarith.catalogue.kernels import Accumulator
from lnsarith.delta import methods as delta
from lnsarith.lns import spec
from lnsarith.lns.format import Lns
from nets.arithmetic.choose import make_arithmetic
from nets.settings.settings import Settings

BYTES = Target("avx512", True)


def numbers(rng, f, shape, prefix, dtype=None, absent=0.3):
    low = spec.zero_level(f)
    near = spec.one_level(f) + rng.integers(-5 << f.frac, 2 << f.frac, shape)
    level = np.where(rng.random(shape) < 0.8, near, rng.integers(low, 0, shape))
    level = np.clip(level, low, -1)
    level[rng.random(shape) < absent] = low
    sign = np.where(level == low, 0, -rng.integers(0, 2, shape))
    dtype = dtype or f.dtype
    return {f"{prefix}_level": level.astype(dtype), f"{prefix}_sign": sign.astype(dtype)}


def both(plan, a, b, init, out, extra=None, **scalars):
    """Return the outputs of the vector code and of NumPy."""
    found = []
    for backend in ("vector", "numpy"):
        results = {k: v.copy() for k, v in out.items()}
        bind_matmul(plan, a, b, init, results, extra, backend)(**scalars)
        found.append(results)
    return found


def demand_equal(plan, a, b, init, out, extra=None, **scalars):
    ours, theirs = both(plan, a, b, init, out, extra, **scalars)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    return ours


@pytest.mark.parametrize("columns", [32, 96])
def test_sums_of_bytes_end_where_a_row_does(columns):
    f = Lns.parse("lns8.3")
    fields = [f"{operand}_{field}" for operand in "iabo" for field in ("level", "sign")]
    plan = Accumulator(f, delta.parse("lut")).plan(dtypes=dict.fromkeys(fields, np.dtype(np.int8)))
    assert sum_width(plan, BYTES) == 8 and sum_width(plan, Target("avx2")) == 16
    rng = np.random.default_rng(columns)
    init = {k: np.broadcast_to(v, (3, columns))
            for k, v in numbers(rng, f, (1, columns), "i", np.int8).items()}
    guarded = {k: np.full((4, columns), 77, np.int8) for k in ("o_level", "o_sign")}
    out = {k: v[:3] for k, v in guarded.items()}
    a, b = (numbers(rng, f, s, p, np.int8) for s, p in (((3, 21), "a"), ((21, columns), "b")))
    bind_matmul(plan, a, b, init, out)()
    assert all((v[3] == 77).all() for v in guarded.values())
    demand_equal(plan, a, b, init, out)


@pytest.mark.parametrize(("name", "text", "guard"), [
    ("lns12", "interp:r=1/4", 2), ("lns12", "interp", 4), ("lns12", "exact", 4),
    ("lns9.4", "pwl", 1)])
def test_sums_with_long_tables_and_rounded_products_keep_their_words(name, text, guard):
    f = Lns.parse(name)
    plan = Accumulator(f, delta.parse(text), guard).plan()
    assert sum_width(plan, Target("avx512")) == 16
    rng = np.random.default_rng(guard)
    init = numbers(rng, f, (4, 160), "i")
    out = {k: np.empty((4, 160), f.dtype) for k in ("o_level", "o_sign")}
    demand_equal(plan, numbers(rng, f, (4, 30), "a"), numbers(rng, f, (30, 160), "b"), init, out)


@pytest.mark.parametrize("options", [
    {"delta": "lut"}, {"delta": "interp:r=1/4", "guard": 2}, {"weight_decay": "2^-3"},
    {"momentum": ".5"}, {"schedule": "linear"}], ids=str)
def test_stochastic_steps_have_lanes_of_their_own_and_the_words_of_numpy(options):
    s = Settings(**{"arith": "lns12", "update": "stochastic", "schedule": "constant",
                    "momentum": "0", **options})
    ar = make_arithmetic(s, 1)
    plan, f = ar.update_over(5), ar.formats["weights"]
    assert lane_width([plan.finish]) == 32 > sum_width(plan, Target("avx512"))
    rng = np.random.default_rng(0)
    w, a, dy = (numbers(rng, f, shape, p) for shape, p in (
        ((9, 160), "w"), ((9, 5), "a"), ((5, 160), "b")))
    for field in a.values():
        field[3:6] = spec.zero_level(f) if field.min() < -1 else 0  # rows without a gradient
    zero = {k: np.broadcast_to(v, (9, 160))
            for k, v in numbers(rng, f, (1, 160), "i", absent=1).items()}
    extra, out = dict(w), {f"o_{k}": w[f"w_{k}"].copy() for k in ("level", "sign")}
    if "momentum" in options:
        extra.update(numbers(rng, f, (9, 160), "v"))
        out.update({f"o_v_{k}": extra[f"v_{k}"].copy() for k in ("level", "sign")})
    scalars = {"seed": 0x9E3779B9} | ({"rate": ar.rate_word(1)} if "schedule" in options else {})
    ours = demand_equal(plan, a, dy, zero, out, extra, **scalars)
    if plan.keep_untouched:  # what is left out must be what would have been written
        whole = ar.accumulator("activations", "gradients", "gradients", "gradients").plan(
            ar.updated, {k: (n.low, n.high) for k, n in plan.finish.inputs.items()
                         if k not in plan.state}, ["level", "sign"], dtypes=plan.dtypes)
        theirs = both(whole, a, dy, zero, out, extra, **scalars)[1]
        np.testing.assert_array_equal(ours["o_level"], theirs["o_level"])
    assert plan.keep_untouched == ("momentum" not in options and "weight_decay" not in options
                                   and "schedule" not in options)


def test_absent_operands_are_left_out_wherever_they_lie():
    f = Lns.parse("lns16")
    plan = Accumulator(f, delta.parse("lut")).plan()
    rng = np.random.default_rng(3)
    for depth in (1, 7, 8, 9, 40):
        a = numbers(rng, f, (6, depth), "a", absent=0.9)
        turned = {k: np.ascontiguousarray(v.T).T for k, v in a.items()}
        b, init = numbers(rng, f, (depth, 32), "b"), numbers(rng, f, (6, 32), "i")
        out = {k: np.empty((6, 32), f.dtype) for k in ("o_level", "o_sign")}
        beside, apart = (demand_equal(plan, x, b, init, out) for x in (a, turned))
        np.testing.assert_array_equal(beside["o_level"], apart["o_level"])


def test_a_product_that_is_not_held_has_no_other_user():
    ports = {"x": (-30000, 30000), "y": (0, 63)}
    fused = trace(lambda x, y: (x * y + 32) >> 6, ports)
    shared = trace(lambda x, y: ((x * y + 32) >> 6) + ((x * y) & 3), ports)
    plain = trace(lambda x, y: (x * y + 31) >> 6, ports)
    assert lane_width([fused]) == 16 and lane_width([shared]) == lane_width([plain]) == 32
    assert "fused" in lane_modes(fused, 16).values()
