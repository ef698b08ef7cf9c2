"""Registers of sums in memory: begun, stepped and finished by maps of a plan's circuits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fxp.run.copies import bind_copies
from fxp.run.execute import bind_map
from fxp.run.memory import aligned
from fxp.trace.circuit import Circuit, evaluate
from fxp.trace.plans import MapPlan, MatmulPlan, span_plan

__all__ = ["copying", "map_over", "registers", "summing", "zeroing"]

Arrays = dict[str, np.ndarray]


def registers(plan: MatmulPlan, shape) -> Arrays:
    """Return uninitialised registers of a sequential plan, an array for each part."""
    dtypes = span_plan(plan).dtypes
    return {k: aligned(shape, dtypes[k]) for k in plan.state}


def zeroing(ar, plan: MatmulPlan, state: Arrays, role: str) -> Callable[[], None]:
    """Return the call that puts zero, of the format of a role, into every register."""
    zero = {k: int(v[0, 0]) for k, v in ar.empty(1, 1, role).named("i").items()}
    values = evaluate(plan.start, **zero)
    values = values if isinstance(values, tuple) else (values,)

    def run() -> None:
        for array, value in zip(state.values(), values):
            array.fill(value)

    return run


def summing(ar, plan: MatmulPlan, total: Arrays, sums: Arrays, steps: Callable[[int], None],
            images: int) -> Callable[[], None]:
    """Return the call that sums up images: for each of them registers begin at zero, steps(image)
    are taken, and what they come to is added to the total."""
    begin, anew = (zeroing(ar, plan, state, "gradients") for state in (total, sums))
    other = {f"{k}_2": v for k, v in sums.items()}
    add = bind_map(ar.sum_plan(), {**total, **other}, ar.backend, threads=ar.threads)

    def run() -> None:
        begin()
        for image in range(images):
            anew()
            steps(image)
            add()

    return run


def map_over(ar, circuit: Circuit, state, arrays: Arrays) -> Callable[..., None]:
    """Return the call that runs a circuit over arrays; outputs not named are the state."""
    arrays = {**arrays, **{o: arrays[s] for o, s in zip(circuit.outputs, state)}}
    used = {n: arrays[n] for n in (*circuit.inputs, *circuit.outputs) if n in arrays}
    plan = MapPlan(circuit, {n: v.dtype for n, v in used.items()})
    return bind_map(plan, used, ar.backend, threads=ar.threads)


def copying(ar, pairs) -> Callable[[], None]:
    """Return the call that copies the second of each pair of arrays into the first; they have
    no memory in common."""
    return bind_copies(pairs, ar.threads if ar.backend == "vector" else 1)
