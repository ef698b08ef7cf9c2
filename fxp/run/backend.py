"""Circuits and sums of products over NumPy arrays, by the backend that is chosen.

    vector   compiled for the processor's vector registers; the default
    scalar   compiled element by element
    numpy    the circuit evaluated on int64 arrays, without Numba

All of them give the same words, and so does any number of threads. The choice
holds for a block in its thread, `with backend(name):`, else for the process,
`set_backend(name)`, else it is the environment variable LNSARITH_BACKEND.
"""

from __future__ import annotations

import os
from array import array as words_in_memory
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from fxp.compile.loading import compiler
from fxp.compile.scalar_loops import scalar_map, scalar_matmul
from fxp.format import word_dtype
from fxp.once import cached_property
from fxp.run.execute import LANES, bind_matmul
from fxp.run.threads import processors
from fxp.trace.circuit import Circuit, evaluate
from fxp.trace.graph import SpecError
from fxp.trace.plans import MapPlan, MatmulPlan

__all__ = ["BACKENDS", "backend", "current_backend", "elementwise", "less_turned", "matmul",
           "set_backend", "set_threads"]

BACKENDS = ("vector", "scalar", "numpy")
BLOCK = 1 << 15  # elements that the numpy backend evaluates at a time
COUNTED = 64  # rows of an operand, at least, that are looked through for numbers
TURNED = 7 / 8  # of the steps, at most, as a transposed product
LONG = 1 << 12  # depth from which few sums are not worth a padded vector

_default = os.environ.get("LNSARITH_BACKEND") or "vector"
_chosen: dict = {"backend": None, "threads": None}
_of_block: ContextVar[str | None] = ContextVar("backend", default=None)


def current_backend() -> str:
    """Return the name of the backend in force; ValueError if there is none such."""
    return _of_block.get() or _chosen["backend"] or _checked(_default)


def set_backend(name: str | None) -> None:
    """Choose the backend of this process; None goes back to the default."""
    _chosen["backend"] = name and _checked(name)


@contextmanager
def backend(name: str) -> Iterator[None]:
    """Choose a backend for the body of a with statement, in this thread alone."""
    token = _of_block.set(_checked(name))
    try:
        yield
    finally:
        _of_block.reset(token)


def set_threads(count: int | None) -> None:
    """Let large products run on so many threads; None means one per processor."""
    if count is not None and count < 1:
        raise ValueError(f"threads must be 1 or more, got {count}")
    _chosen["threads"] = count


def elementwise(circuit: Circuit, arrays: Mapping[str, np.ndarray], dtype=None,
                backend: str | None = None):
    """Return the circuit's outputs over arrays: one array, or a tuple of them.

    arrays holds integers for each input port, within its range (not checked); they
    are broadcast against each other. dtype is that of the results, by default the
    narrowest for each. Raises SpecError for missing ports, an output that is named as an
    input or a dtype that does not hold the results, TypeError for arrays that hold no
    integers, ValueError for shapes that do not go together.
    """
    key = id(circuit), dtype
    if key not in _MAPS:
        _MAPS.setdefault(key, _Map(circuit, dtype))
    return _MAPS[key](arrays, _checked(backend) if backend else current_backend())


class _Map:
    """A circuit with the types of its ports; kernels are made when first needed."""

    def __init__(self, circuit: Circuit, dtype):
        both = sorted(set(circuit.inputs) & set(circuit.outputs))
        if both:
            raise SpecError(f"{circuit.name} has an input and an output named {both[0]}; "
                            "outputs= of trace gives outputs other names")
        self.circuit = circuit
        self.inputs = {k: word_dtype(n.low, n.high) for k, n in circuit.inputs.items()}
        self.outputs = {k: np.dtype(word_dtype(n.low, n.high) if dtype is None else dtype)
                        for k, n in circuit.outputs.items()}
        self.plan = MapPlan(circuit, {**self.inputs, **self.outputs})

    def __call__(self, arrays, backend: str):
        if arrays.keys() != self.inputs.keys():
            raise SpecError(f"{self.circuit.name} takes {sorted(self.inputs)}, "
                            f"got {sorted(arrays)}")
        shape = next(iter(arrays.values())).shape
        if any(array.shape != shape for array in arrays.values()):
            shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
        values = [_fitting(name, arrays[name], dtype, shape)
                  for name, dtype in self.inputs.items()]
        results = [np.empty(shape, d) for d in self.outputs.values()]
        getattr(self, f"_{backend}")(values, results)
        return results[0] if len(results) == 1 else tuple(results)

    def _vector(self, values, results):
        addresses = [a.ctypes.data for a in (*values, *results)]
        arguments = words_in_memory("q", (0, results[0].size, *addresses))
        self._vector_kernel(arguments.buffer_info()[0])

    def _scalar(self, values, results):
        self._scalar_kernel(*(a.reshape(-1) for a in (*values, *results)))

    def _numpy(self, values, results):
        """Block by block, so that what is between is small."""
        flat = [v.reshape(-1) for v in values]
        for start in range(0, results[0].size, BLOCK):
            part = slice(start, start + BLOCK)
            inputs = {n: v[part].astype(np.int64) for n, v in zip(self.inputs, flat)}
            found = evaluate(self.circuit, **inputs)
            for result, words in zip(results, found if len(results) > 1 else (found,)):
                result.reshape(-1)[part] = words

    @cached_property
    def _vector_kernel(self):
        return compiler().Kernel(self.plan).run

    @cached_property
    def _scalar_kernel(self):
        return scalar_map(self.circuit)


