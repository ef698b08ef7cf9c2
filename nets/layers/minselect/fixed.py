"""Min-selectors over fixed-point words, bit-true; `nets.layers.minselect.layers` says what they
are.

A weight is prepared once a step as the word w' = sgn(w) (mu_x / mu_w) |w| of an
activation's format. A step of a sum is then `fxp.operators.minselect.exact_product` of x and w' at
ratio and gain 1: a compare, a choice and a sign. Sums are exact; at their end they are
scaled by g mu_w, the bias is added, and all is rounded once, to nearest even.

Ratios and scales are themselves words with 16 fraction bits, from sums of words by integers
alone: the quotient to nearest (halves up), or the power of two nearest in ratio, which
takes no multiplier. Means have 24 fraction bits. Gradients are those of the exact
product of the clipped operands, as sums of fixed-point products, or with backward = sub
those of `nets.layers.minselect.subgradient`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from fxp.format import Fixed
from fxp.spec import overflow, round_shift
from fxp.trace.circuit import trace
from fxp.trace.plans import MapPlan
from nets.arithmetic.fixed.minselect import LARGEST, MEANS, SCALE, Sums
from nets.arithmetic.tensor import Tensor, roomy
from nets.layers.dense import Dense, Layer
from nets.layers.minselect.subgradient import input_gradient, rounded, weight_step
from nets.layers.spatial import gather, spans
from nets.layers.spatial.conv import Conv2d
from nets.settings.settings import parse_real

__all__ = ["FixedSelectorConv2d", "FixedSelectorDense"]

Calls = list[Callable[[], None]]


class FixedSelector(Layer):
    """What a dense layer and a convolution of min-selectors share; see the module."""

    w: Tensor
    b: Tensor

    def prepare(self, ar, columns: int, terms: int) -> None:
        """Make what a model keeps, and the words of a step; columns are those of outputs,
        terms the most outputs that one number of the input goes into."""
        s, self.columns, self.terms, self._top = ar.settings, columns, terms, 0
        self.sums = Sums(ar, self.w.rows)
        self.gain, self.clips = parse_real("gain", s.gain), s.clips
        self.whole, self.powers = s.statistics == "tensor", s.scales == "power-of-two"
        self.ste = s.backward != "sub"
        self.mu = ar.empty(1, 1, "means")
        ar.fill(self.mu, 1)
        self.limits = self.sums.empty(self.w.rows, self.w.columns, "weights")
        self.clipped = ar.empty(self.w.rows, self.w.columns, "weights")
        self._seen: dict[int, Tensor] = {}  # clipped inputs, by the identity of the input

    def kept(self):
        return {"mu": self.mu}

    @property
    def factors(self) -> np.ndarray:
        """The words that scale the sums of each output, of the step taken last."""
        return self._scales

    def products(self, x: Tensor, y: Tensor):
        """Return the calls for y = the sums of x and the limits."""
        raise NotImplementedError

    def forward(self, ar, x):
        return self._forward(ar, x, None)

    def forward_training(self, ar, x):
        self._seen[id(x)] = seen = ar.empty(x.rows, x.columns, "activations")
        return self._forward(ar, x, seen)

    def _forward(self, ar, x: Tensor, seen: Tensor | None):
        self.check(x)
        columns = self.columns
        sums = self.sums.empty(x.rows, columns, "sums")
        y = ar.empty(x.rows, columns, "activations")
        scale, bias = (roomy(x.rows, columns, 0, np.int32) for _ in range(2))
        finish = ar.mapped(self._finish(ar), o=y, s=sums, scale=Tensor({"word": scale}, columns),
                           bias=Tensor({"word": bias}, columns))

        def begin() -> None:
            factors = self._begin(ar, x, seen)
            for tile, row in ((scale, factors), (bias, ar.words(self.b)[0])):
                tile[:, :columns].reshape(x.rows, -1, row.size)[...] = row

        return y, [begin, *self.products(x, sums), finish]

    def _finish(self, ar) -> MapPlan:
        """Return the plan of round(s scale + bias)."""
        of, sums = ar.formats, self.sums.formats["sums"]
        frac = sums.frac + SCALE

        def finish(s, scale, bias):
            start = round_shift(bias, of["weights"].frac - frac, "nearest-even")
            total = s * scale + start
            return overflow(round_shift(total, SCALE, "nearest-even"), of["activations"])

        ports = {"s": sums.words, "scale": (0, LARGEST), "bias": of["weights"].words}
        wide = np.dtype(np.int32)
        dtypes = {"s": sums.dtype, "scale": wide, "bias": wide, "o": of["activations"].dtype}
        return MapPlan(trace(finish, ports, outputs=("o",)), dtypes)

    def _begin(self, ar, x: Tensor, seen: Tensor | None) -> np.ndarray:
        """Take statistics, prepare the weights' words and return the scale of each output."""
        f, g = ar.formats["activations"], ar.formats["weights"]
        mu = self.mu.fields["word"]
        mean_x = int(mu[0, 0])
        if seen is not None:
            words = ar.words(x)
            mean_x = _mean(np.abs(words.astype(np.int64)).sum(), words.size, f)
            mu[0, 0] += (mean_x - int(mu[0, 0]) + 4) >> 3
            self._top = 2 * mean_x >> (MEANS.frac - f.frac) if self.clips else -f.low
            ar.set_words(seen, np.clip(words, max(f.low, -self._top), min(f.high, self._top)))
        w = ar.words(self.w).astype(np.int64)
        sizes = np.abs(w).sum(axis=0)
        if self.whole:
            sizes[:] = sizes.sum()
        means = [_mean(int(n), w.size if self.whole else len(w), g) for n in sizes]
        if self.clips:
            tops = np.array([2 * m >> (MEANS.frac - g.frac) for m in means])
            ar.bound(self.w)[:, : w.shape[1]] = tops
            w = np.clip(w, -tops, tops)
        self.clipped.fields["word"][:, : w.shape[1]] = w
        ratios = [self._word(Fraction(mean_x, m)) if m else 0 for m in means]
        limits = round_shift(w * np.array(ratios), SCALE + g.frac - f.frac, "nearest-even")
        self.limits.fields["word"][:, : w.shape[1]] = np.clip(limits, -f.high, f.high)
        self._scale = self._gained(mean_x)
        self._scales = np.array([self._gained(m) for m in means])
        return self._scales

    def _gained(self, mean: int) -> int:
        """Return the word of g times a mean."""
        return self._word(self.gain * Fraction(mean, 1 << MEANS.frac))

    def _word(self, value: Fraction) -> int:
        """Return the word of a ratio or a scale."""
        if self.powers and value:
            value = _nearest_power(value)
        return min(LARGEST, _nearest(value * (1 << SCALE)))

    def unfolded(self, ar, x: Tensor, dy: Tensor) -> tuple[Tensor, Tensor, Calls]:
        """Return what each position sees of x and gives of dy, a row each, and the calls."""
        raise NotImplementedError

    def folded(self, parts: Tensor, x: Tensor) -> tuple[Tensor, Calls]:
        """Return the sums of parts of each position for each number of x, and the calls."""
        raise NotImplementedError

    def backward(self, ar, x, dy, wanted):
        if self.ste:
            return self.straight(ar, x, dy, wanted)
        seen, rows, calls = self.unfolded(ar, x, dy)
        dx = None
        if wanted:
            dx = ar.empty(x.rows, x.columns, "gradients")
            parts, more = input_gradient(ar, seen, self.limits, rows, lambda: self._scales,
                                         self.terms)
            sums, fold = self.folded(parts, x)
            calls += [*more, *fold, rounded(ar, sums, dx, self.terms), *self.masking(ar, x, dx)]
        step = weight_step(ar, self.w, seen, self.limits, rows, lambda: self._scale)
        return dx, [*calls, step, ar.descend_bias(self.b, rows)]

    def straight(self, ar, x, dy, wanted):
        """Return what `backward` does, with the gradients of the exact product."""
        raise NotImplementedError

    def masking(self, ar, x: Tensor, dx: Tensor) -> Calls:
        """Return the call that makes dx zero where x is at or beyond its clip, if any."""
        if not self.clips:
            return []

        def mask() -> None:
            ar.words(dx)[np.abs(ar.words(x).astype(np.int64)) >= self._top] = 0

        return [mask]


