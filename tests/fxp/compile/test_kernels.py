"""Compiled vector code against the spec on plain integers, on every kind of processor."""

import os
import subprocess
import sys

import numpy as np
import pytest

from fxp import spec as fixed
from fxp.format import Fixed
from fxp.run.execute import bind_map, bind_matmul
from fxp.run.kernels import Accumulator as FixedAccumulator
from fxp.trace.bits import Table, lookup
from fxp.trace.circuit import trace
from fxp.trace.plans import MapPlan
from lnsarith.catalogue.kernels import Accumulator
from lnsarith.delta import methods as delta
from lnsarith.lns import spec
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number

DELTAS = ["exact", "lut", "lut:r=1/8,dmax=12", "lut:index=truncate,sample=mid",
          "lut:r=1,sample=mean", "bitshift", "mitchell", "interp", "pwl",
          "pwl:error=1/3", "balanced"]
FORMATS = ["lns4.1", "lns8.3", "lns9.4", "lns12", "lns16", "lns20.12"]


def words(f, count=20_000):
    """Return all pairs of short words, else corners against corners, then random ones."""
    low, high = f.words
    if f.bits <= 9:
        x, y = np.mgrid[low : high + 1, low : high + 1]
    else:
        bits = [1 << i for i in range(f.bits - 1)]
        corners = np.unique([low, low + 1, -1, 0, 1, high - 1, high, *bits,
                             *(b - 1 for b in bits), *(-b for b in bits)])
        x, y = np.meshgrid(corners, corners)
        x, y = (np.append(side, np.random.default_rng(i).integers(low, high, count, endpoint=True))
                for i, side in enumerate((x, y)))
    return x.ravel().astype(np.int64), y.ravel().astype(np.int64)


def add_method(f, text):
    return delta.parse(text).at(f.frac, spec.zero_level(f))


@pytest.mark.parametrize("text", DELTAS)
@pytest.mark.parametrize("name", FORMATS)
def test_vector_kernels_add_as_the_spec_does(name, text):
    f = Lns.parse(name)
    method = add_method(f, text)
    x, y = words(f)
    circuit = trace(spec.add, {"x": f.words, "y": f.words}, f=f, delta=method)
    arrays = {"x": x.astype(f.dtype), "y": y.astype(f.dtype), "out": np.zeros(x.size, f.dtype)}
    bind_map(MapPlan(circuit, dict.fromkeys(arrays, f.dtype)), arrays)()
    np.testing.assert_array_equal(arrays["out"], spec.add(x, y, f, method))
    few = slice(0, 500)
    ints = [spec.add(p, q, f, method) for p, q in zip(x[few].tolist(), y[few].tolist())]
    assert arrays["out"][few].tolist() == ints


@pytest.mark.parametrize("rounding", fixed.ROUNDINGS)
@pytest.mark.parametrize("mode", fixed.OVERFLOWS)
@pytest.mark.parametrize("f", [Fixed(8, 3), Fixed(8, 8, False), Fixed(16, 11), Fixed(30, 9)],
                         ids=str)
def test_vector_kernels_multiply_as_the_spec_does(f, mode, rounding):
    x, y = words(f)
    random = np.random.default_rng(1).integers(0, 1 << 16, x.size)
    ports = {"x": f.words, "y": f.words, "random": (0, (1 << 16) - 1)}
    circuit = trace(lambda x, y, random: fixed.mul(x, y, f, rounding, mode, random), ports)
    arrays = {"x": x.astype(f.dtype), "y": y.astype(f.dtype), "random": random.astype(np.int32),
              "out": np.zeros(x.size, f.dtype)}
    dtypes = {name: array.dtype for name, array in arrays.items()}
    bind_map(MapPlan(circuit, dtypes), arrays)()
    expected = fixed.mul(x, y, f, rounding, mode, random)
    np.testing.assert_array_equal(arrays["out"], expected)


def lns_operands(f, rows, depth, columns):
    rng = np.random.default_rng(rows)
    low = spec.zero_level(f)

    def numbers(shape):
        level = rng.integers(low, 0, shape)
        near = np.clip(spec.one_level(f) + rng.integers(-5 << f.frac, 2 << f.frac, shape), low, -1)
        level = np.where(rng.random(shape) < 0.7, near, level)
        level[rng.random(shape) < 0.1] = low
        return {"level": level.astype(f.dtype), "sign": -rng.integers(0, 2, shape).astype(f.dtype)}

    return numbers((rows, depth)), numbers((depth, columns)), numbers((1, columns))


