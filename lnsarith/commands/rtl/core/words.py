"""What an inference core takes of a trained network: circuits of its plans, and its words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fxp.format import FormatError
from lnsarith.commands.rtl.core.layers import (
    Step,
    active_circuit,
    pixel_words,
    steps_of,
    told,
)
from lnsarith.commands.rtl.core.stages import parameter_words, staged

if TYPE_CHECKING:
    from verilog.core.inference.core import Arithmetic, Layer

__all__ = ["core_parts", "port_words"]


def core_parts(settings, network) -> tuple[Arithmetic, list[Layer]]:
    """Return the arithmetic and the layers of a network's core; FormatError, which names
    it, for what no core can do yet."""
    from nets.layers.dense import Dense
    from nets.layers.spatial.conv import Conv2d

    _require(settings)
    ar, steps = network.ar, steps_of(network, (Dense, Conv2d))
    lns = hasattr(settings.format("activations"), "zero")
    arithmetic = (_lns if lns else _fixed)(settings, ar, active_circuit(ar, steps),
                                           max(step.product.w.rows for step in steps))
    arithmetic = staged(ar, arithmetic, steps)
    return arithmetic, [_words(ar, arithmetic, step) for step in steps]


def _require(settings) -> None:
    """Refuse the runs whose sums a lane cannot take."""
    if settings.arith.startswith("float"):
        raise FormatError(f"a core has words, and a run of {settings.arith} has none; give one of "
                          "lns or fixed")
    if hasattr(settings.format("activations"), "zero") and settings.order == "tree":
        raise FormatError("a lane adds one product after the other; the run has order "
                          f"{settings.order}")


def _lns(settings, ar, active, depth: int) -> Arithmetic:
    from fxp.trace.circuit import trace
    from lnsarith.lns import spec
    from lnsarith.lns.spec import Number
    from verilog.core.inference.core import Arithmetic
    from verilog.core.parts.lane import Sums
    from verilog.core.parts.word import Word

    plan = ar.affine_plan()
    f, w, logits = (ar.formats[role] for role in ("activations", "weights", "logits"))
    number = Word((("level", *spec.level_range(f)), ("sign", -1, 0)))
    pack = trace(lambda level, sign: spec.pack(Number(level, sign), f),
                 {"level": spec.level_range(f), "sign": (-1, 0)}, name="pack")
    unpack = trace(lambda word: spec.unpack(word, w), {"word": w.words},
                   outputs=("level", "sign"), name="unpack")
    sums = Sums(plan.step, plan.state, plan.scalars, plan.vectors, plan.start,
                absent=plan.absent)
    names = ("delta", "guard", *(["register_bits"] if settings.register_bits else []), "underflow")
    made = Arithmetic(number, pixel_words(ar, number), sums, plan.finish,
                      active, ar.order_circuit(), pack, unpack, settings=told(settings, names))
    return made if logits == f else _scored(
        settings, made, plan, ar.logits_plan(), logits,
        lambda n: spec.pack(Number(*n), logits), lambda word: spec.order_key(word, logits))


def _fixed(settings, ar, active, depth: int) -> Arithmetic:
    from verilog.core.inference.core import Arithmetic
    from verilog.core.parts.lane import Sums
    from verilog.core.parts.word import Word

    def plan_of(out: str):
        accumulator = ar.accumulator("activations", "weights", out, "weights")
        if accumulator.kind == "exact":
            accumulator = replace(accumulator, depth=depth)  # the same words in fewer bits
        return accumulator.plan()

    plan = plan_of("activations")
    f, logits = ar.formats["activations"], ar.formats["logits"]
    number = Word((("word", *f.words),))
    sums = Sums(plan.step, plan.state, plan.scalars, plan.vectors, plan.start)
    made = Arithmetic(number, pixel_words(ar, number), sums, plan.finish, active,
                      ar.order_circuit(), settings=told(settings, ("accumulator",)))
    return made if logits == f else _scored(settings, made, plan, plan_of("logits"), logits,
                                            lambda n: n, lambda word: word + 0)


def _scored(settings, made: Arithmetic, plan, last, logits, pack, order) -> Arithmetic:
    """Return an arithmetic whose logits, the sums of plan `last`, are words of a format of their
    own, which pack and order make and put in order; FormatError where the last layer's steps are
    others."""
    from fxp.trace.circuit import evaluate, trace
    from verilog.core.parts.word import Word

    if (plan.step.digest, plan.start.digest) != (last.step.digest, last.start.digest):
        raise FormatError("a core's lanes take all layers' steps alike, and those of logits "
                          f"{settings.logits} differ with accumulator {settings.accumulator}")

    def finish(**registers):
        """A sum as an activation, and as a logit."""
        number = evaluate(plan.finish, **registers)
        number = number if isinstance(number, tuple) else (number,)
        return *number, pack(evaluate(last.finish, **registers))

    spans = {k: (n.low, n.high) for k, n in plan.finish.inputs.items()}
    return replace(
        made, finish=trace(finish, spans, outputs=(*plan.finish.outputs, "score"), name="finish"),
        score=Word((("word", *logits.words),)), pack=None,
        score_order=trace(order, {"word": logits.words}, name="order"),
        settings={**made.settings, "logits": settings.logits})


def _words(ar, arithmetic: Arithmetic, step: Step) -> Layer:
    """Return a layer's words as memories hold them."""
    from verilog.core.inference.core import Layer

    def patterns(t, word):
        fields = t.named("b")
        values = [v[:, : t.columns] for v in fields.values()]
        return word.patterns(dict(zip(word.names, values)))

    sums, layer = arithmetic.sums, step.product
    assert sums.bias is not None
    rows = parameter_words(ar, arithmetic, step, layer.w.columns)
    return Layer(patterns(layer.w, sums.weight), patterns(layer.b, sums.bias), rows,
                 form=step.form)


def port_words(network) -> list:
    """Return the words of each layer, int64: its biases in a row above its weights."""
    from nets.layers.dense import Dense
    from nets.layers.spatial.conv import Conv2d
    from nets.network.probe import plain_layer

    layers: list = [x for x in map(plain_layer, network.layers) if type(x) in (Dense, Conv2d)]
    words = network.ar.words
    return [np.vstack([words(x.b), words(x.w)]).astype(np.int64) for x in layers]
