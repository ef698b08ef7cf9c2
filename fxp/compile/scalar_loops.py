"""Plain Numba loops, element by element, around the text of circuits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fxp.compile.loading import compiler
from fxp.trace.circuit import Circuit
from fxp.trace.plans import MatmulPlan, plan_digest

__all__ = ["scalar_map", "scalar_matmul"]

_PRODUCTS: dict[str, Callable] = {}


def scalar_map(circuit: Circuit) -> Callable:
    """Return run(*inputs, *outputs) over flat arrays of one size."""
    inputs = {name: f"np.int64(i_{name}[i])" for name in circuit.inputs}
    arrays = [f"i_{n}" for n in circuit.inputs] + [f"o_{n}" for n in circuit.outputs]
    targets = ", ".join(f"o_{n}[i]" for n in circuit.outputs)
    return compiler().scalar_kernel("scalar_map", {"circuit": circuit}, f"""\
@njit(cache=True, nogil=True)
def run({", ".join(arrays)}):
    for i in range({arrays[-1]}.size):
        {targets} = {_call("circuit", circuit, inputs)}
""")


def scalar_matmul(plan: MatmulPlan) -> Callable:
    """Return run(*a, *b, *init, *extra, *out) over matrices, as `MatmulPlan` says."""
    key = plan_digest(plan)
    if key not in _PRODUCTS:
        circuits = {"start": plan.start, "step": plan.step, "finish": plan.finish}
        if plan.combine is not None:
            circuits["combine"] = plan.combine
        _PRODUCTS[key] = compiler().scalar_kernel("scalar_matmul", circuits, _product_text(plan))
    return _PRODUCTS[key]


def _product_text(plan: MatmulPlan) -> str:
    here = [*plan.start.inputs, *plan.extra]
    arrays = [*plan.scalars, *plan.vectors, *here, *plan.finish.outputs]
    at = {n: f"np.int64(v_{n}[m, k])" for n in plan.scalars}
    at.update((n, f"np.int64(v_{n}[k, n])") for n in plan.vectors)
    at.update((n, f"np.int64(v_{n}[m, n])") for n in here)
    at.update((n, f"s_{n}") for n in plan.state)
    body = _sequence if plan.combine is None else _tree
    results = ", ".join(f"v_{n}[m, n]" for n in plan.finish.outputs)
    return f"""\
@njit(cache=True, nogil=True)
def run({", ".join(f"v_{n}" for n in arrays)}):
    rows, depth = v_{plan.scalars[0]}.shape
    columns = v_{plan.vectors[0]}.shape[1]
    for m in range(rows):
        for n in range(columns):
            {_state(plan)} = {_call("start", plan.start, at)}
{body(plan, at)}
            {results} = {_call("finish", plan.finish, at)}
"""


def _sequence(plan: MatmulPlan, at: Mapping[str, str]) -> str:
    return f"""\
            for k in range(depth):
                if v_{plan.scalars[0]}[m, k] != {plan.absent}:
                    {_state(plan)} = {_call("step", plan.step, at)}"""


def _tree(plan: MatmulPlan, at: Mapping[str, str]) -> str:
    assert plan.combine is not None
    older, newer = (_held(plan, place) for place in ("top - 2", "top - 1"))
    pair = dict(zip(plan.combine.inputs, older + newer))
    merge = f"{', '.join(older)} = {_call('combine', plan.combine, pair)}"
    return f"""\
            stack = np.empty((64, {len(plan.state)}), np.int64)
            {", ".join(_held(plan, "0"))} = {_state(plan)}
            top = 1
            for k in range(depth):
                {", ".join(_held(plan, "top"))} = {_call("step", plan.step, at)}
                top += 1
                leaves = k + 2
                while leaves & 1 == 0:
                    {merge}
                    top -= 1
                    leaves >>= 1
            while top > 1:
                {merge}
                top -= 1
            {_state(plan)} = {", ".join(_held(plan, "0"))}"""


def _state(plan: MatmulPlan) -> str:
    return ", ".join(f"s_{name}" for name in plan.state)


def _held(plan: MatmulPlan, place: str) -> list[str]:
    return [f"stack[{place}, {i}]" for i in range(len(plan.state))]


def _call(function: str, circuit: Circuit, values: Mapping[str, str]) -> str:
    return f"{function}({', '.join(values[port] for port in circuit.inputs)})"
