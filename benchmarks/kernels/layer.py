"""The products of a dense layer in an arithmetic, and of two arrays, over random words."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from fxp.run.execute import FormMatmul, bind_matmul
from fxp.trace.plans import MatmulPlan
from lnsarith.lns import spec
from lnsarith.lns.format import Lns
from lnsarith.lns.spec import Number
from nets.arithmetic.choose import make_arithmetic
from nets.settings.settings import Settings

__all__ = ["Product", "products"]


class Product(NamedTuple):
    """A product, the plan that it goes by, the call that takes it, and whether its scalars are
    above one."""

    name: str
    plan: MatmulPlan
    call: Callable[[], None]
    above: bool


def products(settings: Settings, rows: int, depth: int, columns: int) -> list[Product]:
    """Return the products forward, backward and of the weights' step, and that of arrays where
    it goes by a form of its own."""
    ar = make_arithmetic(settings, 1)
    rng = np.random.default_rng(0)
    found = []
    for above in (False, True):
        def matrix(m: int, n: int, role: str, above: bool = above):
            t = ar.empty(m, n, role)
            ar.set_words(t, _words(rng, ar.formats[role], (m, n), above))
            return t

        x, y = matrix(rows, depth, "activations"), ar.empty(rows, columns, "activations")
        dy, dx = matrix(rows, columns, "gradients"), ar.empty(rows, depth, "gradients")
        w, bias = matrix(depth, columns, "weights"), matrix(1, columns, "weights")
        step = ar.update_over(rows)
        every = [("forward", ar._affine, ar.affine(x, w, bias, y)),
                 ("backward", ar._input_gradient, ar.affine_gradient(dy, w, dx)),
                 ("weights' step", step, ar.descend(w, x, dy))]
        every += [one for one in [_of_arrays(ar._affine, x, w, bias, y)] if one]
        found += [Product(*one, above) for one in every
                  if one[1].low is not None or one[1] is not ar._affine or not above]
    return found


def _of_arrays(plan: MatmulPlan, x, w, bias, y):
    """Return what the product is called, the plan and the call; None if it has no form."""
    a = {n: v[:, : w.rows] for n, v in x.named("a").items()}
    call = bind_matmul(plan, a, w.named("b"), bias.broadcast(x.rows).named("i"),
                       y.named("o"), packed=True)
    form = call.form() if isinstance(call, FormMatmul) else None
    return form and (f"arrays: {form.name}", form.plan, call)


def _words(rng: np.random.Generator, f, shape, above: bool) -> np.ndarray:
    """Return words none of which is zero: logarithmic ones up to 1, or above it up to 4; of
    fixed point those up to an eighth of the range, as numbers of networks are, or all."""
    if not isinstance(f, Lns):
        words = rng.integers(*f.words, shape, endpoint=True) >> (0 if above else 3)
        return np.where(words == 0, 1, words)
    top = min(2 << f.frac, f.high_log)
    log = rng.integers(1, top, shape, endpoint=True) if above else (
        rng.integers(max(-6 << f.frac, f.zero_log + 1), 0, shape, endpoint=True))
    return spec.pack(Number(log + spec.one_level(f), -rng.integers(0, 2, shape)), f)
