"""What an inference core takes of a network in integers that quantize made."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from fxp.format import FormatError

__all__ = ["integer_parts"]

SUM = -(1 << 31), (1 << 31) - 1
SHIFTS = 0, 61  # of a scale, less one


def integer_parts(run_folder: str) -> tuple:
    """Return the fields of a Source for the network of integers in a folder."""
    from nets.quantize.folder import MANIFEST, read_integers

    folder = Path(run_folder)
    folder = folder.parent if folder.name == MANIFEST else folder
    network, manifest = read_integers(folder)
    pairs = _pairs(network.steps)
    steps = [step for step, _ in pairs]
    arithmetic, word = _arithmetic(network, steps)
    layers = [_layer(step, form, word, arithmetic.sums.weight) for step, form in pairs]
    sha = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()

    def answers(images: np.ndarray) -> np.ndarray:
        scores = network.scores(images).astype(np.int64)
        return np.hstack([scores, scores.argmax(axis=1)[:, None]])

    bits = manifest.get("bits", 8)
    about = {"epoch": manifest["epoch"], "model_sha256": sha,
             "settings": {"dataset": manifest["dataset"], "arith": f"int{bits}"}}
    words = [step.weights for step in steps]
    return (str(folder), manifest["dataset"], f"int{bits}", about, arithmetic, layers, words,
            answers)


def _pairs(steps) -> list:
    """Return the products of a network, each with its form, pooling included; FormatError,
    which names it, for a step that no core has yet."""
    from lnsarith.commands.rtl.core.layers import window_form
    from nets.quantize.integer import IntegerExtreme, IntegerProduct
    from verilog.core.inference.form import Form, dense_form

    found: list = []
    for step in steps:
        if isinstance(step, IntegerProduct):
            depth, channels = step.weights.shape
            found.append((step, window_form(step.window, channels, Form) if step.window
                          else dense_form(depth, channels)))
        elif isinstance(step, IntegerExtreme) and found and not step.least.any():
            product, form = found[-1]
            found[-1] = product, replace(form, pool=step.window.size)
        else:
            raise FormatError(f"a core of integers has dense layers, convolutions and max "
                              f"pooling; {step.name} is none of them")
    return found


def _arithmetic(network, steps):
    """Return the arithmetic of integers, and the word of an output's parameters."""
    from fxp.spec import rescale
    from fxp.trace.bits import clamp, where
    from fxp.trace.circuit import trace
    from verilog.core.inference.arithmetic import Arithmetic
    from verilog.core.parts.lane import Sums
    from verilog.core.parts.word import Word

    reach = max(abs(w) for s in steps for w in (s.inputs[1] - s.inputs[0],
                                                s.inputs[2] - s.inputs[0]))
    weight = max(int(abs(s.weights).max()) for s in steps)
    number = Word((("word", -reach, reach),))
    score_span = steps[-1].rescale.low, steps[-1].rescale.high

    def step(register, b, a):
        return register + a * b

    def finish(register, p_bias, p_positive, p_negative, p_shift, p_low, p_high):
        """The rescaled sum, rounded to nearest, ties upwards, within the next words."""
        total = clamp(register + p_bias, *SUM)
        scaled = rescale(total, p_positive, p_negative, p_shift)
        score = clamp(where(scaled < p_low, p_low, where(p_high < scaled, p_high, scaled)),
                      *score_span)
        return clamp(score, -reach, reach), score

    multiplier = (0, (1 << 31) - 1)
    parameters = {"p_bias": SUM, "p_positive": multiplier, "p_negative": multiplier,
                  "p_shift": SHIFTS, "p_low": score_span, "p_high": score_span}
    depth = max(len(s.weights) for s in steps)
    bound = depth * reach * weight
    span = max(-bound, SUM[0]), min(bound, SUM[1])
    words = {"register": span, "b": (-weight, weight), "a": (-reach, reach)}
    sums = Sums(trace(step, words, name="step"), ("register",), ("a",), ("b",), zero=(0,))
    ended = trace(finish, {"register": span, **parameters}, outputs=("o", "score"),
                  name="finish")
    order = trace(lambda word: word + 0, {"word": score_span}, name="order")
    word = Word(tuple((k, *span) for k, span in parameters.items()))
    table = tuple(number.patterns({"word": network.table - steps[0].inputs[0]}).tolist())
    return Arithmetic(number, table, sums, ended, None, order, parameters=word,
                      score=Word((("word", *score_span),))), word


def _layer(step, form, word, weight):
    """Return the words of a step; those of its answers are less their zero, as the next
    step takes them."""
    from verilog.core.inference.arithmetic import Layer

    r = step.rescale
    units = step.weights.shape[1]
    fields = {"p_bias": step.biases, "p_positive": r.positive, "p_negative": r.negative,
              "p_shift": r.shift - 1, "p_low": np.full(1, r.low - r.zero),
              "p_high": np.full(1, r.high - r.zero)}
    full = {k: np.broadcast_to(np.asarray(v).ravel(), units) for k, v in fields.items()}
    return Layer(weight.patterns({"b": step.weights}), None, word.rows(full),
                 form=form)