def prefixed(fields, prefix):
    return {f"{prefix}_{k}": v for k, v in fields.items()}


@pytest.mark.parametrize(("name", "text", "options"), [
    ("lns16", "lut", {}), ("lns12", "exact", {"guard": 3}), ("lns16", "lut", {"guard": 2}),
    ("lns16", "balanced", {"order": "tree"}), ("lns9.4", "lut", {"underflow": "smallest"}),
    ("lns12", "interp", {"order": "tree", "guard": 2, "underflow": "smallest"}),
])
def test_vector_products_are_sums_of_words_one_after_the_other(name, text, options):
    f = Lns.parse(name)
    acc = Accumulator(f, delta.parse(text), **options)
    a, b, init = lns_operands(f, 3, 37, 160)
    first = {k: np.broadcast_to(v, (3, 160)) for k, v in init.items()}
    results = []
    for backend in ("vector", "numpy"):
        out = {k: np.zeros((3, 160), f.dtype) for k in ("level", "sign")}
        bind_matmul(acc.plan(), prefixed(a, "a"), prefixed(b, "b"), prefixed(first, "i"),
                    prefixed(out, "o"), backend=backend)()
        results.append(out)
    for field in ("level", "sign"):
        np.testing.assert_array_equal(results[0][field], results[1][field])
    if not options:
        word = spec.pack(Number(*(v[0, 5] for v in map(np.int64, (
            init["level"], init["sign"])))), f)
        method = add_method(f, text)
        for k in range(37):
            x, w = (spec.pack(Number(int(t["level"][i]), int(t["sign"][i])), f)
                    for t, i in ((a, (1, k)), (b, (k, 5))))
            word = spec.mac(word, w, x, f, method)
        n = Number(int(results[0]["level"][1, 5]), int(results[0]["sign"][1, 5]))
        assert spec.pack(n, f) == word


@pytest.mark.parametrize("kind", ["exact", "limited", "each"])
def test_vector_products_of_fixed_words_agree_with_integers(kind):
    f = Fixed(12, 7)
    acc = FixedAccumulator(f, f, f, kind, bits=28)
    rng = np.random.default_rng(0)
    a, b, init = (rng.integers(*f.words, shape, endpoint=True).astype(f.dtype)
                  for shape in ((5, 50), (50, 64), (1, 64)))
    out = np.zeros((5, 64), f.dtype)
    bind_matmul(acc.plan(), {"a": a}, {"b": b}, {"i": np.broadcast_to(init, (5, 64))},
                {"o": out})()
    for row, column in ((0, 0), (4, 63), (2, 31)):
        register = acc.start(int(init[0, column]))
        for k in range(50):
            register = acc.step(register, int(a[row, k]), int(b[k, column]))
        assert out[row, column] == acc.finish(register)


