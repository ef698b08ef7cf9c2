"""What networks ask of an integer arithmetic: plans bound to tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from fxp.once import cached_property
from fxp.run.execute import bind_map, bind_matmul, in_order
from fxp.trace.bits import Table, lookup
from fxp.trace.circuit import trace
from fxp.trace.plans import MapPlan, MatmulPlan, span_plan
from nets.arithmetic.descent import Descent
from nets.arithmetic.elementwise import Elementwise
from nets.arithmetic.registers import copying, map_over, registers, summing
from nets.arithmetic.tensor import Tensor, padded
from nets.settings.settings import Settings

__all__ = ["STATS", "IntegerArithmetic"]

# What the soft-max counts, in this order: sum of -log2 p of the labels in units
# of 2**-frac, right answers, sum of the linear logits, logits at the register's end.
STATS = ("loss", "correct", "logits", "saturated")


class IntegerArithmetic(Elementwise, Descent):
    """The operations of layers, losses and optimisers, over words.

    Each method binds tensors and returns a call without arguments. Subclasses
    give the plans, made from specs; `backend` numpy runs them without compiling.
    """

    formats: dict  # by role
    frac: int  # fraction bits of the loss

    def __init__(self, settings: Settings, threads: int = 1, backend: str = "vector"):
        super().__init__()
        self.settings = settings
        self.threads = threads
        self.backend = backend
        self.step = 0  # counts batches: part of the random numbers of an update

    # --- what a subclass provides -------------------------------------------------

    def normal(self, rng: np.random.Generator, rows: int, columns: int, std: float) -> Tensor:
        """Return a matrix of weights drawn from N(0, std**2)."""
        raise NotImplementedError

    def affine_plan(self) -> MatmulPlan:
        raise NotImplementedError

    def logits_plan(self) -> MatmulPlan:
        """Return affine_plan with results in the format of logits."""
        raise NotImplementedError

    def input_gradient_plan(self) -> MatmulPlan:
        raise NotImplementedError

    def weighted_plan(self, role: str) -> MatmulPlan:
        """Return sums in sequence of numbers of a role times activations."""
        raise NotImplementedError

    def fill(self, t: Tensor, value: Fraction | int) -> None:
        """Put the nearest word to a value into every number of t."""
        raise NotImplementedError

    def mean_of_rows(self, rows: Tensor, mean: Tensor) -> Callable[[], None]:
        """mean = the mean of all rows."""
        raise NotImplementedError

    def sum_of_rows(self, plan: MatmulPlan, rows: Tensor, factor: Tensor, out: Tensor):
        """out = the sum of the rows, each times one number, in sequence."""
        a = {k: np.broadcast_to(v[:1, :1], (1, rows.rows)) for k, v in factor.fields.items()}
        zero = self.empty(1, rows.columns, rows.role)
        return self._matmul(plan, Tensor(a, rows.rows), rows, zero, out)

    def constant(self, value: Fraction) -> Tensor:
        """Return the activation nearest to a value that is not negative."""
        raise NotImplementedError

    def pixel_table(self) -> dict[str, np.ndarray]:
        """Return the fields of v / 255 for v = 0..255."""
        raise NotImplementedError

    @cached_property
    def one(self) -> Tensor:
        """A one, as an activation."""
        raise NotImplementedError

    def softmax(self, logits: Tensor, labels: np.ndarray, gradient: Tensor | None,
                stats: np.ndarray) -> Callable[[], None]:
        """Return a call that adds to stats and, for training, writes (p - y) / rows."""
        raise NotImplementedError

    def loss(self, logits: Tensor, labels: np.ndarray, gradient: Tensor | None,
             stats: np.ndarray) -> Callable[[], None]:
        """Return softmax, the one loss over words."""
        return self.softmax(logits, labels, gradient, stats)

    def words(self, t: Tensor) -> np.ndarray:
        """Return the words of a tensor, rows x columns."""
        raise NotImplementedError

    def set_words(self, t: Tensor, words: np.ndarray) -> None:
        raise NotImplementedError

    def reals(self, t: Tensor) -> np.ndarray:
        """Return the values of a tensor in float64."""
        raise NotImplementedError

    # --- bound operations ---------------------------------------------------------

    def encode(self, x: Tensor) -> Callable[[np.ndarray], None]:
        """Return call(pixels) that writes uint8 rows into x through the pixel table."""
        table = {k: v for k, v in self.pixel_table().items() if v.any()}
        held = np.zeros(next(iter(x.fields.values())).shape, np.int8)
        seen = held[:, : x.columns]
        call = bind_map(_pixel_map(table), {"pixel": held, **{k: x.fields[k] for k in table}},
                        self.backend, threads=self.threads)
        # What is behind the last column is zero, whatever a pixel of 0 is.
        behind = [(x.fields[k][:, x.columns :], v) for k, v in self.zero_of(x).items()
                  if k in table and table[k][0] != v]

        def run(pixels: np.ndarray) -> None:
            seen[...] = pixels.view(np.int8)
            call()
            for rest, zero in behind:
                rest.fill(zero)

        return run

    def zero_of(self, t: Tensor) -> dict[str, int]:
        """Return the fields of a zero as t holds it."""
        return {k: int(v[0, 0]) for k, v in self.empty(1, 1, t.role).fields.items()}

    def encode_training(self, x: Tensor) -> Callable[[np.ndarray], None]:
        """Return the same for images that are trained on: some arithmetics draw numbers."""
        return self.encode(x)

    def affine(self, x: Tensor, w: Tensor, b: Tensor, y: Tensor):
        """y = x w + b."""
        own = y.role == "logits" and self.formats["logits"] != self.formats["activations"]
        return self.affine_by(self._logits if own else self._affine, x, w, b, y)

    def affine_by(self, plan: MatmulPlan, x: Tensor, w: Tensor, b: Tensor, y: Tensor):
        """y = x w + b, by a plan of such sums."""
        return self._matmul(plan, _inner(x, w.rows), w, b.broadcast(x.rows), y)

    def affine_gradient(self, dy: Tensor, w: Tensor, dx: Tensor):
        """dx = dy w^T; w is transposed into a copy first."""
        turned = self.empty(padded(w.columns), w.rows, "weights")
        zero = self.empty(1, w.rows, "gradients").broadcast(dy.rows)
        rows = Tensor({k: v[: w.columns] for k, v in turned.fields.items()}, w.rows)
        product = self._matmul(self._input_gradient, _inner(dy, w.columns), rows, zero, dx)
        turn = copying(self, [(turned.fields[k][: w.columns, : w.rows], v[:, : w.columns].T)
                              for k, v in w.fields.items()])

        def run() -> None:
            turn()
            product()

        return run

    def descend(self, w: Tensor, x: Tensor, dy: Tensor, images: int = 0):
        """w -= lr (x^T dy + decay w); rows are places of so many images, or images."""
        turned = _inner(x, w.rows).transposed
        return self._descend(w, turned, dy, images)

    def descend_bias(self, b: Tensor, dy: Tensor, images: int = 0):
        """b -= lr (sum of the rows of dy + decay b), the same way."""
        ones = {k: np.broadcast_to(v[:1, :1], (1, dy.rows)) for k, v in self.one.fields.items()}
        return self._descend(b, Tensor(ones, dy.rows), dy, images)

    def sums_by_images(self) -> bool:
        """Whether sums of gradients begin anew with each image."""
        return False

    def sum_plan(self) -> MapPlan:
        """Return the sum of two registers of sums, level_2 and so on the other's."""
        raise NotImplementedError

    # --- plans, made once ---------------------------------------------------------

    @cached_property
    def _affine(self) -> MatmulPlan:
        return self.affine_plan()

    @cached_property
    def _logits(self) -> MatmulPlan:
        return self.logits_plan()

    @cached_property
    def _input_gradient(self) -> MatmulPlan:
        return self.input_gradient_plan()

    def _matmul(self, plan, a: Tensor, b: Tensor, init: Tensor, out: Tensor, extra=None):
        return bind_matmul(plan, a.named("a"), b.named("b"), init.named("i"), out.named("o"),
                           extra, self.backend, self.threads, out.columns)

    def _descend(self, w: Tensor, a: Tensor, dy: Tensor, images: int = 0):
        if self.sums_by_images() and 0 < images < a.columns:
            return self._descend_by_images(w, a, dy, images)
        zero = self.empty(1, w.columns, "gradients").broadcast(w.rows)
        plan = _from(zero, self.update_over(a.columns))
        call = bind_matmul(plan, a.named("a"), dy.named("b"), zero.named("i"), self.results(w),
                           self.operands(w), self.backend, self.threads, w.columns)
        return self.settled(w, call, plan)

    def _descend_by_images(self, w: Tensor, a: Tensor, dy: Tensor, images: int):
        plan, each = self.update_over(a.columns), a.columns // images
        total, sums = (registers(plan, (w.rows, padded(w.columns))) for _ in range(2))
        zero = self.empty(1, w.columns, "gradients").broadcast(w.rows)
        into, held = _registers_of(plan), {f"r_{k}": v for k, v in sums.items()}
        steps = [bind_matmul(into, {k: v[:, n : n + each] for k, v in a.named("a").items()},
                             {k: v[n : n + each] for k, v in dy.named("b").items()},
                             zero.named("i"), held, None, self.backend, self.threads, w.columns)
                 for n in range(0, a.columns, each)]
        whole = summing(self, plan, total, sums, lambda image: steps[image](), images)
        arrays = {**total, **self.operands(w), **self.results(w)}
        finish = map_over(self, plan.finish, (), arrays)
        settled = self.settled(w, finish, plan)
        return in_order([whole, settled])


