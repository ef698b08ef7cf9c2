"""Plans evaluated in NumPy, node by node on int64: what compiled kernels are judged against."""

from __future__ import annotations

import numpy as np

from fxp.trace.circuit import evaluate

__all__ = ["NumpyMap", "NumpyMatmul"]


class NumpyMap:
    """A map evaluated in NumPy, node by node on int64."""

    def __init__(self, plan, arrays, first):
        self.plan = plan
        self.arrays = arrays
        self.first = first

    def __call__(self, **scalars):
        size = max(array.size for array in self.arrays.values())
        inputs = {"element": self.first + np.arange(size), **scalars}
        for name in self.plan.circuit.inputs:
            if name in self.arrays:
                inputs[name] = np.resize(self.arrays[name], size).astype(np.int64)
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
        state = self._run(plan.start, {k: _wide(v, shape) for k, v in self.init.items()})
        state = self._tree(state, depth) if plan.combine else (
            self._sequence(state, depth))
        inputs = {**state, **scalars, **{k: _wide(v, shape) for k, v in self.extra.items()},
                  "element": np.arange(shape[0] * shape[1]).reshape(shape)}
        touched = np.ones((rows, 1), bool)
        if plan.keep_untouched:
            touched = (self.a[plan.scalars[0]] != plan.absent).any(axis=1, keepdims=True)
        wanted = {name: inputs[name] for name in plan.finish.inputs}
        for name, value in _evaluate(plan.finish, wanted).items():
            np.copyto(self.out[name], np.broadcast_to(value, shape), "unsafe", where=touched)

    def _operands(self, k: int):
        a = {n: self.a[n][:, k : k + 1].astype(np.int64) for n in self.plan.scalars}
        return a, {n: self.b[n][k : k + 1].astype(np.int64) for n in self.plan.vectors}

    def _sequence(self, state, depth):
        for k in range(depth):
            a, b = self._operands(k)
            present = True
            if self.plan.absent is not None:
                first = a[self.plan.scalars[0]]
                present = first != self.plan.absent
                # An absent operand is outside the step's range: any other will do.
                a[self.plan.scalars[0]] = np.where(present, first, self.plan.absent + 1)
            after = self._run(self.plan.step, {**state, **a, **b})
            state = {n: np.where(present, after[n], state[n]) for n in self.plan.state}
        return state

    def _tree(self, state, depth):
        stack = [state]
        for k in range(depth):
            a, b = self._operands(k)
            stack.append(self._run(self.plan.step, {**a, **b}))
            leaves = k + 2
            while leaves % 2 == 0:
                self._merge(stack)
                leaves //= 2
        while len(stack) > 1:
            self._merge(stack)
        return stack[0]

    def _merge(self, stack):
        newer, older = stack.pop(), stack.pop()
        pair = {**older, **{f"{k}_2": v for k, v in newer.items()}}
        stack.append(self._run(self.plan.combine, pair))

    def _run(self, circuit, inputs):
        wanted = {k: inputs[k] for k in circuit.inputs}
        return dict(zip(self.plan.state, _evaluate(circuit, wanted).values()))


def _evaluate(circuit, inputs) -> dict:
    results = evaluate(circuit, **inputs)
    results = results if isinstance(results, tuple) else (results,)
    return dict(zip(circuit.outputs, results))


def _wide(array, shape):
    return np.broadcast_to(array, shape).astype(np.int64)
