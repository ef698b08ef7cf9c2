"""What an inference core takes of a binary network: bits, thresholds, scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fxp.format import Fixed, FormatError

__all__ = ["bit_answers", "bit_parts"]

BITS = 32  # of a word: products of a step


def bit_parts(settings, network):
    """Return the arithmetic, layers and words of a binary network folded into bits."""
    from lnsarith.commands.rtl.core.layers import told
    from nets.binary.fold import fold

    packed = fold(network)
    if packed.entry.threshold is None:
        raise FormatError("a core of bits takes pixels of one bit, and this network pixels of "
                          f"{packed.entry.planes}; train with binarize_input threshold")
    images = _images(packed)
    arithmetic = _arithmetic(packed, images, told(settings, ("binarize_input",)))
    made = [_layer(arithmetic, layer, image) for layer, image in zip(packed.layers, images)]
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


def _images(packed) -> list[tuple[int, int]]:
    """Return of the image that each layer takes its positions, and the bits of each."""
    found, image = [], (1, packed.entry.pixels)
    for layer in packed.layers:
        if layer.window:
            height, width, channels = layer.window.shape
            image = height * width, channels
        found.append(image)
        last = layer.pool or layer.window
        image = (int(np.prod(last.out)) if last else 1), layer.units
    return found


def _words(bits: int) -> int:
    """Return the words of so many bits."""
    return -(-bits // BITS)


def _taps(layer, image: tuple[int, int]) -> int:
    """Return how many positions of an image one sum takes."""
    return layer.window.size**2 if layer.window else image[0]


def _arithmetic(packed, images, settings):
    from fxp.operators.xnor import xnor_popcount
    from fxp.trace.circuit import trace
    from verilog.core.inference.arithmetic import Arithmetic
    from verilog.core.parts.lane import Sums
    from verilog.core.parts.word import Word

    f = Fixed.parse(f"ufixed{BITS}.0")
    layers, last = packed.layers, packed.layers[-1]
    span = 0, max(BITS * _words(image[1]) * _taps(layer, image)
                  for layer, image in zip(layers, images))
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
    every = (("every", 0, 1),) if any(layer.pool for layer in layers) else ()
    parameters = Word((("threshold", *threshold), ("bias", *bias), *every))
    pixels = tuple(int(v > packed.entry.threshold) for v in range(256))
    return Arithmetic(Word((("word", *f.words),)), pixels, sums, ended, None,
                      trace(lambda word: word + 0, {"word": score}, name="order"),
                      parameters=parameters, score=Word((("word", *score),)), packed=BITS,
                      least="every" if every else "", settings=settings)


def _layer(arithmetic, layer, image: tuple[int, int]):
    """Return the words of a layer, each of bits of one position; bits that a position lacks
    differ from those of its image."""
    from nets.binary.windows import unpacked
    from verilog.core.inference.arithmetic import Layer
    from verilog.core.inference.form import dense_form

    positions, channels = image
    bits = unpacked(layer.rows, layer.depth).astype(np.int64)
    taps = bits.reshape(layer.units, _taps(layer, image), channels)
    filled = np.pad(taps, ((0, 0), (0, 0), (0, -channels % BITS)), constant_values=1)
    words = filled.reshape(layer.units, -1, BITS) @ (np.int64(1) << np.arange(BITS))
    none = np.zeros(layer.units, np.int64)
    fields = {"threshold": none if layer.thresholds is None else layer.thresholds,
              "bias": none if layer.biases is None else layer.biases,
              "every": none if layer.every is None else layer.every}
    rows = arithmetic.parameters.rows({k: fields[k] for k in arithmetic.parameters.names})
    form = _form(layer, _words(channels)) if layer.window else dense_form(
        positions * _words(channels), layer.units)
    return Layer(np.ascontiguousarray(words.T), None, rows, positions * channels, form)


def _form(layer, words: int):
    """Return the form of a convolution of so many words of bits a position."""
    from lnsarith.commands.rtl.core.layers import window_form
    from verilog.core.inference.form import Form

    form = window_form(layer.window, layer.units, Form)
    return replace(form, channels=words, pool=layer.pool.size if layer.pool else 1)
