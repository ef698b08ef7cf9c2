"""Pooling in any arithmetic: compiled loops or maps over words, NumPy otherwise."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from fxp.compile.loading import compiler
from fxp.trace.circuit import Circuit, evaluate
from nets.arithmetic.integer import IntegerArithmetic
from nets.arithmetic.registers import copying, map_over, registers, zeroing
from nets.arithmetic.tensor import Tensor
from nets.layers.window import Window, as_images

__all__ = ["average", "average_gradient", "greatest", "greatest_gradient"]

Calls = list[Callable[[], None]]


def greatest(ar, window: Window, x: Tensor, y: Tensor, chosen: np.ndarray):
    """y = the greatest of each window; chosen = its place in the window, by row and column."""
    if not _compiles(ar):
        return lambda: _greatest(ar, window, x, y, chosen)
    if isinstance(ar, IntegerArithmetic):
        run = _kernel("greatest", _GREATEST, len(x.fields), {"order": ar.order_circuit()})
    else:
        run = _kernel("greatest_real", _GREATEST_REAL, len(x.fields), {})
    args = (*x.fields.values(), *y.fields.values(), chosen, *_sizes(window))
    return lambda: run(*args)


def greatest_gradient(ar, window: Window, chosen: np.ndarray, dy: Tensor, dx: Tensor):
    """dx = dy at the chosen places, zero elsewhere."""
    zero = ar.empty(1, 1, dx.role).fields
    clear = [(v, zero[k][0, 0]) for k, v in dx.fields.items()]
    put = _scatter(window, chosen, dy, dx)
    if _compiles(ar):
        run = _kernel("scatter", _SCATTER, len(dy.fields), {})
        args = (*dy.fields.values(), *dx.fields.values(), chosen, *_sizes(window))

        def put() -> None:
            run(*args)

    def call() -> None:
        for array, value in clear:
            array.fill(value)
        put()

    return call


def average(ar, window: Window, x: Tensor, y: Tensor) -> Calls:
    """y = the sum over each window of its numbers times the word of 1 / their count."""
    factor = ar.constant(Fraction(1, window.size**2))
    parts = _parts(x, window)
    target = as_images(y, (*window.out, window.shape[2]))
    if not isinstance(ar, IntegerArithmetic):
        return [lambda: _mean(target["value"], [p["value"] for p in parts], factor)]
    return _weighted(ar, parts, target, factor, "activations")


def average_gradient(ar, window: Window, dy: Tensor, dx: Tensor) -> Calls:
    """dx = dy times the word of 1 / their count, for each number of the window."""
    factor = ar.constant(Fraction(1, window.size**2))
    shape = (*window.out, window.shape[2])
    of = as_images(dy, shape)
    if not isinstance(ar, IntegerArithmetic):
        return [lambda: _share(_parts(dx, window), {k: v * factor for k, v in of.items()})]
    shares = as_images(ar.empty(dy.rows, dy.columns, "gradients"), shape)
    return [*_weighted(ar, [of], shares, factor, "gradients"),
            lambda: _share(_parts(dx, window), shares)]


def _weighted(ar, parts, target, factor: Tensor, role: str) -> Calls:
    """target = the sum of parts times factor, taken in order."""
    plan = ar.weighted_plan(role)
    shape = next(iter(target.values())).shape
    state = registers(plan, shape)
    words = {k: np.empty(shape, v.dtype) for k, v in target.items()}
    scalars = {k: int(v[0, 0]) for k, v in factor.named("a").items()}
    step = map_over(ar, plan.step, plan.state, {**state, **Tensor(words, 0).named("b")})
    calls: Calls = [zeroing(ar, plan, state, role)]
    for part in parts:
        calls += [copying([(words[k], part[k]) for k in words]), lambda: step(**scalars)]
    end = map_over(ar, plan.finish, (), {**state, **Tensor(words, 0).named("o")})
    return [*calls, end, copying([(target[k], words[k]) for k in words])]


def _parts(x: Tensor, window: Window) -> list[dict[str, np.ndarray]]:
    """Return views of all windows' first numbers, all second ones, ..., by row and column."""
    size, (rows, columns) = window.size, window.out
    images = as_images(x, window.shape)
    return [{k: v[:, i : i + size * (rows - 1) + 1 : size, j : j + size * (columns - 1) + 1 : size]
             for k, v in images.items()} for i in range(size) for j in range(size)]


