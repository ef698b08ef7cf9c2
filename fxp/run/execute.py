"""Plans bound to arrays: calls that run compiled, or node by node in NumPy.

A call is bound once to its arrays and then costs a microsecond to run, which is
what training with small batches needs. Every field of a number is an array of
its own; arrays of one group share their strides. Both backends write the same
words.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from fxp.compile.loading import compiler
from fxp.trace.circuit import evaluate
from fxp.trace.plans import MapPlan, MatmulPlan, plan_digest

__all__ = ["BACKENDS", "LANES", "bind_map", "bind_matmul", "kernel_of", "run_parts"]

BACKENDS = ("vector", "numpy")
LANES = 32  # rows of b, init, extra and out are padded to a multiple of this
WORTH_A_THREAD = 1 << 19  # steps of a product below which a second thread costs more

Arrays = dict[str, np.ndarray]


def bind_map(plan: MapPlan, arrays: Arrays, backend: str = "vector", first: int = 0):
    """Return call(**scalars) that runs a map over contiguous arrays of one size.

    arrays holds the plan's vector ports and its outputs, by name.
    """
    bound = NumpyMap if backend == "numpy" else VectorMap
    return bound(plan, arrays, first)


def bind_matmul(plan: MatmulPlan, a: Arrays, b: Arrays, init: Arrays, out: Arrays,
                extra: Arrays | None = None, backend: str = "vector", threads: int = 1,
                used: int | None = None):
    """Return call(**scalars) that runs a product of a (rows x depth) and b (depth x columns).

    a may have any strides; b, init, extra and out are contiguous along their
    columns, whose number is a multiple of LANES; a broadcast init has stride 0. Of the
    columns the first `used`, by default all, count: others may be left as they are.
    Large products are split by rows over threads, with the same words.
    """
    if backend == "numpy":
        return NumpyMatmul(plan, a, b, init, out, extra or {}, threads)
    return VectorMatmul(plan, a, b, init, out, extra or {}, threads, used)


class VectorMap:
    """A compiled map, bound."""

    def __init__(self, plan, arrays, first):
        self.kernel = kernel_of(plan)
        self.arrays = arrays
        count = next(iter(arrays.values())).size
        values = {"first": first, "count": count,
                  **{name: _address(array) for name, array in arrays.items()}}
        self.arguments = _Arguments(self.kernel.names, values)

    def __call__(self, **scalars):
        self.kernel.run(self.arguments.given(scalars))


class VectorMatmul:
    """A compiled matrix product, bound; one tuple of arguments for each thread."""

    def __init__(self, plan, a, b, init, out, extra, threads, used=None, kernel=None):
        self.kernel = kernel or kernel_of(plan)
        self.arrays = (a, b, init, out, extra)
        rows, depth = next(iter(a.values())).shape
        columns = next(iter(out.values())).shape[1]
        if columns % LANES:
            raise ValueError(f"columns must be a multiple of {LANES}, got {columns}")
        values = {"depth": depth, "columns": columns, "used": columns if used is None else used}
        for group in self.arrays:
            values.update((name, _address(array)) for name, array in group.items())
        values["a_row"], values["a_step"] = _strides(a)
        for name, group in (("b", b), ("init", init), ("extra", extra), ("out", out)):
            values[f"{name}_row"] = _strides(group)[0] if group else 0
        work = rows * depth * columns if kernel is None else rows * WORTH_A_THREAD
        parts = _parts(rows, work, threads)
        self.scratch = [np.empty((1 + len(a)) * depth + high - low + 8, np.int64)
                        for low, high in parts]
        self.parts = [
            _Arguments(self.kernel.names,
                       {**values, "row": low, "rows": high, "scratch": _address(scratch)})
            for (low, high), scratch in zip(parts, self.scratch)]

        self.bound = [part.bound for part in self.parts]
        self.complete = not self.parts[0].places

    def __call__(self, **scalars):
        run_parts(self.kernel, self.bound if self.complete else
                  [part.given(scalars) for part in self.parts])


class _Arguments:
    """The arguments of a kernel, bound but for the scalars that each call brings."""

    def __init__(self, names: Sequence[str], values: dict[str, int]):
        self.bound = tuple(values.get(n, 0) for n in names)
        self.places = [(i, n) for i, n in enumerate(names) if n not in values]

    def given(self, scalars: dict[str, int]) -> tuple[int, ...]:
        """Return them all, in order."""
        if not self.places:
            return self.bound
        whole = list(self.bound)
        for i, name in self.places:
            whole[i] = scalars[name]
        return tuple(whole)


class NumpyMap:
    """A map evaluated in NumPy, node by node on int64."""

    def __init__(self, plan, arrays, first):
        self.plan = plan
        self.arrays = arrays
        self.first = first

    def __call__(self, **scalars):
        size = next(iter(self.arrays.values())).size
        inputs = {"element": self.first + np.arange(size), **scalars}
        for name in self.plan.circuit.inputs:
            if name in self.arrays:
                inputs[name] = self.arrays[name].reshape(-1).astype(np.int64)
        wanted = {name: inputs[name] for name in self.plan.circuit.inputs}
        for name, value in _evaluate(self.plan.circuit, wanted).items():
            self.arrays[name].reshape(-1)[...] = value


class NumpyMatmul:
    """A matrix product evaluated in NumPy, one step of all elements at a time."""

    def __init__(self, plan, a, b, init, out, extra, threads):
        self.plan = plan
        self.a, self.b, self.init, self.out, self.extra = a, b, init, out, extra

    def __call__(self, **scalars):
        plan = self.plan
        rows, depth = next(iter(self.a.values())).shape
        shape = (rows, next(iter(self.out.values())).shape[1])
        state = self._run(plan.start, self.init, shape)
        state = self._tree(state, depth, shape) if plan.combine else (
            self._sequence(state, depth, shape))
        inputs = {**state, **scalars, **{k: _wide(v, shape) for k, v in self.extra.items()},
                  "element": np.arange(shape[0] * shape[1]).reshape(shape)}
        touched = np.ones((rows, 1), bool)
        if plan.keep_untouched:
            touched = (self.a[plan.scalars[0]] != plan.absent).any(axis=1, keepdims=True)
        wanted = {name: inputs[name] for name in plan.finish.inputs}
        for name, value in _evaluate(plan.finish, wanted).items():
            np.copyto(self.out[name], np.broadcast_to(value, shape), "unsafe", where=touched)

    def _operands(self, k: int, shape):
        a = {n: _wide(self.a[n][:, k : k + 1], shape) for n in self.plan.scalars}
        return a, {n: _wide(self.b[n][k : k + 1], shape) for n in self.plan.vectors}

    def _sequence(self, state, depth, shape):
        for k in range(depth):
            a, b = self._operands(k, shape)
            present = True
            if self.plan.absent is not None:
                first = a[self.plan.scalars[0]]
                present = first != self.plan.absent
                # An absent operand is outside the step's range: any other will do.
                a[self.plan.scalars[0]] = np.where(present, first, self.plan.absent + 1)
            after = self._run(self.plan.step, {**state, **a, **b}, shape)
            state = {n: np.where(present, after[n], state[n]) for n in self.plan.state}
        return state

    def _tree(self, state, depth, shape):
        stack = [state]
        for k in range(depth):
            a, b = self._operands(k, shape)
            stack.append(self._run(self.plan.step, {**a, **b}, shape))
            leaves = k + 2
            while leaves % 2 == 0:
                self._merge(stack, shape)
                leaves //= 2
        while len(stack) > 1:
            self._merge(stack, shape)
        return stack[0]

    def _merge(self, stack, shape):
        newer, older = stack.pop(), stack.pop()
        pair = {**older, **{f"{k}_2": v for k, v in newer.items()}}
        stack.append(self._run(self.plan.combine, pair, shape))

    def _run(self, circuit, inputs, shape):
        wide = {k: _wide(v, shape) for k, v in inputs.items() if k in circuit.inputs}
        return dict(zip(self.plan.state, _evaluate(circuit, wide).values()))


def _evaluate(circuit, inputs) -> dict:
    results = evaluate(circuit, **inputs)
    results = results if isinstance(results, tuple) else (results,)
    return dict(zip(circuit.outputs, results))


def _wide(array, shape):
    return np.broadcast_to(array, shape).astype(np.int64)


def kernel_of(plan):
    """Return the compiled kernel of a plan, compiled once for equal plans."""
    key = plan_digest(plan)
    if key not in _KERNELS:
        _KERNELS[key] = compiler().Kernel(plan)
    return _KERNELS[key]


_KERNELS: dict = {}


def run_parts(kernel, parts) -> None:
    """Run a kernel with each tuple of arguments, the first in this thread."""
    others = [_pool().submit(kernel.run, part) for part in parts[1:]]
    kernel.run(parts[0])
    for other in others:
        other.result()


def _address(array: np.ndarray) -> int:
    return array.ctypes.data


def _strides(group: Arrays) -> tuple[int, ...]:
    """Return the strides, in elements, that all arrays of the group share."""
    found = {tuple(s // array.itemsize for s in array.strides) for array in group.values()}
    if len(found) != 1:
        raise ValueError(f"the arrays {list(group)} differ in their strides: {sorted(found)}")
    return found.pop()


def _parts(rows: int, work: int, threads: int) -> list[tuple[int, int]]:
    """Return row ranges, one for each thread that is worth starting."""
    count = max(1, min(threads, rows, work // WORTH_A_THREAD))
    edges = [rows * i // count for i in range(count + 1)]
    return list(zip(edges, edges[1:]))


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor()


if hasattr(os, "register_at_fork"):  # a child process has none of the threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
