"""What an inference core takes of a network in integers that quantize made."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from fxp.format import FormatError

__all__ = ["integer_parts", "parts_of_integers"]

SUM = -(1 << 31), (1 << 31) - 1
SHIFTS = 0, 61  # of a scale, less one


def integer_parts(run_folder: str) -> tuple:
    """Return the fields of a Source for the network of integers in a folder."""
    from nets.quantize.folder import MANIFEST, read_integers

    folder = Path(run_folder)
    folder = folder.parent if folder.name == MANIFEST else folder
    network, manifest = read_integers(folder)
    sha = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()

    bits = manifest.get("bits", 8)
    about = {"epoch": manifest["epoch"], "model_sha256": sha,
             "settings": {"dataset": manifest["dataset"], "arith": f"int{bits}"}}
    data = {"shape": manifest["shape"], "classes": manifest["classes"]}
    return (str(folder), manifest["dataset"], data, f"int{bits}", about,
            *parts_of_integers(network))


def parts_of_integers(network) -> tuple:
    """Return the arithmetic, the layers, the words of the load port and what gives images'
    scores and class, for a network of integers; FormatError for a step that no core has."""
    steps = _steps(network.steps)
    arithmetic = _arithmetic(network, steps)

    def answers(images: np.ndarray) -> np.ndarray:
        scores = network.scores(images).astype(np.int64)
        return np.hstack([scores, scores.argmax(axis=1)[:, None]])

    return (arithmetic, [_layer(step, arithmetic) for step in steps],
            [step.product.weights for step in steps], answers)


def _steps(steps) -> list:
    """Return the products of a network, each with its form and the pooling behind it;
    FormatError, which names it, for a step that no core has yet."""
    from lnsarith.commands.rtl.core.layers import Step, window_form
    from nets.quantize.integer import IntegerAverage, IntegerProduct
    from verilog.core.inference.form import Form, dense_form

    found: list = []
    for step in steps:
        if isinstance(step, IntegerProduct):
            depth, channels = step.weights.shape
            found.append(Step(step, window_form(step.window, channels, Form) if step.window
                              else dense_form(depth, channels)))
        elif found and found[-1].form.pool == 1:
            form = replace(found[-1].form, pool=step.window.size,
                           average=isinstance(step, IntegerAverage))
            found[-1] = replace(found[-1], form=form, norm=step)
        else:
            raise FormatError("a core of integers has dense layers, convolutions and one pooling "
                              f"behind each; {step.name} is none of them")
    return found


def _arithmetic(network, steps):
    """Return the arithmetic of integers, with the parameters of an output."""
    from fxp.trace.bits import clamp
    from fxp.trace.circuit import trace
    from verilog.core.inference.arithmetic import Arithmetic
    from verilog.core.parts.lane import Sums
    from verilog.core.parts.word import Word

    products = [s.product for s in steps]
    reach = max(abs(w) for s in products for w in (
        s.inputs[1] - s.inputs[0], s.inputs[2] - s.inputs[0], *_ends(s.rescale)))
    weight = max(int(abs(s.weights).max()) for s in products)
    number = Word((("word", -reach, reach),))
    ends = [_ends(r) for r in (products[-1].rescale, *(s.rescale for s in products),
                               *(s.norm.rescale for s in steps if s.form.average))]
    score_span = min(low for low, _ in ends), max(high for _, high in ends)
    pooled = [s for s in steps if s.form.pool > 1]
    averaged = any(s.form.average for s in pooled)
    parameters = _rescaling("p", score_span)
    if averaged:
        parameters |= {k: v for k, v in _rescaling("a", score_span).items() if k != "a_bias"}
    if any(not s.form.average for s in pooled):
        parameters["least"] = 0, 1

    def step(register, b, a):
        return register + a * b

    def finish(register, p_bias, **scale):
        """The rescaled sum."""
        score = _rescaled(clamp(register + p_bias, *SUM), "p", score_span, scale)
        return clamp(score, -reach, reach), score

    depth = max(len(s.weights) for s in products)
    bound = depth * reach * weight
    span = max(-bound, SUM[0]), min(bound, SUM[1])
    words = {"register": span, "b": (-weight, weight), "a": (-reach, reach)}
    sums = Sums(trace(step, words, name="step"), ("register",), ("a",), ("b",), zero=(0,))
    scale = {k: v for k, v in parameters.items() if k.startswith("p_")}
    ended = trace(finish, {"register": span, **scale}, outputs=("o", "score"), name="finish")
    order = trace(lambda word: word + 0, {"word": score_span}, name="order")
    table = tuple(number.patterns({"word": network.table - products[0].inputs[0]}).tolist())
    return Arithmetic(number, table, sums, ended, None, order,
                      parameters=Word(tuple((k, *v) for k, v in parameters.items())),
                      score=Word((("word", *score_span),)), average=_means(
                          reach, score_span, max(s.form.pool for s in pooled)**2)
                      if averaged else None, least="least" if "least" in parameters else "")


def _ends(r) -> tuple[int, int]:
    """Return the least and the greatest word of a rescaling, less their zero."""
    return r.low - r.zero, r.high - r.zero


def _rescaling(letter: str, span: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """Return the parameters of a sum's rescaling, and their ranges."""
    multiplier = (0, (1 << 31) - 1)
    return {f"{letter}_bias": SUM, f"{letter}_positive": multiplier,
            f"{letter}_negative": multiplier, f"{letter}_shift": SHIFTS,
            f"{letter}_low": span, f"{letter}_high": span}


