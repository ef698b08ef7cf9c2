"""Other circuits for a sum of products of LNS numbers: less to do, for operands that they fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fxp.trace.bits import minimum
from fxp.trace.circuit import Circuit, evaluate, trace
from fxp.trace.plans import Form, Levels, MatmulPlan
from lnsarith.lns import spec
from lnsarith.lns.apart import LANE, Apart, Shifts, apart_for, shifts_of
from lnsarith.lns.format import Lns
from lnsarith.lns.joined import LEAST, TOP, Joined, JoinedApart, joined_apart_for, joined_for
from lnsarith.lns.spec import Number

__all__ = ["forms_of"]

SIGN = (-1, 0)
WIDE, BYTE = 16, 8  # bits of lanes


def forms_of(plan: MatmulPlan, register: Lns, of: Callable[[str], Lns],
             delta: Callable) -> tuple[Form, ...]:
    """Return the forms of a sequential sum in a register with shifts delta(gap, opposite), of
    operands in formats of their own."""
    if register.bits > WIDE or (shifts := shifts_of(register, delta)) is None:
        return ()
    maker = _Maker(plan, register, of)
    fits = register.bits == BYTE and of("b") == register  # its vectors are cut in these units
    found = [maker.bytes(shifts)] if fits else []
    if (joined := joined_for(register, shifts)) is not None:
        if (both := joined_apart_for(register, shifts)) is not None:
            found.append(maker.words_apart(both))
        found.append(maker.words(joined))
    elif (apart := apart_for(register, shifts)) is not None:
        found.append(maker.heights(apart))
    return tuple(found)


class _Maker:
    """Makes forms of a plan."""

    def __init__(self, plan: MatmulPlan, register: Lns, of: Callable[[str], Lns]):
        self.plan = plan
        self.register = register
        self.of = of
        low, high = spec.level_range(of("a"))
        self.a = {"a_level": (low + 1, high), "a_sign": SIGN}
        self.b = {"b_level": spec.level_range(of("b")), "b_sign": SIGN}

    def bytes(self, shifts: Shifts) -> Form:
        """Return the form whose vectors are stored in bytes, so that lanes are no wider, and
        whose sums stay so far below the top that none is cut there."""
        plan, register = self.plan, self.register
        bottom, top = spec.level_range(register)
        top -= int(max(shifts.same.max(), shifts.opposite.max()))
        names = {f"{n}_byte": n for n in self.b}
        ports = {"level": (bottom, top), "sign": SIGN, "b_level_byte": (bottom, top),
                 "b_sign_byte": SIGN, **self.a}

        def step(circuit: Circuit) -> Circuit:
            def run(**given):
                return evaluate(circuit, **{names.get(n, n): v for n, v in given.items()})

            level = circuit.inputs["a_level"]
            return trace(run, {**ports, "a_level": (level.low, level.high)},
                         outputs=tuple(circuit.outputs))

        def pack(b_level, b_sign):
            return minimum(b_level, top), b_sign

        def fits(a: Levels, b: Levels, init: Levels) -> bool:
            product = b.greatest + max(0, a.greatest - spec.one_level(register))
            return max(init.greatest, product + shifts.rise) <= top

        kinds = {n: kind for n, kind in plan.dtypes.items() if n not in self.b}
        form = replace(plan, step=step(plan.step), low=plan.low and step(plan.low),
                       vectors=tuple(names),
                       dtypes={**kinds, **dict.fromkeys(names, np.dtype(np.int8))})
        return Form("bytes", plan, form, self._resized(fits),
                    trace(pack, self.b, outputs=tuple(names)))

    def heights(self, apart: Apart) -> Form:
        """Return the form whose state is a height and a sign."""
        def start(i_level, i_sign):
            return apart.put(self._started(i_level, i_sign))

        def step(level, sign, b_level, b_sign, a_level, a_sign):
            return apart.step(Number(level, sign), self._sized(b_level, b_sign, "b"),
                              self._sized(a_level, a_sign, "a"))

        def finish(level, sign, **rest):
            return self._finished(apart.number(Number(level, sign)), rest)

        state = {"level": (0, LANE - 1), "sign": SIGN}
        ports = {**state, **self.b, **self.a}
        return Form("far zeros", self.plan, self._plan(state, start, trace(step, ports), finish),
                    self._resized(apart.fits))

    def words(self, joined: Joined) -> Form:
        """Return the form whose state and vectors are words of levels and signs."""
        def step(above_one: bool):
            def run(word, b_word, a_level, a_sign):
                return joined.step(word, b_word, self._sized(a_level, a_sign, "a"), above_one)

            low, high = self.a["a_level"]
            levels = low, high if above_one else spec.one_level(self.of("a"))
            return trace(run, {"word": joined.words, "b_word": joined.words, **self.a,
                               "a_level": levels}, outputs=("word",))

        return self._joined("one word", joined, joined.words, joined.join, step(True),
                            low=step(False), low_limit=spec.one_level(self.of("a")))

    def words_apart(self, joined: JoinedApart) -> Form:
        """Return the form whose words have zero far below."""
        def step(word, b_word, a_level, a_sign):
            return joined.step(word, b_word, self._sized(a_level, a_sign, "a"))

        ports = {"word": (0, TOP), "b_word": (LEAST, TOP), **self.a}
        return self._joined("one word, far zeros", joined, ports["word"], joined.start,
                            trace(step, ports, outputs=("word",)))

    def _joined(self, name: str, joined, words, first: Callable, step: Circuit, **low) -> Form:
        def start(i_level, i_sign):
            return first(self._started(i_level, i_sign))

        def finish(word, **rest):
            return self._finished(joined.number(word), rest)

        pack = trace(lambda b_level, b_sign: joined.join(self._sized(b_level, b_sign, "b")),
                     self.b, outputs=("b_word",))
        kinds = {n: kind for n, kind in self.plan.dtypes.items() if n not in self.b}
        plan = self._plan({"word": words}, start, step, finish, vectors=("b_word",),
                          dtypes={**kinds, "b_word": np.dtype(np.int16)}, **low)
        return Form(name, self.plan, plan, self._resized(joined.fits), pack)

    def _plan(self, state, start: Callable, step: Circuit, finish: Callable,
              **other) -> MatmulPlan:
        plan = self.plan
        ports = {n: (plan.finish.inputs[n].low, plan.finish.inputs[n].high)
                 for n in (*plan.extra, "element") if n in plan.finish.inputs}
        initial = {n: (node.low, node.high) for n, node in plan.start.inputs.items()}
        return replace(plan, start=trace(start, initial, outputs=tuple(state), name="start"),
                       step=step, state=tuple(state), forms=tuple, nothing=None,
                       finish=trace(finish, {**state, **ports}, name="finish",
                                    outputs=tuple(plan.finish.outputs)),
                       **{"low": None, **other})

    def _sized(self, level, sign, role: str) -> Number:
        return spec.resize(Number(level, sign), self.of(role), self.register)

    def _started(self, level, sign) -> Number:
        ports = zip(self.plan.start.inputs, (level, sign))
        return Number(*evaluate(self.plan.start, **dict(ports)))

    def _finished(self, n: Number, rest: dict):
        return evaluate(self.plan.finish, level=n.level, sign=n.sign, **rest)

    def _resized(self, fits: Callable) -> Callable[[Levels, Levels, Levels], bool]:
        """Return the same question of operands in formats of their own."""
        def resized(levels: Levels, role: str) -> Levels:
            least, greatest = (self._sized(n, 0, role).level for n in levels[:2])
            return Levels(least, greatest, levels.zeros)

        return lambda a, b, init: fits(resized(a, "a"), resized(b, "b"), resized(init, "init"))
