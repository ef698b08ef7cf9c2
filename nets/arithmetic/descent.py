"""Steps of parameters against their gradients, what they need and what they keep."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from fxp.once import cached_property
from fxp.run.execute import Given, bind_map
from fxp.spec import random_word
from fxp.trace.plans import MapPlan, MatmulPlan
from nets.arithmetic.tensor import Tensor
from nets.settings.settings import Settings, parse_real

__all__ = ["SEED", "Descent"]

SEEDS = 1024  # steps whose random words are made at once
# The ports of stochastic rounding: a word for the batch, and the number of the weight.
SEED = {"seed": (0, (1 << 32) - 1), "element": (0, (1 << 31) - 1)}


class Descent:
    """The update of words by sums of products. Subclasses give the plans."""

    settings: Settings
    backend: str
    threads: int
    step: int

    def __init__(self):
        self.factor = Fraction(1)  # of the learning rate, as the schedule has it
        self._rate_of: Fraction | None = None  # the factor that _rate_word is of
        self._rate_word = 0
        self.salted = 0  # updates that were given random words of their own
        self._updates: dict[tuple[int, bool], MatmulPlan] = {}
        self._kept: dict[int, dict[str, Tensor]] = {}

    def update_plan(self, depth: int = 0, turned: bool = False) -> MatmulPlan:
        """Return the step of weights against sums of so many products at most; turned:
        the scalars are gradients, the vectors activations."""
        raise NotImplementedError

    def rate_word(self, factor: Fraction) -> int:
        """Return the learning rate times factor as the scalar of a plan."""
        raise NotImplementedError

    def decay_plan(self) -> MapPlan:
        raise NotImplementedError

    def empty(self, rows: int, columns: int, role: str) -> Tensor:
        """Return a matrix of zeros for weights, activations or gradients."""
        raise NotImplementedError

    @property
    def decay_period(self) -> int:
        """Batches between two runs of decay_plan; 0 for never."""
        return 0

    @property
    def scheduled(self) -> bool:
        """Whether the learning rate is a scalar of each step."""
        return self.settings.schedule != "constant"

    @property
    def with_momentum(self) -> bool:
        """Whether each weight has a velocity."""
        return bool(self.real("momentum"))

    def real(self, name: str) -> Fraction:
        """Return a setting that is a real."""
        return parse_real(name, getattr(self.settings, name))

    def kept(self, w: Tensor) -> dict[str, Tensor]:
        """Return what is kept from step to step beside a parameter: its velocity, if any."""
        key = id(next(iter(w.fields.values())))
        if self.with_momentum and key not in self._kept:
            self._kept[key] = {"velocity": self.empty(w.rows, w.columns, "gradients")}
        return self._kept.get(key, {})

    def update_over(self, depth: int, turned: bool = False) -> MatmulPlan:
        """Return update_plan, the same object for the same plan."""
        key = (max(depth, 1 << 16) - 1).bit_length(), turned
        if key not in self._updates:
            self._updates[key] = self.update_plan(1 << key[0], turned)
        return self._updates[key]

    def last_calls(self) -> list[Callable[[], None]]:
        """Return what ends a batch: nothing here, where each update follows its gradient."""
        return []

    def operands(self, w: Tensor) -> dict[str, np.ndarray]:
        """Return what an update of w reads."""
        return {**w.named("w"), **{k: a for t in self.kept(w).values()
                                   for k, a in t.named("v").items()}}

    def results(self, w: Tensor) -> dict[str, np.ndarray]:
        """Return what an update of w writes."""
        return {**w.named("o"), **{k: a for t in self.kept(w).values()
                                   for k, a in t.named("o_v").items()}}

    def settled(self, w: Tensor, call, plan: MatmulPlan) -> Callable[[], None]:
        """Return the call of an update of w, completed by decay and its scalars."""
        if self.decay_period:
            decay = bind_map(self._decay, {**w.named("w"), **w.named("o")}, self.backend,
                             threads=self.threads)
            call = self._with_decay(call, decay)
        scalars: dict[str, Callable[[], int]] = {}
        if "seed" in plan.finish.inputs:
            self.salted += 1
            seeds = _Seeds((self.settings.seed * 65599 + self.salted) & 0xFFFFFFFF)
            scalars["seed"] = lambda: seeds[self.step]
        if "rate" in plan.finish.inputs:
            scalars["rate"] = self._rate
        return Given(call, scalars) if scalars else call

    def _rate(self) -> int:
        """Return the learning rate of now: it is the same for all weights of many steps."""
        if self._rate_of != self.factor:
            self._rate_of, self._rate_word = self.factor, self.rate_word(self.factor)
        return self._rate_word

    @cached_property
    def _decay(self) -> MapPlan:
        return self.decay_plan()

    def _with_decay(self, call, decay):
        period = self.decay_period

        def run(**scalars: int) -> None:
            call(**scalars)
            if self.step % period == 0:
                decay()

        return run


class _Seeds:
    """A random word for each step under a salt, made for many steps at once."""

    def __init__(self, salt: int):
        self.salt = salt
        self.first = -SEEDS
        self.words: list[int] = []

    def __getitem__(self, step: int) -> int:
        if not self.first <= step < self.first + SEEDS:
            self.first = step - step % SEEDS
            steps = np.arange(self.first, self.first + SEEDS, dtype=np.int64) & 0xFFFFFFFF
            self.words = random_word(steps, self.salt).tolist()
        return self.words[step - self.first]
