"""Random sums of products: formats of any widths, odd shapes, views that start anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple
from unittest.mock import patch

import numpy as np

from benchmarks.agreement.machine import MatmulKernel
from fxp.format import Fixed, FormatError
from fxp.run import kernels as fixed
from fxp.run import memory
from fxp.run.execute import LANES, VectorMatmul, levels_of, shaped
from fxp.run.integers import NumpyMatmul
from fxp.trace.circuit import evaluate
from fxp.trace.graph import SpecError
from fxp.trace.plans import Form, MatmulPlan
from lnsarith.catalogue import kernels as lns
from lnsarith.delta.methods import parse
from lnsarith.lns.format import Lns

__all__ = ["TWO_BLOCKS", "Drawn", "dots_of_small_parts", "draw", "draw_dots",
           "parts_of_products", "plan_differences"]

DELTAS = ("lut", "lut:r=1/4", "lut:index=truncate,sample=mid", "exact", "interp", "interp:r=1/2",
          "bitshift", "mitchell", "pwl", "balanced")
FITTED = 12  # fraction bits
TWO_BLOCKS = 350  # columns
LARGEST_TABLE = 1 << 14  # entries; larger ones cost seconds to write into a module


class Drawn(NamedTuple):
    """A plan, what it is, and its shape: rows, depth and the columns that count."""

    name: str
    plan: MatmulPlan
    shape: tuple[int, int, int]


def draw(rng: np.random.Generator) -> Drawn:
    """Return a plan that no format refuses, of a shape from nothing to a hundred or so."""
    while True:
        try:
            name, plan = (_lns if rng.random() < 0.7 else _fixed)(rng)
        except (FormatError, SpecError):
            continue
        if sum(len(t) for c in plan.circuits for t in c.tables) <= LARGEST_TABLE:
            break
    rows, depth = (int(rng.choice([0, 1, 2, 3, 5, 40])) for _ in "rd")
    columns = int(rng.choice([1, 4, 10, 31, 32, 33, 64, 84, 100, 120, 130]))
    return Drawn(f"{name} {rows}x{depth}x{columns}", plan, (rows, depth, columns))


def draw_dots(rng: np.random.Generator) -> Drawn:
    """Return exact sums of products of words of up to 16 bits, of some rows and steps."""
    a, b, out = (Fixed(bits, int(rng.integers(0, bits)))
                 for bits in (*map(int, rng.integers(4, 17, 2)), int(rng.integers(4, 33))))
    acc = fixed.Accumulator(a, b, out, depth=int(rng.choice([64, 1 << 16])))
    name, plan = _from_one_number(rng, f"dots {a} {b} {out} {acc.depth}", acc.plan())
    rows, depth = (int(n) for n in rng.integers(16, (150, 50)))
    columns = int(rng.choice([1, 10, 16, 31, 32, 40, 64, 100, 130]))
    return Drawn(f"{name} {rows}x{depth}x{columns}", plan, (rows, depth, columns))


@contextmanager
def dots_of_small_parts() -> Iterator[None]:
    """Have exact products take few steps, rows and columns at a time."""
    with patch.multiple(MatmulPlan, DOT_STEPS=16, DOT_ROWS=8, DOT_COLUMNS=96, DOT_WIDTH=112,
                        DOT_BLOCKS=2):
        yield


@contextmanager
def parts_of_products(steps: int = 2) -> Iterator[None]:
    """Have all products of more than so many steps, or of more columns than a block, go by parts,
    as large ones do."""
    with (patch.multiple(memory, CLASH=1, WORTH_A_ROOM=1, DEEP=1),
          patch.object(MatmulPlan, "CHUNK", steps)):
        yield


def plan_differences(drawn: Drawn, rng: np.random.Generator, levels,
                     turned: bool | None = None) -> Iterator[str]:
    """Give a line for each level on which the plan's words differ from NumPy's.

    turned says whether the scalars lie as those of a transposed matrix; None leaves it to chance.
    """
    plan, (rows, depth, columns) = drawn.plan, drawn.shape
    wide = -(-columns // LANES) * LANES
    ports = {**plan.step.inputs, **plan.start.inputs, **plan.finish.inputs}

    def group(names, shape, turned=False):
        gap = int(rng.integers(0, 3))
        return {n: _words(rng, plan, n, ports[n], shape, gap, turned) for n in names}

    turned = bool(rng.integers(2)) if turned is None else turned
    a = group(plan.scalars, (rows, depth), turned)
    b = group(plan.vectors, (depth, wide))
    init = group(plan.start.inputs, (rows, wide))
    for name, value in (plan.origin or {}).items():
        init[name][...] = value
    extra = group([n for n in plan.extra if n in plan.dtypes], (rows, wide))
    scalars = {n: int(rng.integers(ports[n].low, ports[n].high, endpoint=True))
               for n in plan.extra if n not in plan.dtypes}
    before = {n: _view(rng, plan.dtypes[n], (rows, wide), 0) for n in plan.finish.outputs}
    wanted = {n: v.copy() for n, v in before.items()}
    form = None
    if plan.forms() and rng.random() < 0.7:  # for any operands it would hardly ever be
        form = plan.forms()[rng.integers(len(plan.forms()))]
        form = form if _fit(plan, form, a, b, init) else None
    NumpyMatmul(plan, a, b, init, wanted, extra, 1)(**scalars)
    for level in levels:
        gap = int(rng.integers(0, 3))
        found = {n: _like(rng, v, gap) for n, v in before.items()}
        threads = 1 if rows < 2 else 2
        taken, vectors = (plan, b) if form is None else (form.plan, _packed(form, b))
        taken = shaped(taken, rows, depth, wide)
        VectorMatmul(taken, a, vectors, init, found, extra, threads, columns,
                     MatmulKernel(taken, level))(**scalars)
        for n, words in wanted.items():
            differ = found[n] != words
            if form is not None and n.endswith("sign"):  # that of zero is nobody's
                level_of = wanted[n.replace("sign", "level")]
                differ &= level_of != plan.finish.outputs[n.replace("sign", "level")].low
            wrong = np.argwhere(differ[:, :columns])
            if len(wrong):
                i, j = wrong[0]
                yield (f"{drawn.name} [{level}]: {len(wrong)} words of {n} differ, the first at "
                       f"{i}, {j}: {found[n][i, j]}, should be {words[i, j]}")


def _fit(plan: MatmulPlan, form: Form, a, b, init) -> bool:
    """Bring the levels of operands nearer to their middle until they fit a form, but of sums that
    begin somewhere; return whether they do at all."""
    groups = [next(iter(group.items())) for group in (a, b, init)]
    nodes = {**form.of.step.inputs, **form.of.start.inputs}
    zeros = [nodes[name].low - (name in a) for name, _ in groups]
    middles = [zero // 2 for zero in zeros]
    for turn in range(64):
        if turn == 32:  # some forms take no zeros
            groups[1][1][groups[1][1] == zeros[1]] = middles[1]
        if form.fits(*(levels_of(level, zero) for (_, level), zero in zip(groups, zeros))):
            return True
        free = groups if plan.origin is None else groups[:2]
        for (_, level), zero, middle in zip(free, zeros, middles):
            moved = level + (middle - level) // 4 + np.sign(middle - level)
            level[...] = np.where(level == zero, zero, moved)
    return False


def _packed(form: Form, b) -> dict[str, np.ndarray]:
    """Return the vectors that a form takes."""
    if form.pack is None:
        return b
    shape = next(iter(b.values())).shape
    words = evaluate(form.pack, **{n: v.astype(np.int64) for n, v in b.items()})
    words = words if isinstance(words, tuple) else (words,)
    return {n: np.ascontiguousarray(np.broadcast_to(word, shape), form.plan.dtypes[n])
            for n, word in zip(form.pack.outputs, words)}


def _lns(rng: np.random.Generator) -> tuple[str, MatmulPlan]:
    bits = int(rng.integers(4, 33))
    f = Lns(bits, int(rng.integers(0, bits - 1)))
    delta, guard = str(rng.choice(DELTAS)), int(rng.choice([0, 0, 1, 2, 4]))
    if delta == "pwl" and f.frac + guard > FITTED:
        raise FormatError("the segments of so many fraction bits take minutes to fit")
    order = str(rng.choice(["sequential", "sequential", "tree"]))
    underflow = str(rng.choice(["zero", "zero", "smallest"]))
    formats = {role: _narrower(rng, f) for role in ("a", "b", "init", "out")
               if rng.random() < 0.3}
    acc = lns.Accumulator(f, parse(delta), guard, order, underflow, formats)
    plan = acc.plan(keep_untouched=order == "sequential" and rng.random() < 0.4)
    name = f"lns {bits}.{f.frac} {delta} guard {guard} {order} {underflow} {sorted(formats)}"
    return _from_one_number(rng, name, plan)


def _narrower(rng: np.random.Generator, f: Lns) -> Lns:
    frac = int(rng.integers(0, f.frac + 1))
    return Lns(max(4, f.bits - f.frac + frac), frac)


def _fixed(rng: np.random.Generator) -> tuple[str, MatmulPlan]:
    def one() -> Fixed:
        bits = int(rng.integers(4, 33))
        return Fixed(bits, int(rng.integers(0, bits)))

    a, b, out = one(), one(), one()
    kind = str(rng.choice(["exact", "limited", "each"]))
    rounding = str(rng.choice(["nearest-even", "truncate"]))
    overflow = str(rng.choice(["saturate", "wrap"]))
    acc = fixed.Accumulator(a, b, out, kind, 64, min(62, a.bits + b.bits + 2), rounding, overflow)
    return _from_one_number(rng, f"fixed {a} {b} {out} {kind} {rounding} {overflow}",
                            acc.plan(keep_untouched=bool(rng.random() < 0.4)))


def _from_one_number(rng, name: str, plan: MatmulPlan) -> tuple[str, MatmulPlan]:
    """Give some plans an origin."""
    if plan.combine is not None or rng.random() < 0.5:
        return name, plan
    origin = {n: int(rng.choice([node.low, node.high, min(max(0, node.low), node.high)]))
              for n, node in plan.start.inputs.items()}
    return f"{name} from {origin}", replace(plan, origin=origin)


def _words(rng: np.random.Generator, plan: MatmulPlan, name: str, node, shape, gap: int,
           turned: bool):
    """Return words in the node's range, its ends and absent operands more often than not."""
    view = _view(rng, plan.dtypes[name], shape[::-1], gap).T if turned else (
        _view(rng, plan.dtypes[name], shape, gap))
    ends = [node.low, node.high, (node.low + node.high) // 2]
    few = rng.choice(ends, shape)
    absent = plan.absent if name == plan.scalars[0] and plan.absent is not None else None
    near = np.clip((node.low + node.high) // 2 + rng.integers(-9, 10, shape), node.low, node.high)
    all_of = rng.integers(node.low, node.high, shape, endpoint=True)
    kind = rng.integers(0, 5, shape)
    words = np.where(kind == 0, few, np.where(kind == 1, near, all_of))
    view[...] = words if absent is None else np.where(kind >= 3, absent, words)
    return view


def _view(rng: np.random.Generator, dtype, shape, gap: int) -> np.ndarray:
    """Return a matrix inside a longer array: it starts anywhere, its rows a gap apart, and has
    room behind it."""
    rows, columns = shape
    row, start = columns + gap, int(rng.integers(0, 9))
    whole = rng.integers(-8, 8, start + rows * row + 2 * LANES).astype(dtype)
    return np.lib.stride_tricks.as_strided(whole[start:], shape,
                                           (row * whole.itemsize, whole.itemsize))


def _like(rng: np.random.Generator, view: np.ndarray, gap: int) -> np.ndarray:
    copy = _view(rng, view.dtype, view.shape, gap)
    copy[...] = view
    return copy

