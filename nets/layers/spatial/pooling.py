"""Pooling in any arithmetic: compiled loops or maps over words, NumPy otherwise."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial

import numpy as np

from fxp.compile.loading import compiler
from fxp.run.execute import WORTH_A_PART, Call, in_order
from fxp.run.threads import in_threads, parts_of
from fxp.trace.bits import where
from fxp.trace.circuit import Circuit, evaluate, trace
from nets.arithmetic.integer import IntegerArithmetic
from nets.arithmetic.registers import copying, map_over, registers, zeroing
from nets.arithmetic.tensor import Tensor
from nets.layers.window import Window, as_images

__all__ = ["average", "average_gradient", "greatest", "greatest_gradient"]

Calls = list[Callable[[], None]]
SMALL = 3  # windows up to this size are taken everywhere, which costs less than by places


def greatest(ar, window: Window, x: Tensor, y: Tensor, chosen: np.ndarray) -> Calls:
    """y = the greatest of each window; chosen = its place in the window, by row and column."""
    if not _compiles(ar):
        return [lambda: _greatest(ar, window, x, y, chosen)]
    if isinstance(ar, IntegerArithmetic) and window.size <= SMALL:
        return _everywhere(ar, window, x, y, chosen)
    if isinstance(ar, IntegerArithmetic):
        run = _kernel("greatest", _GREATEST, len(x.fields), {"order": ar.order_circuit()})
    else:
        run = _kernel("greatest_real", _GREATEST_REAL, len(x.fields), {})
    arrays = (*x.fields.values(), *y.fields.values(), chosen)
    parts = parts_of(x.rows, arrays[0].size, WORTH_A_PART, ar.threads, each=1)
    return [in_threads([partial(run, *(a[low:high] for a in arrays), *_sizes(window))
                        for low, high in parts])]


def _everywhere(ar, window: Window, x: Tensor, y: Tensor, chosen: np.ndarray) -> Calls:
    """The same by a map: it takes the window that begins at each number, whole vectors at a
    time, and those that there are are copied out."""
    size, channels = window.size, window.shape[2]
    row, shape = window.shape[1] * channels, (*window.out, channels)
    flat = {k: v.reshape(-1) for k, v in x.fields.items()}
    found = {k: np.empty_like(v) for k, v in x.fields.items()}
    place = np.empty(next(iter(found.values())).shape, np.int8)
    count = place.size - (size - 1) * (row + channels)
    starts = [i * row + j * channels for i in range(size) for j in range(size)]
    ports = {f"{k}_{n}": v[start : start + count] for n, start in enumerate(starts)
             for k, v in flat.items()}
    outputs = {f"o_{k}": v.reshape(-1)[:count] for k, v in {**found, "place": place}.items()}
    run = map_over(ar, _greatest_circuit(ar.order_circuit(), list(flat), len(starts)), (),
                   {**ports, **outputs})
    pairs = [(v, _parts(Tensor({k: found[k]}, x.columns), window)[0][k])
             for k, v in as_images(y, shape).items()]
    places = _parts(Tensor({"place": place}, x.columns), window)[0]["place"]
    return [run, copying(ar, [*pairs, (chosen.view(np.int8).reshape(places.shape), places)])]


def _greatest_circuit(order: Circuit, fields: list[str], count: int) -> Circuit:
    """Return the fields of the first greatest of so many numbers, and its place."""
    nodes = dict(zip(fields, order.inputs.values()))
    ports = {f"{k}_{n}": (node.low, node.high) for n in range(count)
             for k, node in nodes.items()}

    def first_greatest(**given):
        numbers = [[given[f"{k}_{n}"] for k in fields] for n in range(count)]
        heights = [evaluate(order, **dict(zip(order.inputs, number))) for number in numbers]
        best, top, place = numbers[0], heights[0], 0
        for n in range(1, count):
            better = heights[n] > top
            best = [where(better, new, old) for new, old in zip(numbers[n], best)]
            top, place = where(better, heights[n], top), where(better, n, place)
        return (*best, place)

    return trace(first_greatest, ports, outputs=[f"o_{k}" for k in (*fields, "place")])


def greatest_gradient(ar, window: Window, chosen: np.ndarray, dy: Tensor, dx: Tensor):
    """dx = dy at the chosen places, zero elsewhere."""
    zero = {k: v[0, 0] for k, v in ar.empty(1, 1, dx.role).fields.items()}
    if _compiles(ar):
        return in_order([_scattering(ar, window, chosen, d, dx.fields[k], int(zero[k]))
                          for k, d in dy.fields.items()])
    put = _scatter(window, chosen, dy, dx)

    def call() -> None:
        for k, array in dx.fields.items():
            array.fill(zero[k])
        put()

    return call


def _scattering(ar, window: Window, chosen: np.ndarray, d: np.ndarray, x: np.ndarray, zero: int):
    """Return the compiled call for one field of the numbers, the images in parts."""
    code = compiler()
    heads = "\n".join(f"    {n} = word(address + {8 * i})" for i, n in enumerate(SCATTER))
    run = code.compile_module("scatter", _SCATTER.format(heads=heads, kind=d.dtype)).run
    sizes = (*_sizes(window), zero, d.shape[1], x.shape[1], chosen.shape[1])
    parts = []
    for low, high in parts_of(len(d), x.size, WORTH_A_PART, ar.threads):
        places = (v[low:].ctypes.data for v in (d, x, chosen))
        parts.append(dict(zip(SCATTER, (high - low, *sizes, *places))))
    return Call(code.Code(SCATTER, run, code.entry_of(run)), parts, ar.threads, (d, x, chosen))


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
        calls += [copying(ar, [(words[k], part[k]) for k in words]), lambda: step(**scalars)]
    end = map_over(ar, plan.finish, (), {**state, **Tensor(words, 0).named("o")})
    return [*calls, end, copying(ar, [(target[k], words[k]) for k in words])]


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

SCATTER = ("images", "rows", "columns", "channels", "size", "row", "zero", "d_row", "x_row",
           "chosen_row", "d_at", "x_at", "chosen_at")
_SCATTER = '''\
import numpy as np
from numba import carray, types

from fxp.compile.cache import njit
from fxp.compile.memory import pointer, word


@njit(types.void(types.int64), nogil=True, cache=True)
def run(address):
{heads}
    d = carray(pointer(d_at, np.{kind}), (images, d_row))
    x = carray(pointer(x_at, np.{kind}), (images, x_row))
    chosen = carray(pointer(chosen_at, np.uint8), (images, chosen_row))
    moved = np.empty(size * size, np.int64)  # from the first place of a window to each
    for k in range(size * size):
        moved[k] = (k // size) * row + (k % size) * channels
    for n in range(images):
        x[n] = zero
        for i in range(rows):
            for j in range(columns):
                first = i * size * row + j * size * channels
                out = (i * columns + j) * channels
                for c in range(channels):
                    x[n, first + c + moved[chosen[n, out + c]]] = d[n, out + c]
'''