def _fitting(name: str, array: np.ndarray, dtype, shape) -> np.ndarray:
    """Return the array in this shape, contiguous and of this type."""
    if array.dtype != dtype and array.dtype.kind not in "iub":
        raise TypeError(f"{name} must hold integers, got {array.dtype}")
    if array.shape != shape:
        array = np.broadcast_to(array, shape)
    return np.ascontiguousarray(array, dtype)


_MAPS: dict[tuple, _Map] = {}  # the circuit in a map keeps its id from being reused


def matmul(plan: MatmulPlan, a: Sequence[np.ndarray], b: Sequence[np.ndarray],
           init: Sequence[np.ndarray], extra: Sequence[np.ndarray] = (),
           commutes: bool = False, backend: str | None = None) -> list[np.ndarray]:
    """Return finish(start(init) + a @ b), an array rows x columns for each output.

    a is rows x depth, b depth x columns; init and extra broadcast to rows x columns.
    Each is a list of arrays, one for every field in the order that the plan has
    them. commutes says that products do, so that a @ b may be taken as the
    transposed product where that is less work. Large products run on threads.
    """
    backend = _checked(backend) if backend else current_backend()
    rows, depth = a[0].shape
    columns = b[0].shape[1]
    init, extra = ([np.broadcast_to(x, (rows, columns)) for x in group]
                   for group in (init, extra))
    if backend == "scalar" or (backend == "vector" and rows * columns <= 4 and depth >= LONG):
        return _scalar_matmul(plan, a, b, init, extra)
    if commutes and less_turned(a[0], b[0], plan.absent, backend):
        a, b, init, extra = ([x.T for x in group] for group in (b, a, init, extra))
        return [out.T for out in _bound_matmul(plan, a, b, init, extra, backend)]
    return _bound_matmul(plan, a, b, init, extra, backend)


def less_turned(a: np.ndarray, b: np.ndarray, absent: int | None, backend: str | None = None
                ) -> bool:
    """Return whether a @ b has so much less to do as the transposed product that turning its
    operands and result is worth it; elements that are `absent` have no steps."""
    if (backend or current_backend()) != "vector":
        return False
    return _work(b, absent, len(a)) < TURNED * _work(a, absent, b.shape[1])


def _bound_matmul(plan, a, b, init, extra, backend):
    rows, columns = a[0].shape[0], b[0].shape[1]
    width = _padded(columns) if backend == "vector" else columns

    def named(names, group):
        return {n: _widened(x, width, plan.dtypes[n]) for n, x in zip(names, group)}

    scalars = {n: np.asarray(x, plan.dtypes[n]) for n, x in zip(plan.scalars, a)}
    out = {n: np.empty((rows, width), plan.dtypes[n]) for n in plan.finish.outputs}
    bind_matmul(plan, scalars, named(plan.vectors, b), named(plan.start.inputs, init), out,
                named(plan.extra, extra), backend, _threads(), columns,
                packed=True)()
    return [x[:, :columns] for x in out.values()]


def _scalar_matmul(plan, a, b, init, extra):
    names = (*plan.scalars, *plan.vectors, *plan.start.inputs, *plan.extra)
    arrays = [np.ascontiguousarray(x, plan.dtypes[n])
              for n, x in zip(names, (*a, *b, *init, *extra))]
    shape = init[0].shape
    out = [np.empty(shape, plan.dtypes[n]) for n in plan.finish.outputs]
    scalar_matmul(plan)(*arrays, *out)
    return out


def _work(a: np.ndarray, absent: int | None, columns: int) -> float:
    """Return about how many steps a product takes: absent elements of a, which are counted in
    some of its rows, have none."""
    some = a[:: max(1, len(a) // COUNTED)]
    share = 1.0 if absent is None else np.count_nonzero(some != absent) / max(some.size, 1)
    return share * a.size * _padded(columns)


def _padded(columns: int) -> int:
    return -(-columns // LANES) * LANES


def _widened(array: np.ndarray, width: int, dtype) -> np.ndarray:
    """Return the array with contiguous rows of so many columns, the last one repeated;
    rows that are one broadcast row stay so, and an array that is like that is taken as it lies."""
    rows, columns = array.shape
    if columns == width and array.dtype == dtype and array.flags.c_contiguous:
        return array
    same = rows > 1 and array.strides[0] == 0
    wide = np.empty((1 if same else rows, width), dtype)
    wide[:, :columns] = array[: len(wide)]
    if columns:
        wide[:, columns:] = wide[:, columns - 1 : columns]
    return np.broadcast_to(wide, (rows, width)) if same else wide


def _threads() -> int:
    return processors() if _chosen["threads"] is None else _chosen["threads"]


def _checked(name: str) -> str:
    if name not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, got {name!r}")
    return name