def _registers_of(plan: MatmulPlan) -> MatmulPlan:
    """Return a plan's sums as they are held, with names r_ and the part of the state."""
    stored = span_plan(plan).dtypes
    spans = {k: (plan.step.inputs[k].low, plan.step.inputs[k].high) for k in plan.state}
    finish = trace(lambda **state: tuple(v + 0 for v in state.values()), spans,
                   outputs=tuple(f"r_{k}" for k in plan.state))
    kinds = {k: v for k, v in plan.dtypes.items() if k in {
        *plan.scalars, *plan.vectors, *plan.start.inputs}}
    return replace(plan, finish=finish, keep_untouched=False, forms=tuple,
                   dtypes={**kinds, **{f"r_{k}": stored[k] for k in plan.state}})


def _from(init: Tensor, plan: MatmulPlan) -> MatmulPlan:
    """Return the plan for sums that all start from the first number of a tensor."""
    if plan.combine is not None:
        return plan
    return replace(plan, origin={k: int(v.flat[0]) for k, v in init.named("i").items()})


def _inner(x: Tensor, columns: int) -> Tensor:
    """Return x without its padding, as the left operand of a product."""
    return Tensor({k: v[:, :columns] for k, v in x.fields.items()}, columns, x.role)


def _pixel_map(table: dict[str, np.ndarray]) -> MapPlan:
    """Return the map from the bytes of pixels to the fields of their words."""
    tables = [Table(f"pixel_{k}", v) for k, v in table.items()]

    def fields(pixel):
        return tuple(lookup(t, pixel & 255) for t in tables)

    circuit = trace(fields, {"pixel": (-128, 127)}, outputs=tuple(table))
    return MapPlan(circuit, {"pixel": np.dtype(np.int8), **{k: v.dtype for k, v in table.items()}})
