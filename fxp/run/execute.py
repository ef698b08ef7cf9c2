"""Plans bound to arrays: calls that run compiled, or node by node in NumPy.

A call is bound once to its arrays and then costs a microsecond to run, which is
what training with small batches needs. Every field of a number is an array of
its own; arrays of one group share their strides. Both backends write the same
words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fxp.compile.loading import compiler
from fxp.once import cached_property
from fxp.run.integers import NumpyMap, NumpyMatmul
from fxp.run.memory import rooms_of, rows_and_steps, tables_of
from fxp.run.threads import parts_of, run_parts
from fxp.trace.plans import NARROW_ROWS, Form, Levels, MapPlan, MatmulPlan, plan_digest

__all__ = ["BACKENDS", "LANES", "WORTH_A_THREAD", "Call", "Given", "bind_map", "bind_matmul",
           "in_order", "kernel_of", "levels_of", "shaped", "together"]

BACKENDS = ("vector", "numpy")
LANES = 32  # rows of b, init, extra and out are padded to a multiple of this
VECTOR = 64  # elements of a map that one part takes at least
WORTH_A_PART = 1 << 13  # elements of a map, at least, for a part of its own
WORTH_A_THREAD = 1 << 16  # steps of a product, the same
WORTH_BESIDE = 1 << 10  # steps of all rows that are worth code for rows beside each other
WORTH_DOTS = 16  # rows and steps that are worth putting pairs of them together
LONG = 1 << 9  # steps of a sum that is looked through for those that change nothing
WORTH_A_FORM = 32, 1 << 22  # rows and steps of a product whose operands are looked at first

Arrays = dict[str, np.ndarray]


def bind_map(plan: MapPlan, arrays: Arrays, backend: str = "vector", first: int = 0,
             threads: int = 1):
    """Return call(**scalars) that runs a map over contiguous arrays of one size.

    arrays holds the plan's vector ports and its outputs, by name. Inputs may be shorter, all of
    one size that divides the others': they are met again and again. ValueError for other sizes.
    """
    _sizes(plan, arrays)
    if backend == "numpy":
        return NumpyMap(plan, arrays, first)
    return VectorMap(plan, arrays, first, threads)


def _sizes(plan: MapPlan, arrays: Arrays) -> tuple[int, int]:
    """Return how many numbers the arrays of a map have, and how many the short ones."""
    sizes = {n: array.size for n, array in arrays.items()}
    size, short = max(sizes.values()), min(sizes.values())
    if any(of != size and (of != short or n in plan.circuit.outputs)
           for n, of in sizes.items()) or size and (not short or size % short):
        raise ValueError("a map takes arrays of one size, inputs of a part of it too, got "
                         f"{sizes}")
    return size, short


def bind_matmul(plan: MatmulPlan, a: Arrays, b: Arrays, init: Arrays, out: Arrays,
                extra: Arrays | None = None, backend: str = "vector", threads: int = 1,
                used: int | None = None, packed: bool = False):
    """Return call(**scalars) that runs a product of a (rows x depth) and b (depth x columns).

    a may have any strides, and, of sums of enough products alone, more axes: the first half of
    them are of its rows, the others of its steps. b, init, extra and out are contiguous along their
    columns, whose number is a multiple of LANES; a broadcast init has stride 0. Of the
    columns the first `used`, by default all, count: others may be left as they are.
    Large products are split by rows over threads, with the same words. packed says that
    results are packed into words at once, which the sign of a zero is no part of: then they
    may go by one of the plan's forms.
    """
    if backend == "numpy":
        return NumpyMatmul(plan, a, b, init, out, extra or {}, threads)
    if packed and worth_a_form(plan, a, b):
        return FormMatmul(plan, a, b, init, out, extra or {}, threads, used)
    return VectorMatmul(plan, a, b, init, out, extra or {}, threads, used)


class Call:
    """A kernel with its arguments, in parts that threads share out.

    Scalars that come with each call are arguments that `parts` have no values of.
    """

    def __init__(self, kernel, parts: Sequence[dict[str, int]], threads: int, kept: object):
        self.kernel = kernel
        self.threads = threads
        self.kept = kept  # arrays that the addresses lead to
        names = kernel.names
        self.arguments = np.array([[p.get(n, 0) for n in names] for p in parts], np.int64)
        self.cells = self.arguments.reshape(-1).data  # soonest written
        self.places = {n: range(i, self.arguments.size, len(names))
                       for i, n in enumerate(names) if n not in parts[0]}
        self.first = _address(self.arguments)

    def given(self, **scalars: int) -> Call:
        """Put the scalars where the kernel reads them; return the call."""
        for name, value in scalars.items():
            for place in self.places[name]:
                self.cells[place] = value
        return self

    @cached_property
    def parts(self) -> np.ndarray:
        """The parts, for `run_parts`."""
        return np.array([(self.kernel.entry, at) for at in self._each], np.int64)

    @property
    def _each(self) -> range:
        """Where the arguments of each part lie."""
        return range(self.first, self.first + self.arguments.nbytes, self.arguments.strides[0])

    def __call__(self, **scalars: int) -> None:
        if scalars:
            self.given(**scalars)
        if len(self.arguments) == 1:
            self.kernel.run(self.first)
        elif self.threads == 1:
            for at in self._each:
                self.kernel.run(at)
        else:
            run_parts(self.parts, self.threads)


def together(calls: Sequence[Any], threads: int) -> Callable[[], None]:
    """Return one call of several, of which none writes what another reads or writes: their
    parts are shared out at once where all of them have some, else they run in order."""
    if threads == 1 or not all(hasattr(call, "given") for call in calls):
        return in_order(calls)
    parts = np.concatenate([call.parts for call in calls])

    def run() -> None:
        for call in calls:
            call.given()
        run_parts(parts, threads)

    return run


def in_order(calls: Sequence[Callable[[], None]]) -> Callable[[], None]:
    """Return one call of several, one after the other."""
    def run() -> None:
        for call in calls:
            call()

    return run


class Given:
    """A call whose scalars are functions, asked at each call."""

    def __init__(self, call: Callable[..., None], scalars: dict[str, Callable[[], int]]):
        self.call = call
        self.scalars = scalars
        if isinstance(call, Call):
            self.given = lambda: call.given(**self._values())
            self.parts = call.parts

    def __call__(self) -> None:
        self.call(**self._values())

    def _values(self) -> dict[str, int]:
        return {name: value() for name, value in self.scalars.items()}


class VectorMap(Call):
    """A compiled map, bound."""

    def __init__(self, plan, arrays: Arrays, first: int, threads: int = 1):
        size, short = _sizes(plan, arrays)
        if short < size:
            bounds = [(low, low + short) for low in range(0, size, short)]
        else:
            bounds = [(low * VECTOR, min(high * VECTOR, size)) for low, high in
                      parts_of(-(-size // VECTOR), size, WORTH_A_PART, threads)]
        values = {"first": first, **{name: _address(array) for name, array in arrays.items()}}
        steps = {n: array.itemsize for n, array in arrays.items() if array.size == size}
        parts = [self._part(values, steps, *part) for part in bounds]
        super().__init__(kernel_of(plan), parts, threads, arrays)

    @staticmethod
    def _part(values: dict[str, int], steps: dict[str, int], low: int, high: int
              ) -> dict[str, int]:
        moved = {n: values[n] + low * step for n, step in steps.items()}
        return {**values, **moved, "first": values["first"] + low, "count": high - low}


class VectorMatmul(Call):
    """A compiled matrix product, bound."""

    def __init__(self, plan, a, b, init, out, extra, threads, used=None, kernel=None):
        groups = (a, b, init, out, extra)
        rows, depth = rows_and_steps(next(iter(a.values())))
        columns = next(iter(out.values())).shape[1]
        if columns % LANES:
            raise ValueError(f"columns must be a multiple of {LANES}, got {columns}")
        if depth != (of := len(next(iter(b.values())))):
            raise ValueError(f"a has {depth} columns and b {of} rows")
        plan = plan if kernel else shaped(plan, rows, depth, columns)
        values = {"depth": depth, "columns": columns, "used": columns if used is None else used}
        for group in groups:
            values.update((name, _address(array)) for name, array in group.items())
        tables = None
        if plan.shape != "dots" and any(v.ndim != 2 for v in a.values()):
            raise ValueError("only sums of products alone take operands of more than two axes")
        if plan.shape == "dots":
            tables = tables_of(next(iter(a.values())))
            values.update((n, _address(table)) for n, table in tables.arrays.items())
            values["a_line"] = int(tables.line)
        else:
            values["a_row"], values["a_step"] = _strides(a)
        for name, group in (("b", b), ("init", init), ("extra", extra), ("out", out)):
            values[f"{name}_row"] = _strides(group)[0] if group else 0
        work = rows * depth * columns if kernel is None else rows * WORTH_A_THREAD
        shares = parts_of(rows, work, WORTH_A_THREAD, threads)
        rooms = [rooms_of(plan, a, b, high - low) for low, high in shares]
        parts = [{**values, **room.arguments, "row": low, "rows": high}
                 for (low, high), room in zip(shares, rooms)]
        super().__init__(kernel or kernel_of(plan), parts, threads, (groups, rooms, tables))


def shaped(plan: MatmulPlan, rows: int, depth: int, columns: int) -> MatmulPlan:
    """Return the plan for a product of this shape, padding among its columns."""
    if min(rows, depth) >= WORTH_DOTS and plan.adds_products():
        return plan.of_shape("dots")
    if columns != LANES or plan.combine is not None:
        return plan
    if rows >= NARROW_ROWS and rows * depth >= WORTH_BESIDE:
        return plan.of_shape("narrow")
    long = rows == 1 and depth >= LONG and plan.nothing is not None
    return plan.of_shape("long") if long else plan


def worth_a_form(plan: MatmulPlan, a: Arrays, b: Arrays) -> bool:
    """Whether a product is large enough to look at its operands, and there is a form here."""
    rows = len(next(iter(a.values())))
    steps = rows * next(iter(b.values())).size
    return (rows >= WORTH_A_FORM[0] and steps >= WORTH_A_FORM[1]
            and all(v.flags.c_contiguous for v in b.values())
            and any(compiler().gains(form) for form in plan.forms()))


class FormMatmul:
    """A compiled product by the first of its forms that the operands fit, else by the plan."""

    def __init__(self, plan, a, b, init, out, extra, threads, used):
        self.plan = plan
        self.a, self.b, self.init = a, b, init
        self.rest = out, extra, threads, used
        self.forms = [f for f in plan.forms() if compiler().gains(f)]
        self.calls: dict[Form | None, Callable[..., None]] = {}

    def __call__(self, **scalars: int) -> None:
        form = self.form()
        if form not in self.calls:
            self.calls[form] = self._bound(form)
        self.calls[form](**scalars)

    def form(self) -> Form | None:
        """Return the form that fits what the operands are now, None if it goes by the plan."""
        ranges = self._levels()
        return next((form for form in self.forms if form.fits(*ranges)), None)

    def _bound(self, form: Form | None) -> Callable[..., None]:
        """Return the product by a form, or by the plan, compiled when it is first needed."""
        if form is None:
            return VectorMatmul(self.plan, self.a, self.b, self.init, *self.rest)
        if form.pack is None:
            return VectorMatmul(form.plan, self.a, self.b, self.init, *self.rest)
        shape = next(iter(self.b.values())).shape
        words = {n: np.zeros(shape, form.plan.dtypes[n]) for n in form.plan.vectors}
        stored = {**self.b, **words}
        pack = VectorMap(MapPlan(form.pack, {n: v.dtype for n, v in stored.items()}), stored, 0,
                         self.rest[2])
        product = VectorMatmul(form.plan, self.a, words, self.init, *self.rest)

        def run(**scalars: int) -> None:
            pack()
            product(**scalars)

        return run

    def _levels(self) -> list[Levels]:
        """Return the ranges of the operands."""
        plan = self.plan
        nodes = {**plan.step.inputs, **plan.start.inputs}
        zeros = {n: node.low for n, node in nodes.items()} | {plan.scalars[0]: plan.absent}
        return [levels_of(*next((v, zeros[n]) for n, v in group.items()))
                for group in (self.a, self.b, self.init)]


def kernel_of(plan):
    """Return the compiled kernel of a plan, compiled once for equal plans."""
    key = plan_digest(plan)
    if key not in _KERNELS:
        _KERNELS[key] = compiler().Kernel(plan)
    return _KERNELS[key]


_KERNELS: dict = {}


def levels_of(array: np.ndarray, zero: int) -> Levels:
    """Return the range of levels, of which the least, zero, stands for the number zero."""
    if not array.size:
        return Levels(-1, zero, False)
    if array.strides[0] == 0:  # all rows are one
        array = array[:1]
    least, greatest = int(array.min()), int(array.max())
    if least > zero:
        return Levels(least, greatest, False)
    unsigned = np.dtype(f"u{array.itemsize}")
    above = array.view(unsigned) - unsigned.type((zero + 1) % (1 << (8 * array.itemsize)))
    return Levels(int(above.min()) + zero + 1, greatest, True)  # zero has become the greatest


def _address(array: np.ndarray) -> int:
    return array.ctypes.data


def _strides(group: Arrays) -> tuple[int, ...]:
    """Return the strides, in elements, that all arrays of the group share."""
    found = {tuple(s // array.itemsize for s in array.strides) for array in group.values()}
    if len(found) != 1:
        raise ValueError(f"the arrays {list(group)} differ in their strides: {sorted(found)}")
    return found.pop()
