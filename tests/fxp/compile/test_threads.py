"""Parts that threads share out: each is run once, whoever takes it; copies of any strides."""

import threading

import numpy as np
import pytest

from fxp.run import copies, threads
from fxp.run.copies import bind_copies
from fxp.run.execute import bind_map
from fxp.trace.circuit import trace
from fxp.trace.plans import MapPlan


def counting(size: int, count: int):
    """Return an array, and the call that adds one to each number, on so many threads."""
    plus = trace(lambda x: (x + 1) & 0x3FFF, {"x": (0, 1 << 14)}, outputs=("x_out",))
    plan = MapPlan(plus, {"x": np.dtype(np.int16), "x_out": np.dtype(np.int16)})
    numbers = np.zeros(size, np.int16)
    return numbers, bind_map(plan, {"x": numbers, "x_out": numbers}, threads=count)


@pytest.mark.parametrize("count", [2, 3, 16])
def test_each_part_is_run_once(count):
    numbers, call = counting((1 << 20) + 5, count)  # long enough for workers to come
    assert len(call.arguments) == threads.PARTS * count
    for _ in range(1000):
        call()
    assert (numbers == 1000).all()


def test_a_thread_that_finds_the_workers_busy_runs_its_parts_itself(monkeypatch):
    monkeypatch.setattr("fxp.run.execute.WORTH_A_PART", 64)
    jobs = [counting(64 * 20, 2) for _ in range(4)]

    def repeat(call):
        for _ in range(300):
            call()

    others = [threading.Thread(target=repeat, args=[call]) for _, call in jobs]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert all((numbers == 300).all() for numbers, _ in jobs)


def test_parts_are_worth_a_thread():
    assert threads.parts_of(100, 100, 1000, 2) == [(0, 100)]
    assert threads.parts_of(100, 1e9, 1000, 1) == [(0, 100)]
    edges = threads.parts_of(100, 1e9, 1000, 2)
    assert edges[0][0] == 0 and edges[-1][1] == 100 and len(edges) == 2 * threads.PARTS
    assert all(high == low for (_, high), (low, _) in zip(edges, edges[1:]))


def views(rng, dtype):
    """Give pairs of arrays: turned, reversed, spread, repeated, in pieces of a row."""
    whole = rng.integers(-100, 100, (6, 10, 8, 12)).astype(dtype)
    yield np.zeros((12, 8, 10, 6), dtype), whole.transpose()
    yield np.zeros((6, 10, 8, 12), dtype)[::-1, :, ::-1], whole[:, ::-1]
    yield np.zeros((12, 20, 8, 12), dtype)[::2, 1::2], whole
    yield np.zeros((7, 12), dtype), whole[0, 0, :1]
    yield np.zeros((6, 10, 8, 12), dtype)[..., 3:9], whole[..., :6]
    yield np.zeros((0, 4), dtype), whole[:0, 0, 0, :4]
    yield np.zeros((), dtype), whole[0, 0, 0, 0]


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_copies_on_threads_are_those_of_numpy(dtype, monkeypatch):
    monkeypatch.setattr(copies, "WORTH_A_PART", 8)
    pairs = list(views(np.random.default_rng(0), dtype))
    bind_copies(pairs, 2)()
    for to, of in pairs:
        assert np.array_equal(to, np.broadcast_to(of, to.shape))
        to[...] = 0
    for to, of in pairs:  # each alone
        bind_copies([(to, of)], 3)()
        assert np.array_equal(to, np.broadcast_to(of, to.shape))
