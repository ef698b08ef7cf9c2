"""What a kernel does, as data: which circuits run over which arrays in which order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar, NamedTuple

import numpy as np

from fxp.trace.circuit import Circuit, evaluate, node_values, trace
from fxp.trace.graph import Node, SpecError

__all__ = ["NARROW_ROWS", "Form", "Levels", "MapPlan", "MatmulPlan", "SpanPlan", "narrowest",
           "plan_digest", "span_plan"]


NARROW_ROWS = 4


@dataclass(frozen=True)
class MapPlan:
    """out[i] = circuit(vector ports[i], scalar ports, element = first + i).

    dtypes gives the storage of every vector port and output; a port that is not
    in it is a scalar, and the port `element` is the running index. An output named as
    an input is written over it.
    """

    circuit: Circuit
    dtypes: dict[str, np.dtype]

    def __post_init__(self):
        _check_storage(self.arguments(), self.dtypes, [self.circuit.inputs, self.circuit.outputs])

    @property
    def circuits(self):
        return (self.circuit,)

    def arguments(self) -> list[str]:
        """Return the names of the integer arguments, in order."""
        ports = dict.fromkeys([*self.circuit.inputs, *self.circuit.outputs])
        return ["first", "count"] + [p for p in ports if p != "element"]


@dataclass(frozen=True)
class MatmulPlan:
    """out[m, :] = finish(steps over k of (a[m, k], b[k, :]) from start(init[m, :])).

    step takes the state, the vector fields of b and the scalar fields of a. Where
    a's first field is `absent`, the step changes nothing and is left out. `low`,
    if given, is the same step traced for a's first field up to `low_limit`.
    finish may read more matrices and scalars, named as its other ports. With
    keep_untouched, rows without a step are not written.

    With `combine`, the order is a tree: step makes a leaf of (b, a) alone, the
    first leaf is start(init), and whenever two partial sums cover equally many
    leaves they are combined, the older one first; at the end the rest is
    combined from the newest to the oldest.

    Nor does a step change anything where b's first field is `nothing`, if that is given. The
    shape is a way of the loops. For one vector of columns `narrow` has NARROW_ROWS rows summed
    beside each other, each with a scratch of its own, `long` leaves out where all of b's row is
    `nothing`; for sums that are exact `dots` takes some steps at a time, in any order.

    `origin` is what init holds everywhere, port by port, where that is known. `forms`
    returns other ways to the same words, for operands that they fit, the fastest first.
    """

    start: Circuit
    step: Circuit
    finish: Circuit
    state: tuple[str, ...]
    scalars: tuple[str, ...]
    vectors: tuple[str, ...]
    dtypes: dict[str, np.dtype]
    absent: int | None = None
    low: Circuit | None = None
    low_limit: int = 0
    combine: Circuit | None = None
    keep_untouched: bool = False
    origin: Mapping[str, int] | None = None
    forms: Callable[[], tuple[Form, ...]] = field(default=tuple, compare=False)
    nothing: int | None = None
    shape: str = ""
    extra: tuple[str, ...] = field(init=False)

    SPARE: ClassVar = 8  # numbers of 64 bits that may be written behind the steps of a row
    PACKED: ClassVar = 320  # numbers from row to row of what is kept of a block of columns
    CHUNK: ClassVar = 512  # steps that deep products take at a time
    GROUP: ClassVar = 256  # rows, the same
    WAITING: ClassVar = 8 * GROUP * PACKED  # bytes of a part of their sums, in any lanes
    DOT_STEPS: ClassVar = 512  # of exact products: steps, rows and columns at a time, which
    DOT_ROWS: ClassVar = 64  # the second cache holds
    DOT_COLUMNS: ClassVar = 256
    DOT_WIDTH: ClassVar = DOT_COLUMNS + 16  # registers from row to row
    DOT_BLOCKS: ClassVar = 8  # of steps whose columns of b are put together once for all rows

    def __post_init__(self):
        known = {*self.state, "element"}
        extra = tuple(p for p in self.finish.inputs if p not in known)
        object.__setattr__(self, "extra", extra)
        operands = {n: self.step.inputs[n] for n in (*self.scalars, *self.vectors)}
        _check_storage(self.arguments(), self.dtypes, [
            self.start.inputs, operands, {n: self.finish.inputs[n] for n in extra},
            self.finish.outputs])

    @property
    def circuits(self):
        every = (self.start, self.step, self.finish, self.low, self.combine)
        return tuple(c for c in every if c is not None)

    def of_shape(self, shape: str) -> MatmulPlan:
        """Return the plan with this way of the loops, made once."""
        shapes = vars(self).setdefault("_shapes", {})
        if shape not in shapes:
            shapes.setdefault(shape, replace(self, shape=shape))
        return shapes[shape]

    def first_step(self) -> Circuit | None:
        """Return the step from the origin, of operands alone; None without an origin."""
        if self.origin is None:
            return None
        start = node_values(self.start, self.origin)
        state = {n: start[node.index] for n, node in zip(self.state, self.start.outputs.values())}
        ports = {n: (node.low, node.high) for n, node in self.step.inputs.items()
                 if n not in state}

        def first(**operands):
            return evaluate(self.step, **state, **operands)

        return trace(first, ports, outputs=tuple(self.step.outputs))

    def adds_products(self) -> bool:
        """Whether a step adds a product of words of 16 bits to the state, and nothing else."""
        if self.combine is not None or self.low is not None or self.keep_untouched or (
                len(self.state), len(self.scalars), len(self.vectors)) != (1, 1, 1):
            return False
        (total,) = self.step.outputs.values()
        names = self.scalars[0], self.vectors[0]
        inputs = self.step.inputs
        if total.op != "add" or any(self.dtypes[n] != np.int16 for n in names):
            return False
        register, product = sorted(total.args, key=lambda node: node.op == "mul")
        return (register is inputs.get(self.state[0]) and product.op == "mul"
                and {*map(id, product.args)} == {id(inputs.get(n)) for n in names})

    def words_of_state(self) -> dict[str, str] | None:
        """Return which part of the state each result is, None where one is anything else."""
        found = {k: n.name for k, n in self.finish.outputs.items() if n.op == "input"}
        same = found.keys() == self.finish.outputs.keys() and {*found.values()} <= {*self.state}
        return found if same else None

    def arguments(self) -> list[str]:
        """Return the names of the integer arguments, in order."""
        return ["row", "rows", "depth", "columns", "used", "scratch",
                "packed", "chunk", "group", "sums",
                *self.scalars, "a_row", "a_step", "a_rows", "a_steps", "a_pairs", "a_line",
                *self.vectors, "b_row",
                *self.start.inputs, "init_row", *self.extra, "extra_row",
                *self.finish.outputs, "out_row"]


class Levels(NamedTuple):
    """The least and greatest number that operands, but those that are zero, have in their first
    field, and whether some are zero: whose first field is the least that there is."""

    least: int
    greatest: int
    zeros: bool


@dataclass(frozen=True, eq=False)
class Form:
    """The product of a plan, `of`, by other circuits, `plan`, but for the sign of results that
    are zero.

    fits(a, b, init) says whether it gives the same for operands with levels in these ranges;
    `pack`, if given, makes the vectors that the plan takes from those of the original.
    `name` says in some words what the sums are held in.
    """

    name: str
    of: MatmulPlan
    plan: MatmulPlan
    fits: Callable[[Levels, Levels, Levels], bool]
    pack: Circuit | None = None


@dataclass(frozen=True)
class SpanPlan:
    """state[p + i] = step(state[p + i], b[q + i], a) for a span of i, in a fixed order.

    For every image, row y and entry e (in this order) of a that is not `absent`, and every
    tap t below `taps`: p is the sum of image, row and t times the strides of
    state and of what the table says of e, q the same of the vectors b. The row is
    first_row + stride y; taps with row + t outside 0..rows are left out. The table has,
    for each entry, the FIELDS: where it lies in a, state and vectors, behind the row, and
    of which i the span begins and ends; a's lie `beside` each other if that is 1. What is
    computed beyond the span fills up vectors. State lies in memory as registers.
    """

    FIELDS: ClassVar = ("a", "state", "vector", "begin", "end")

    step: Circuit
    state: tuple[str, ...]
    scalars: tuple[str, ...]
    vectors: tuple[str, ...]
    dtypes: dict[str, np.dtype]
    absent: int
    low: Circuit | None = None
    low_limit: int = 0

    def __post_init__(self):
        _check_storage(self.arguments(), self.dtypes, [self.step.inputs])

    @property
    def circuits(self):
        return tuple(c for c in (self.step, self.low) if c is not None)

    def arguments(self) -> list[str]:
        """Return the names of the integer arguments, in order."""
        strides = [f"{p}_{of}" for p in ("state", "vector") for of in ("image", "row", "tap")]
        return ["image", "images", "height", "entries", "beside", "table", "taps",
                "first_row", "stride", "rows", "scratch", "a_image", "a_row", *strides,
                *self.scalars, *self.vectors, *self.state]


def span_plan(plan: MatmulPlan) -> SpanPlan:
    """Return the steps of a sequential product as a span plan."""
    assert plan.combine is None and plan.absent is not None
    nodes = plan.step.inputs
    stored = {name: narrowest(nodes[name].low, nodes[name].high) for name in plan.state}
    operands = {n: plan.dtypes[n] for n in (*plan.scalars, *plan.vectors)}
    return SpanPlan(plan.step, plan.state, plan.scalars, plan.vectors, {**operands, **stored},
                    plan.absent, plan.low, plan.low_limit)


def narrowest(low: int, high: int) -> np.dtype:
    """Return the type of 16, 32 or 64 bits that holds a range."""
    for kind in (np.int16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype(np.int64)


def _check_storage(names: list[str], dtypes: Mapping[str, np.dtype],
                   groups: list[Mapping[str, Node]]) -> None:
    """Raise SpecError unless the arguments have names of their own, and every port that
    is stored a signed type that holds its range: kernels extend and cut words unseen."""
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise SpecError(f"a kernel's arguments have names of their own, got {twice[0]} twice")
    for name, node in ((n, node) for ports in groups for n, node in ports.items()):
        kind = dtypes.get(name)
        if kind is not None and not (kind.kind == "i" and np.iinfo(kind).min <= node.low
                                     and node.high <= np.iinfo(kind).max):
            raise SpecError(f"{name} is {node.low}..{node.high}, which {kind} does not hold")


def plan_digest(plan: MapPlan | MatmulPlan | SpanPlan) -> str:
    """Return a hash of everything that decides what the plan computes, made once."""
    own = vars(plan)
    if "_digest" not in own:
        values = {k: v.digest if isinstance(v, Circuit) else v
                  for k, v in ((f.name, own[f.name]) for f in fields(plan)) if k != "forms"}
        text = repr(sorted(values.items())).encode()
        object.__setattr__(plan, "_digest", hashlib.sha256(text).hexdigest()[:24])
    return own["_digest"]
