"""How fixed-point weights take a step against their gradient, to the bit."""

from __future__ import annotations

from fractions import Fraction

from fxp import spec
from fxp.format import Fixed
from fxp.run.kernels import Accumulator
from fxp.trace.bits import clamp
from nets.arithmetic.descent import SEED, Descent

__all__ = ["FixedDescent", "times_constant"]

VELOCITY = 0x5DEECE66  # sets the random bits of velocities apart from those of weights


class FixedDescent(Descent):
    """The step of a weight: one rounding of its exact value, see `updated`."""

    formats: dict

    def accumulator(self, a, b, out, init=None, kind=None, depth=0) -> Accumulator:
        """Return how sums of products of two roles are taken, up to so many, from a word of
        the role init on (None: of out)."""
        of, text = self.formats, kind or self.settings.accumulator
        bits = 62
        if text.startswith("limited"):
            text, bits = "limited", int(text[7:])
        depth = max(1 << 16, 1 << (depth - 1).bit_length())
        if text == "exact" and of[a].bits + of[b].bits + depth.bit_length() > 61:
            text = "limited"
        first = of[init] if init and of[init] != of[out] else None
        return Accumulator(of[a], of[b], of[out], text, depth, bits, init=first)

    def update_plan(self, depth=0, turned=False):
        operands = ("gradients", "activations") if turned else ("activations", "gradients")
        return self.update_by(self.accumulator(*operands, "gradients", kind="exact", depth=depth))

    def update_by(self, acc):
        """Return the step against sums of any kind that has a `plan` and its `frac`."""
        f, g = self.formats["weights"], self.formats["gradients"]
        ports, stored, outputs = {"w": f.words}, {"w": f.dtype, "o": f.dtype}, ["o"]
        if self.settings.stochastic:
            ports.update(SEED)
        if self.scheduled:
            ports["rate"] = 0, (1 << self._digits) - 1
        if self.with_momentum:
            ports["v"] = g.words
            stored.update(v=g.dtype, o_v=g.dtype)
            outputs.append("o_v")
        for name, (reach, dtype) in self.update_ports().items():
            ports[name], stored[name] = reach, dtype
        return acc.plan(lambda register, **rest: self.updated(acc.frac, register, **rest),
                        ports=ports, dtypes=stored, outputs=tuple(outputs))

    def update_ports(self) -> dict:
        """Return what else an update reads for each weight: ranges and dtypes by name."""
        return {}

    def updated(self, frac: int, g, w, v=None, rate=None, seed=None, element=None):
        """Return w - lr (g + decay w + l1 sign(w)); g has frac fraction bits and is clipped.

        The products and w are brought to a common grid of up to 30 bits below
        a weight's, exactly or (beyond it) rounded down, and rounded once. A g
        that would carry any weight beyond the other end saturates. With momentum,
        v = momentum v + g + decay w + l1 sign(w), rounded to a gradient, takes the place
        of the sum and is returned too.
        """
        f = self.formats["weights"]
        lr, decay, l1 = (self.real(n) for n in ("lr", "weight_decay", "l1"))
        grid = f.frac + min(30, 62 - f.bits - 4)
        reach = 1 << (f.bits + 1 + max(0, frac - f.frac) + max(0, -_log2_floor(lr)))
        g = clamp(g, -reach, reach)
        if clip := round(self.real("clip") * (1 << frac)):
            g = clamp(g, -clip, clip)
        if self.with_momentum:
            v = self._velocity(frac, g, w, v, seed, element)
            after = self._rounded((w << (grid - f.frac)) - self._step(
                v, rate, self.formats["gradients"].frac, grid), grid, f, seed, element)
            return after, v
        moved = (w << (grid - f.frac)) - self._step(g, rate, frac, grid)
        if rate is None:
            moved = moved - times_constant(w, lr * decay, f.frac, grid, self._digits)
        else:
            fine = times_constant(w, decay, f.frac, f.frac + 20, self._digits)
            moved = moved - self._step(fine, rate, f.frac + 20, grid)
        if l1:
            moved = moved - self._step(_sign(w) * round(l1 * (1 << grid)), rate, grid, grid)
        return self._rounded(moved, grid, f, seed, element)

    def rate_word(self, factor):
        return round(self.real("lr") * factor * self._unit)

    def _velocity(self, frac: int, g, w, v, seed, element):
        """Return momentum v + g + decay w + l1 sign(w), rounded to a gradient."""
        f, to = self.formats["weights"], self.formats["gradients"]
        grid = to.frac + 14
        moved = times_constant(v, self.real("momentum"), to.frac, grid, self._digits)
        moved = moved + spec.round_shift(g, frac - grid, "down") + times_constant(
            w, self.real("weight_decay"), f.frac, grid, self._digits)
        moved = moved + _sign(w) * round(self.real("l1") * (1 << grid))
        return self._rounded(moved, grid, to, None if seed is None else seed ^ VELOCITY, element)

    def _step(self, x, rate, frac: int, grid: int):
        """Return lr x on the grid; rate is lr as a scalar, None for the constant."""
        if rate is None:
            return times_constant(x, self.real("lr"), frac, grid, self._digits)
        return spec.round_shift(x * rate, frac + _shift(self._unit) - grid, "down")

    def _rounded(self, x, grid: int, f: Fixed, seed, element):
        """Return the word of f for x on the grid, stochastically if there is a seed."""
        if seed is None:
            return spec.overflow(spec.round_shift(x, grid - f.frac, "nearest-even"), f)
        random = spec.random_word(element, seed)
        return spec.overflow(spec.round_shift(x, grid - f.frac, "stochastic", random), f)

    @property
    def _unit(self) -> Fraction:
        """What a rate of one is as a scalar."""
        return Fraction(2) ** (self._digits - 1 - _log2_floor(self.real("lr")))

    @property
    def _digits(self) -> int:
        """Significant bits of constants such as lr."""
        return 15 if self.formats["weights"].bits <= 16 else 10


def _sign(w):
    return (w > 0) * 1 - (w < 0) * 1


def times_constant(x, factor, frac: int, grid: int, digits: int):
    """Return factor * x on the grid; the factor keeps so many significant bits."""
    if not factor:
        return 0
    shift = digits - 1 - _log2_floor(factor)
    mantissa = round(factor * (1 << shift)) if shift >= 0 else round(factor / (1 << -shift))
    while mantissa % 2 == 0:
        mantissa, shift = mantissa // 2, shift - 1
    return spec.round_shift(x * mantissa, frac + shift - grid, "down")


def _shift(unit: Fraction) -> int:
    return _log2_floor(unit)


def _log2_floor(value) -> int:
    n = value.numerator.bit_length() - value.denominator.bit_length()
    return n if value >= Fraction(2) ** n else n - 1