def _rescaled(total, letter: str, span: tuple[int, int], given):
    """Return a sum rescaled, rounded to nearest, ties upwards, within the words that its
    parameters tell."""
    from fxp.spec import rescale
    from fxp.trace.bits import clamp, where

    positive, negative, shift, low, high = (given[f"{letter}_{k}"] for k in (
        "positive", "negative", "shift", "low", "high"))
    scaled = rescale(total, positive, negative, shift)
    return clamp(where(scaled < low, low, where(high < scaled, high, scaled)), *span)


def _means(reach: int, span: tuple[int, int], count: int):
    """Return how the sums of windows of up to so many words are taken and rescaled."""
    from fxp.trace.bits import clamp
    from fxp.trace.circuit import trace
    from verilog.core.inference.arithmetic import Means

    def add(total, word):
        return clamp(total + word, -count * reach, count * reach)

    def end(total, **scale):
        return clamp(_rescaled(total, "a", span, scale), -reach, reach)

    sums = {"total": (-count * reach, count * reach)}
    scale = {k: v for k, v in _rescaling("a", span).items() if k != "a_bias"}
    return Means(trace(add, {**sums, "word": (-reach, reach)}, outputs=("next",), name="means"),
                 ("total",), (0,), trace(end, {**sums, **scale}, outputs=("o",), name="mean"))


def _scale(letter: str, r) -> dict[str, object]:
    """Return the parameters of a rescaling; those of answers are less their zero, as the next
    step takes them."""
    low, high = _ends(r)
    return {f"{letter}_positive": r.positive, f"{letter}_negative": r.negative,
            f"{letter}_shift": r.shift - 1, f"{letter}_low": np.full(1, low),
            f"{letter}_high": np.full(1, high)}


def _layer(step, arithmetic):
    """Return the words of a step, with the parameters of its outputs."""
    from verilog.core.inference.arithmetic import Layer

    product, pooling, word = step.product, step.norm, arithmetic.parameters
    units = product.weights.shape[1]
    fields = {"p_bias": product.biases, **_scale("p", product.rescale)}
    if step.form.average:
        fields |= _scale("a", pooling.rescale)
    elif pooling:
        fields["least"] = pooling.least.astype(np.int64)
    full = {k: np.broadcast_to(np.asarray(fields.get(k, 0)).ravel(), units) for k in word.names}
    return Layer(arithmetic.sums.weight.patterns({"b": product.weights}), None, word.rows(full),
                 form=step.form)
