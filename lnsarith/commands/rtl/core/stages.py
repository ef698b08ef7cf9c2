"""What stands behind sums in a core of words: batch norm and means, as circuits and parameters.

Batch norm stays as the engine takes it, three formulas one after the other, each rounded: it
cannot be folded into weights without another rounding, so with other words.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from fxp.format import FormatError

if TYPE_CHECKING:
    from lnsarith.commands.rtl.core.layers import Step
    from verilog.core.inference.arithmetic import Arithmetic

__all__ = ["parameter_words", "staged"]

# Of each formula its second operand and, of the last one, its third.
FORMULAS = (("minus", ("mean",)), ("times", ("root",)), ("affine", ("gamma", "beta")))
ROLES = {"mean": "activations", "root": "activations", "gamma": "weights", "beta": "weights"}


def staged(ar, arithmetic: Arithmetic, steps: list[Step]) -> Arithmetic:
    """Return an arithmetic with batch norm and means where the steps have them; FormatError for
    batch norm behind some of the layers alone, and for means of windows of several sizes."""
    from verilog.core.parts.word import Word, word_of

    normed = {step.norm is not None for step in steps[:-1]}
    if normed == {True, False}:
        raise FormatError("a core has batch norm behind all layers but the last or behind none, "
                          "and this network behind some")
    sizes = sorted({step.form.pool for step in steps if step.form.average})
    if len(sizes) > 1:
        raise FormatError("a core takes means of windows of one size, and this network of "
                          + " and ".join(f"{n} x {n}" for n in sizes))
    average = _means(ar, sizes[0]) if sizes else None
    if True not in normed:
        return replace(arithmetic, average=average)
    norm = _norm(ar, arithmetic.number.names)
    names = [k for k in norm.inputs if not k.startswith("x")]
    own = arithmetic.parameters.fields if arithmetic.parameters else ()
    return replace(arithmetic, average=average, norm=norm,
                   parameters=Word((*own, *word_of(norm, names).fields)))


def parameter_words(ar, arithmetic: Arithmetic, step: Step, outputs: int, own=None):
    """Return the parameters of each output of a layer as words, or None where there are none.

    own are those that the layer has beside batch norm's, arrays by name.
    """
    if not arithmetic.parameters:
        return None
    fields = dict(own or {})
    if step.norm:
        norm = step.norm
        root = ar.empty(1, norm.shape[2], "activations")
        ar.formula("deviation", root, norm.variance)()
        for name, t in (("mean", norm.mean), ("root", root), ("gamma", norm.gamma),
                        ("beta", norm.beta)):
            fields |= {_port(name, k): v[0, :outputs] for k, v in t.fields.items()}
    none = np.zeros(outputs, np.int64)
    return arithmetic.parameters.rows({k: fields.get(k, none) for k in
                                       arithmetic.parameters.names})


def _port(name: str, part: str) -> str:
    """Return the port of a number's part: a number of one part, `word`, has a port of its
    own name."""
    return name if part == "word" else f"{name}_{part}"


def _norm(ar, parts):
    """Return the circuit of batch norm: of a number x and its channel's mean, 1 / deviation,
    gamma and beta."""
    from fxp.trace.circuit import evaluate, trace

    plans = [ar.formula_plan(name, dict(zip("abc", ("activations", *(ROLES[k] for k in more)))),
                             "activations").circuit for name, more in FORMULAS]
    spans = {_port("x", p): _span(plans[0], _port("a", p)) for p in parts}
    for plan, (_, more) in zip(plans, FORMULAS):
        spans |= {_port(name, p): _span(plan, _port(letter, p))
                  for letter, name in zip("bc", more) for p in parts}

    def normed(**given):
        """gamma (x - mean) / deviation + beta."""
        x = [given[_port("x", p)] for p in parts]
        for plan, (_, more) in zip(plans, FORMULAS):
            found = evaluate(plan, **{_port("a", p): value for p, value in zip(parts, x)}, **{
                _port(letter, p): given[_port(name, p)] for letter, name in zip("bc", more)
                for p in parts})
            x = list(found) if isinstance(found, tuple) else [found]
        return tuple(x)

    return trace(normed, spans, outputs=[_port("o", p) for p in parts], name="norm")


def _span(circuit, port: str) -> tuple[int, int]:
    node = circuit.inputs[port]
    return node.low, node.high


def _means(ar, size: int):
    """Return how a core takes the mean of windows of a size."""
    from fxp.trace.circuit import evaluate, trace
    from verilog.core.inference.arithmetic import Means

    count = size**2
    plan = ar.weighted_plan("activations")
    if hasattr(ar.formats["activations"], "words") and not hasattr(ar, "delta"):
        # the same words in fewer bits
        plan = ar.accumulator("activations", "activations", "activations", kind="exact",
                              depth=count).plan()
    factor = {k: int(v[0, 0]) for k, v in ar.constant(Fraction(1, count)).named("a").items()}
    zero = {k: int(v[0, 0]) for k, v in ar.empty(1, 1, "activations").named("i").items()}
    begun = evaluate(plan.start, **zero)

    def step(**given):
        """A number of a window, times 1 / their count, added to those before."""
        return evaluate(plan.step, **given, **{k: factor[k] for k in plan.scalars})

    spans = {k: _span(plan.step, k) for k in (*plan.state, *plan.vectors)}
    circuit = trace(step, spans, outputs=[f"next_{k}" for k in plan.state], name="means")
    return Means(circuit, tuple(plan.state), begun if isinstance(begun, tuple) else (begun,),
                 plan.finish)