def _greatest(ar, window: Window, x: Tensor, y: Tensor, chosen: np.ndarray) -> None:
    parts = _parts(x, window)
    heights = np.array([_heights(ar, part) for part in parts])
    best = heights.argmax(axis=0)
    chosen[...] = best.reshape(chosen.shape)
    for k, target in as_images(y, best.shape[1:]).items():
        stacked = np.array([part[k] for part in parts])
        target[...] = np.take_along_axis(stacked, best[None], 0)[0]


def _heights(ar, part: dict[str, np.ndarray]) -> np.ndarray:
    if not isinstance(ar, IntegerArithmetic):
        return part["value"]
    return np.asarray(evaluate(ar.order_circuit(),
                               **{k: v.astype(np.int64) for k, v in part.items()}))


def _scatter(window: Window, chosen: np.ndarray, dy: Tensor, dx: Tensor):
    shape = (*window.out, window.shape[2])

    def run() -> None:
        best = chosen.reshape(-1, *shape)
        for i, part in enumerate(_parts(dx, window)):
            for k, values in as_images(dy, shape).items():
                np.copyto(part[k], values, where=best == i)

    return run


def _mean(target: np.ndarray, parts: list[np.ndarray], factor: float) -> None:
    target[...] = parts[0] * factor
    for part in parts[1:]:
        target += part * factor


def _share(parts: list[dict[str, np.ndarray]], shares: dict[str, np.ndarray]) -> None:
    for part in parts:
        for k, values in shares.items():
            part[k][...] = values


def _compiles(ar) -> bool:
    return ar.backend == "vector"


def _sizes(window: Window) -> tuple[int, ...]:
    """Return rows, columns, channels of the output, the window's size, a row's numbers."""
    return (*window.out, window.shape[2], window.size, window.shape[1] * window.shape[2])


def _kernel(name: str, loop: str, fields: int, circuits: dict[str, Circuit]):
    """Return the compiled loop, its <...> repeated for each field of a number."""
    for _ in range(loop.count("<")):
        head, _, rest = loop.partition("<")
        part, _, rest = rest.partition(">")
        loop = head + part[-1:].join(part[:-1].replace("#", str(i)) for i in range(fields)) + rest
    return compiler().scalar_kernel(name, circuits, loop)


_GREATEST = '''\
@njit(cache=True, nogil=True)
def run(<x#,>, <y#,>, chosen, rows, columns, channels, size, row):
    for n in range(chosen.shape[0]):
        for i in range(rows):
            for j in range(columns):
                first = i * size * row + j * size * channels
                out = (i * columns + j) * channels
                for c in range(channels):
                    best, place = 0, first + c
                    top = order(<np.int64(x#[n, place]),>)
                    for k in range(1, size * size):
                        at = first + (k // size) * row + (k % size) * channels + c
                        height = order(<np.int64(x#[n, at]),>)
                        better = height > top
                        top = height if better else top
                        best = k if better else best
                        place = at if better else place
                    chosen[n, out + c] = best
                    <y#[n, out + c] = x#[n, place];>
'''

# A NaN is greater than any number, as it is to NumPy's argmax. Channels go innermost, for
# vectors of them.
_GREATEST_REAL = '''\
@njit(cache=True, nogil=True)
def run(x, y, chosen, rows, columns, channels, size, row):
    for n in range(chosen.shape[0]):
        for i in range(rows):
            for j in range(columns):
                first = i * size * row + j * size * channels
                out = (i * columns + j) * channels
                top, best = y[n, out : out + channels], chosen[n, out : out + channels]
                for c in range(channels):
                    top[c], best[c] = x[n, first + c], 0
                for k in range(1, size * size):
                    at = first + (k // size) * row + (k % size) * channels
                    for c in range(channels):
                        height, before = x[n, at + c], top[c]
                        better = (height > before) | ((height != height) & (before == before))
                        top[c] = height if better else before
                        best[c] = k if better else best[c]
'''

_SCATTER = '''\
@njit(cache=True, nogil=True)
def run(<d#,>, <x#,>, chosen, rows, columns, channels, size, row):
    for n in range(chosen.shape[0]):
        for i in range(rows):
            for j in range(columns):
                first = i * size * row + j * size * channels
                out = (i * columns + j) * channels
                for c in range(channels):
                    k = chosen[n, out + c]
                    at = first + (k // size) * row + (k % size) * channels + c
                    <x#[n, at] = d#[n, out + c];>
'''
