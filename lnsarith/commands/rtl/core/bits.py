"""What an inference core takes of a binary network: bits, thresholds, scores."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fxp.format import Fixed, FormatError

__all__ = ["bit_answers", "bit_parts"]

BITS = 32  # of a word: products of a step


def bit_parts(settings, network):
    """Return the arithmetic, layers and words of a binary network folded into bits."""
    from lnsarith.commands.rtl.core.layers import told
    from nets.binary.fold import fold

    packed = fold(network)
    _require(packed)
    arithmetic = _arithmetic(packed, told(settings, ("binarize_input",)))
    made = [_layer(arithmetic, layer) for layer in packed.layers]
    return arithmetic, made, [layer.weights for layer in made]


def bit_answers(network) -> Callable[[np.ndarray], np.ndarray]:
    """Return what gives images' scores and classes, int64, a row each, by counts of bits."""
    from nets.binary.fold import fold

    packed = fold(network)
    last = packed.layers[-1]
    assert last.biases is not None
    biases = last.biases

    def answers(images: np.ndarray) -> np.ndarray:
        scores = (packed.answers(images)[-1].astype(np.int64) << last.fraction) + biases
        return np.hstack([scores, packed.predict(images)[:, None]])

    return answers


def _require(packed) -> None:
    """Refuse by name what a core of bits cannot do yet."""
    if packed.entry.threshold is None:
        raise FormatError("a core of bits takes pixels of one bit, and this network pixels of "
                          f"{packed.entry.planes}; train with binarize_input threshold")
    for layer in packed.layers:
        if layer.window is not None:
            raise FormatError(f"a core of bits has dense layers, and {layer.name} is a "
                              "convolution")


def _arithmetic(packed, settings):
    from fxp.operators.xnor import xnor_popcount
    from fxp.trace.circuit import trace
    from verilog.core.inference.arithmetic import Arithmetic
    from verilog.core.parts.lane import Sums
    from verilog.core.parts.word import Word

    f = Fixed.parse(f"ufixed{BITS}.0")
    layers, last = packed.layers, packed.layers[-1]
    span = 0, max(BITS * -(-layer.depth // BITS) for layer in layers)
    threshold = 0, max(layer.span for layer in layers) + 1
    bias = int(min(0, last.biases.min())), int(max(0, last.biases.max()))
    bias = min(bias[0], -bias[1] - 1), max(bias[1], -bias[0])

    def step(count, b, a):
        return count + xnor_popcount(a, b, f)

    def finish(count, threshold, bias):
        """Whether a unit fires, and its score."""
        return threshold <= count, (count << last.fraction) + bias

    sums = Sums(trace(step, {"count": span, "b": f.words, "a": f.words}, name="step"),
                ("count",), ("a",), ("b",), zero=(0,))
    ended = trace(finish, {"count": span, "threshold": threshold, "bias": bias},
                  outputs=("o", "score"), name="finish")
    score = ended.outputs["score"].low, ended.outputs["score"].high
    parameters = Word((("threshold", *threshold), ("bias", *bias)))
    pixels = tuple(int(v > packed.entry.threshold) for v in range(256))
    return Arithmetic(Word((("word", *f.words),)), pixels, sums, ended, None,
                      trace(lambda word: word + 0, {"word": score}, name="order"),
                      parameters=parameters, score=Word((("word", *score),)), packed=BITS,
                      settings=settings)


def _layer(arithmetic, layer):
    """Return the words of a layer; beyond a row's end they differ from those of pixels."""
    from nets.binary.windows import unpacked
    from verilog.core.inference.arithmetic import Layer

    bits = unpacked(layer.rows, layer.depth).astype(np.int64)
    filled = np.pad(bits, ((0, 0), (0, -layer.depth % BITS)), constant_values=1)
    words = filled.reshape(layer.units, -1, BITS) @ (np.int64(1) << np.arange(BITS))
    none = np.zeros(layer.units, np.int64)
    fields = {"threshold": none if layer.thresholds is None else layer.thresholds,
              "bias": none if layer.biases is None else layer.biases}
    return Layer(np.ascontiguousarray(words.T), None, arithmetic.parameters.rows(fields),
                 layer.depth)