class FixedSelectorDense(FixedSelector, Dense):
    """y = the min-selected x w, summed up, plus b, with w inputs x outputs."""

    def __init__(self, ar, rng, inputs, outputs, std, zero_bias=False, name="dense"):
        Dense.__init__(self, ar, rng, inputs, outputs, std, zero_bias, name)
        self.prepare(ar, outputs, outputs)

    def products(self, x, y):
        zero = self.sums.empty(1, y.columns, "sums")
        return [self.sums.affine(x, self.limits, zero, y)]

    def unfolded(self, ar, x, dy):
        return x, dy, []

    def folded(self, parts, x):
        return parts, []

    def straight(self, ar, x, dy, wanted):
        dx, calls = None, []
        if wanted:  # before w moves
            dx = ar.empty(x.rows, x.columns, "gradients")
            calls = [ar.affine_gradient(dy, self.clipped, dx), *self.masking(ar, x, dx)]
        return dx, [*calls, ar.descend(self.w, self._seen[id(x)], dy),
                    ar.descend_bias(self.b, dy)]


class FixedSelectorConv2d(FixedSelector, Conv2d):
    """Each output is the window below it min-selected with w, summed up, plus b."""

    def __init__(self, ar, rng, window, channels, std):
        Conv2d.__init__(self, ar, rng, window, channels, std)
        self.prepare(ar, int(np.prod(self.shape)), channels * window.size**2)

    def products(self, x, y):
        zero = self.sums.empty(1, self.w.columns, "sums")
        ways = spans if spans.fits(self.sums) and self.window.stride == 1 else gather
        return ways.convolve(self.sums, self.window, x, self.limits, zero, y)

    def unfolded(self, ar, x, dy):
        seen, fill = gather.patches_of(ar, self.window, x)
        rows, put, _ = gather.rows_of(ar, self.window, dy, self.w.columns)
        return seen, rows, [fill, put]

    def folded(self, parts, x):
        sums = Tensor({k: roomy(x.rows, x.columns, 0, v.dtype) for k, v in parts.fields.items()},
                      x.columns, parts.role)
        return sums, [gather.spreading(self.window, parts, sums)]

    def straight(self, ar, x, dy, wanted):
        ways, dx, calls = spans if spans.fits(ar) else gather, None, []
        if wanted:  # before w moves
            dx = ar.empty(x.rows, x.columns, "gradients")
            calls = [*ways.convolve_gradient(ar, self.window, dy, self.clipped, dx),
                     *self.masking(ar, x, dx)]
        seen = self._seen[id(x)]
        return dx, [*calls, *ways.descend(ar, self.window, self.w, self.b, seen, dy)]


def _mean(total: int, count: int, f: Fixed) -> int:
    """Return total / count, of words of f, as a word of MEANS, saturated."""
    return min(MEANS.high, _nearest(Fraction(int(total) << MEANS.frac, count << f.frac)))


def _nearest(value: Fraction) -> int:
    """Return the integer nearest to a value that is not negative, halves up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def _nearest_power(value: Fraction) -> Fraction:
    """Return the power of two nearest to a positive value in ratio, the larger of two."""
    n = value.numerator.bit_length() - value.denominator.bit_length()
    power = Fraction(2) ** (n if value >= Fraction(2) ** n else n - 1)
    return 2 * power if value * value >= 2 * power * power else power
