"""Training in fixed-point arithmetic, bit-true from the pixel to the weight update."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from fxp import spec
from fxp.bits import clamp
from fxp.kernels import Accumulator
from nets.elementwise_fixed import FixedElementwise
from nets.fixed_softmax import FixedSoftmax
from nets.integer import IntegerArithmetic
from nets.settings import parse_real
from nets.tensor import Tensor, roomy

__all__ = ["FixedArithmetic"]


class FixedArithmetic(FixedElementwise, IntegerArithmetic):
    """The operations of a network over fixed-point words.

    Sums of products are exact and rounded once, to nearest even, unless
    `accumulator` says otherwise: limitedN saturates an N-bit register at every
    step, each rounds every product to the result's format. Where an exact register
    would exceed 62 bits, one of 62 bits saturates. An update is
    w - lr g - lr decay w from the unrounded sum g, rounded once; stochastically,
    unless `update` says nearest (then updates below half a unit are lost).
    """

    def __init__(self, settings, threads: int = 1, backend: str = "vector"):
        super().__init__(settings, threads, backend)
        self.formats = {r: settings.format(r) for r in ("weights", "activations", "gradients")}
        self.frac = FixedSoftmax.frac
        self._accumulator("activations", "weights", "activations")  # refuse wrong ones now

    def empty(self, rows, columns, role):
        return Tensor({"word": roomy(rows, columns, 0, self.formats[role].dtype)}, columns, role)

    def normal(self, rng, rows, columns, std):
        f = self.formats["weights"]
        words = np.rint(rng.standard_normal((rows, columns)) * (std * (1 << f.frac)))
        t = self.empty(rows, columns, "weights")
        t.fields["word"][:, :columns] = np.clip(words, *f.words)
        return t

    def affine_plan(self):
        return self._accumulator("activations", "weights", "activations", "weights").plan()

    def input_gradient_plan(self):
        return self._accumulator("gradients", "weights", "gradients").plan()

    def update_plan(self, depth=0, turned=False):
        operands = ("gradients", "activations") if turned else ("activations", "gradients")
        acc = self._accumulator(*operands, "gradients", kind="exact", depth=depth)
        f = self.formats["weights"]
        ports = {"w": f.words}
        if self.settings.stochastic:
            ports.update(seed=(0, (1 << 32) - 1), element=(0, (1 << 31) - 1))
        return acc.plan(lambda register, **rest: self.updated(acc.frac, register, **rest), ports,
                        dtypes={"w": f.dtype, "o": f.dtype})

    def weighted_plan(self, role):
        return self._accumulator("activations", role, role, kind="exact").plan()

    def constant(self, value):
        f = self.formats["activations"]
        word = min(f.high, round(value * (1 << f.frac)))
        return Tensor({"word": np.array([[word]], f.dtype)}, 1, "activations")

    def updated(self, frac: int, g, w, seed=None, element=None):
        """Return w - lr g - lr decay w; g has frac fraction bits.

        Both products and w are brought to a common grid of up to 30 bits below
        a weight's, exactly or (beyond it) rounded down, and rounded once. A g
        that would carry any weight beyond the other end saturates.
        """
        f = self.formats["weights"]
        lr, decay = (parse_real(n, getattr(self.settings, n)) for n in ("lr", "weight_decay"))
        grid = f.frac + min(30, 62 - f.bits - 4)
        digits = 15 if f.bits <= 16 else 10  # of the constants lr and lr decay, in bits
        reach = 1 << (f.bits + 1 + max(0, frac - f.frac) + max(0, -_log2_floor(lr)))
        g = clamp(g, -reach, reach)
        moved = (w << (grid - f.frac)) - _scaled(g, lr, frac, grid, digits) - _scaled(
            w, lr * decay, f.frac, grid, digits)
        if seed is None:
            return spec.overflow(spec.round_shift(moved, grid - f.frac, "nearest-even"), f)
        random = spec.random_word(element, seed)
        return spec.overflow(spec.round_shift(moved, grid - f.frac, "stochastic", random), f)

    def pixel_table(self):
        f = self.formats["activations"]
        words = [min(f.high, (2 * v * (1 << f.frac) + 255) // 510) for v in range(256)]
        return {"word": np.array(words, f.dtype)}

    @cached_property
    def one(self):
        f = self.formats["activations"]
        return Tensor({"word": np.array([[min(f.high, 1 << f.frac)]], f.dtype)}, 1)

    def softmax(self, logits, labels, gradient, stats):
        return self._softmax.bind(logits, labels, gradient, stats, self.backend)

    @cached_property
    def _softmax(self) -> FixedSoftmax:
        return FixedSoftmax(self.formats["activations"], self.formats["gradients"],
                            self.settings.softmax_delta)

    def words(self, t):
        return t.fields["word"][:, : t.columns]

    def set_words(self, t, words):
        t.fields["word"][:, : t.columns] = words

    def reals(self, t):
        return np.ldexp(self.words(t).astype(np.float64), -self.formats[t.role].frac)

    def _accumulator(self, a, b, out, init=None, kind=None, depth=0) -> Accumulator:
        of, text = self.formats, kind or self.settings.accumulator
        bits = 62
        if text.startswith("limited"):
            text, bits = "limited", int(text[7:])
        depth = max(1 << 16, 1 << (depth - 1).bit_length())
        if text == "exact" and of[a].bits + of[b].bits + depth.bit_length() > 61:
            text = "limited"
        return Accumulator(of[a], of[b], of[out], text, depth, bits)


def _scaled(x, factor, frac: int, grid: int, digits: int):
    """Return factor * x on the grid; the factor keeps so many significant bits."""
    if not factor:
        return 0
    shift = digits - 1 - _log2_floor(factor)
    mantissa = round(factor * (1 << shift)) if shift >= 0 else round(factor / (1 << -shift))
    while mantissa % 2 == 0:
        mantissa, shift = mantissa // 2, shift - 1
    return spec.round_shift(x * mantissa, frac + shift - grid, "down")


def _log2_floor(value) -> int:
    n = value.numerator.bit_length() - value.denominator.bit_length()
    return n if value >= 2**n else n - 1
