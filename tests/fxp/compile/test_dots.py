"""Exact sums of products by pairs of steps give NumPy's words, whatever lies where."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.agreement import machine
from benchmarks.agreement.machine import levels
from benchmarks.agreement.plans import Drawn, dots_of_small_parts, draw_dots, plan_differences
from fxp.compile import cache
from fxp.compile.machine.target import Target, target
from fxp.format import Fixed
from fxp.run import execute
from fxp.run.execute import bind_matmul, shaped
from fxp.run.kernels import Accumulator

LEVELS = levels()
F16, F12 = Fixed(16, 11), Fixed(12, 7)


@pytest.fixture
def small_parts():
    with dots_of_small_parts():
        yield


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("seed", range(16))
def test_random_sums_agree_on_a_level_in_turn(seed):
    rng = np.random.default_rng(seed)
    drawn = draw_dots(rng)
    assert shaped(drawn.plan, *drawn.shape).shape == "dots"
    assert not list(plan_differences(drawn, rng, [LEVELS[seed % len(LEVELS)]]))


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_registers_of_16_bits_do(bits):
    f = Fixed(bits, 1)
    plan = Accumulator(f, f, f, depth=64).plan()
    for level in LEVELS:
        assert not list(plan_differences(Drawn("", plan, (20, 64, 40)), np.random.default_rng(1),
                                         [level]))


@pytest.mark.parametrize("depth", [16, 17, 18, 19, 47])
@pytest.mark.parametrize("turned", [False, True])
def test_sums_of_bytes_agree(depth, turned, small_parts, monkeypatch):
    """Everywhere, as on processors that take four products of bytes at once."""
    if "avx512vbmi" not in LEVELS:  # what one instruction does there is written out
        monkeypatch.setattr(machine, "_target", lambda level: Target(level, False, True))
    plan = Accumulator(Fixed(8, 4), Fixed(7, 3), Fixed(9, 1)).plan()
    for level in LEVELS if "avx512vbmi" not in LEVELS else ["avx512vbmi"]:
        rng = np.random.default_rng(depth)
        drawn = Drawn(f"{depth}", plan, (37, depth, 130))
        assert not list(plan_differences(drawn, rng, [level], turned))


def test_bytes_of_windows_agree(monkeypatch):
    monkeypatch.setattr(cache, "target", lambda: Target(target().level, False, True))
    monkeypatch.setattr(execute, "_KERNELS", {})
    monkeypatch.setattr(cache, "_name", lambda plan: f"bytes{id(plan)}")
    test_windows_are_read_where_they_lie(16, Fixed(8, 4), Fixed(8, 2))
    test_windows_are_read_where_they_lie(5, Fixed(8, 4), Fixed(8, 2))


@pytest.mark.parametrize("shape", [(450, 606, 270), (450, 4200, 40)])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("f", [F16, Fixed(8, 4)], ids=str)
def test_whole_parts_agree(f, shape, turned, monkeypatch):
    """With the sizes that are in use: two blocks of columns, of rows in each of six parts, and of
    steps, or more of those than are kept."""
    if "avx512vbmi" not in LEVELS:
        monkeypatch.setattr(machine, "_target", lambda level: Target(level, False, True))
    drawn = Drawn("", Accumulator(f, f, f).plan(), shape)
    assert not list(plan_differences(drawn, np.random.default_rng(5), LEVELS[:1], turned))


@pytest.mark.parametrize("word, sign", [("lowest", 1), ("highest", 1), ("highest", -1)])
@pytest.mark.parametrize("depth", [16, 33, 600])
def test_greatest_products_do_not_overflow(word, sign, depth):
    """Two products of the lowest words of 16 bits come to 2^31."""
    f = Fixed(16, 15)
    of_a = f.low if word == "lowest" else f.high
    out = Fixed(31, 5)
    plan = Accumulator(f, f, out).plan()
    a = np.full((17, depth), of_a, np.int16)
    b = np.full((depth, 32), max(sign * of_a, f.low), np.int16)
    start, found = np.zeros((17, 32), np.int32), np.zeros((17, 32), np.int32)
    bind_matmul(plan, {"a": a}, {"b": b}, {"i": start}, {"o": found})()
    assert (found == round(Fraction(int(of_a) * int(b[0, 0]) * depth, 1 << 25))).all()


def test_each_block_of_steps_has_a_greatest_word_of_its_own():
    """Also for the second rows, when those of all blocks are known."""
    f = Fixed(16, 15)
    a, b = np.full((130, 600), f.high, np.int16), np.full((600, 32), f.high, np.int16)
    b[512:] = 1
    start, found = np.zeros((130, 32), np.int32), np.zeros((130, 32), np.int32)
    bind_matmul(Accumulator(f, f, Fixed(31, 5)).plan(), {"a": a}, {"b": b}, {"i": start},
                {"o": found})()
    total = int(f.high) * (512 * int(f.high) + 88)
    assert (found == round(Fraction(total, 1 << 25))).all()


@pytest.mark.parametrize("channels", [5, 4, 16])  # no pairs beside each other, few, all
def test_windows_are_read_where_they_lie(channels, of_a=F16, of_b=F12):
    """Places in windows of images, as rows and as steps, are as good as a matrix of them."""
    rng = np.random.default_rng(2)
    images = rng.integers(*of_a.words, (3, 9, 8, channels)).astype(np.int16)
    images[rng.random(images.shape) < 0.9] = 0
    plan = Accumulator(of_a, of_b, F16).plan()
    for step in (1, 2):
        seen = sliding_window_view(images, (3, 3), (1, 2))[:, ::step, ::step]
        seen = seen.transpose(0, 1, 2, 4, 5, 3)
        for view in (seen, seen.transpose(3, 4, 5, 0, 1, 2)):
            matrix = np.ascontiguousarray(view).reshape(np.prod(view.shape[:3]), -1)
            b = rng.integers(*of_b.words, (matrix.shape[1], 96)).astype(np.int16)
            start = np.zeros((len(matrix), 96), np.int16)
            found, wanted = start.copy(), start.copy()
            for a, o, backend in ((view, found, "vector"), (matrix, wanted, "numpy")):
                bind_matmul(plan, {"a": a}, {"b": b}, {"i": start}, {"o": o}, backend=backend)()
            np.testing.assert_array_equal(found, wanted)


def test_operands_are_looked_at_whenever_a_call_runs():
    """How many products a sum may take follows the words of the moment."""
    f = Fixed(16, 0)
    a, b, o = (np.ones(shape, np.int16) for shape in ((16, 64), (64, 32), (16, 32)))
    call = bind_matmul(Accumulator(f, f, f).plan(), {"a": a}, {"b": b},
                       {"i": o * 0}, {"o": o})
    call()
    assert (o == 64).all()
    a[:], b[:] = -32768, -32768
    b[1::2] = 32767
    call()
    assert (o == 32767).all()  # 32 times 32768 saturates; a sum that wraps would not


@pytest.mark.parametrize("plan, exact", [
    (Accumulator(F16, F12, F16).plan(), True), (Accumulator(F16, F12, Fixed(31, 5)).plan(), True),
    (Accumulator(F16, Fixed(17, 3), F16).plan(), False),  # words of 32 bits
    (Accumulator(F16, F12, F16, "limited").plan(), False),
    (Accumulator(F16, F12, F16, "each").plan(), False),
    (Accumulator(F16, F12, F16).plan(keep_untouched=True), False)])
def test_which_plans_add_products_alone(plan, exact):
    assert plan.adds_products() is exact
    assert (shaped(plan, 16, 16, 64).shape == "dots") is exact
    assert shaped(plan, 15, 99, 64).shape == shaped(plan, 99, 15, 64).shape == ""


def test_operands_of_many_axes_are_for_these_sums_alone():
    a = np.zeros((2, 3, 4, 5), np.int16)
    plan = Accumulator(F16, F12, F16, "each").plan()
    b, o = np.zeros((20, 32), np.int16), np.zeros((6, 32), np.int16)
    with pytest.raises(ValueError, match="axes"):
        bind_matmul(plan, {"a": a}, {"b": b}, {"i": o}, {"o": o.copy()})


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_give_the_same_words(threads, monkeypatch):
    monkeypatch.setattr(execute, "WORTH_A_THREAD", 1)
    plan = replace(Accumulator(F16, F16, F16).plan(), shape="dots")
    rng = np.random.default_rng(1)
    a, b = (rng.integers(*F16.words, shape).astype(np.int16) for shape in ((77, 40), (40, 64)))
    start = np.zeros((77, 64), np.int16)
    one, many = start.copy(), start.copy()
    for o, n in ((one, 1), (many, threads)):
        bind_matmul(plan, {"a": a}, {"b": b}, {"i": start}, {"o": o}, threads=n)()
    np.testing.assert_array_equal(one, many)