@pytest.mark.skipif("NUMBA_CPU_NAME" in os.environ, reason="this is the test inside the test")
@pytest.mark.parametrize("processor", ["haswell", "nehalem"])
def test_older_processors_compute_the_same_words(processor):
    run = subprocess.run([sys.executable, "-m", "pytest", __file__, "-k", "vector"],
                         env={**os.environ, "NUMBA_CPU_NAME": processor}, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert run.returncode == 0, run.stdout[-3000:]
    assert "passed" in run.stdout


READ = """
import numpy as np
from fxp.run.execute import kernel_of
from fxp.trace.bits import Table, lookup
from fxp.trace.circuit import trace
from fxp.trace.plans import MapPlan
words = Table("t", np.random.default_rng(0).integers(-9000, 9000, 5000))
circuit = trace(lambda i: lookup(words, i), {"i": (0, 4999)}, outputs=("o",))
plan = MapPlan(circuit, dict.fromkeys("io", np.dtype(np.int16)))
print(sum("vpgatherdd" in line for line in kernel_of(plan).assembly().splitlines()))
"""


@pytest.mark.parametrize("processor, gathers", [("graniterapids", True), ("sapphirerapids", False)])
def test_long_tables_are_gathered_where_that_is_faster(processor, gathers):
    told = subprocess.run([sys.executable, "-c", READ], text=True, check=True,
                          env={**os.environ, "NUMBA_CPU_NAME": processor}, stdout=subprocess.PIPE)
    assert (int(told.stdout) > 0) == gathers


@pytest.mark.parametrize("text", DELTAS)
@pytest.mark.parametrize("name", ["lns8.3", "lns9.4"])
def test_addition_keeps_its_laws_on_every_pair(name, text):
    f = Lns.parse(name)
    method = add_method(f, text)
    x, y = words(f)
    keep = (x != -f.zero) & (y != -f.zero)  # the unused spelling of zero
    x, y = x[keep], y[keep]
    total = spec.add(x, y, f, method)
    same = (x & (2 * f.zero - 1)) == (y & (2 * f.zero - 1))
    cancels = same & (x != y)
    swapped = spec.add(y, x, f, method)
    assert (total[~cancels] == swapped[~cancels]).all()
    assert (spec.add(spec.neg(x, f), spec.neg(y, f), f, method) == spec.neg(total, f)).all()
    assert (total[cancels] == f.zero).all()
    assert (total[y == f.zero] == x[y == f.zero]).all()
    assert (total[x == f.zero] == y[x == f.zero]).all()


@pytest.mark.parametrize(("frac", "plus", "minus"), [(4, 0, 1), (6, 1, 2), (10, 6, 43)])
def test_line_segments_stay_near_the_exact_correction(frac, plus, minus):
    gaps = np.arange(14 << frac)
    for opposite, bound in ((0, plus), (-1, minus)):
        side = np.full_like(gaps, opposite)
        fitted, exact = (delta.parse(text).at(frac, -(1 << 20))(gaps, side)
                         for text in ("pwl", "exact"))
        assert np.abs(fitted - exact).max() <= bound


@pytest.mark.parametrize("name", ["lns8.3", "lns9.4"])
def test_exact_addition_is_monotone(name):
    f = Lns.parse(name)
    method = add_method(f, "exact")
    order = np.array(sorted((w for w in range(f.words[0], f.words[1] + 1) if w != -f.zero),
                            key=lambda w: spec.order_key(w, f)))
    table = spec.order_key(spec.add(order[:, None], order[None, :], f, method), f)
    assert (np.diff(table, axis=0) >= 0).all()
    assert (np.diff(table, axis=1) >= 0).all()


@pytest.mark.parametrize("bits", [15, 16, 31, 32, 40, 62])
def test_tables_of_any_width_are_read_whole(bits):
    values = np.random.default_rng(bits).integers(-(1 << bits), (1 << bits) - 1, 300)
    table = Table("wide", values)
    circuit = trace(lambda i: lookup(table, i), {"i": (0, 299)}, outputs=("o",))
    index = np.random.default_rng(0).integers(0, 300, 1000)
    arrays = {"i": index, "o": np.empty_like(index)}
    bind_map(MapPlan(circuit, {"i": np.dtype(np.int64), "o": np.dtype(np.int64)}), arrays)()
    np.testing.assert_array_equal(arrays["o"], values[index])


def moved(x, step, element):
    return (x * step + element) & 0x7FFF


@pytest.mark.parametrize("backend, threads", [("vector", 1), ("vector", 2), ("numpy", 1)])
@pytest.mark.parametrize("short", [5, 64, 1000])
def test_maps_meet_shorter_inputs_again_and_again(short, backend, threads):
    rng = np.random.default_rng(short)
    x, step = (rng.integers(0, 50, n).astype(np.int16) for n in (7 * short, short))
    circuit = trace(moved, {"x": (0, 50), "step": (0, 50), "element": (0, 1 << 20)},
                    outputs=("o",))
    arrays = {"x": x, "step": step, "o": np.zeros_like(x)}
    plan = MapPlan(circuit, dict.fromkeys(arrays, np.dtype(np.int16)))
    bind_map(plan, arrays, backend, first=3, threads=threads)()
    expected = moved(x.astype(int), np.tile(step, 7).astype(int), 3 + np.arange(x.size))
    np.testing.assert_array_equal(arrays["o"], expected)


@pytest.mark.parametrize("sizes", [(10, 4, 10), (10, 5, 2), (5, 10, 5), (10, 0, 10)])
def test_maps_refuse_arrays_of_other_sizes(sizes):
    circuit = trace(lambda x, y: x + y, {"x": (0, 9), "y": (0, 9)}, outputs=("o",))
    arrays = {n: np.zeros(size, np.int16) for n, size in zip("xyo", sizes)}
    plan = MapPlan(circuit, dict.fromkeys(arrays, np.dtype(np.int16)))
    for backend in ("vector", "numpy"):
        with pytest.raises(ValueError, match="arrays of one size, inputs of a part"):
            bind_map(plan, arrays, backend)
