"""Operators in floats against the tests that ship in the onnx package, and the quantisers
against values worked out by hand."""

from collections import Counter

import numpy as np
import pytest

from benchmarks.onnx.operators import results
from nets.graph.graph import Unsupported
from nets.graph.operators.quantisers import bipolar, limits, quant, thresholds, trunc

ONE, ZERO = np.float32(1), np.float32(0)
# Cases whose operators are all supported; those of the first kind are also in integers.
LEAST = {"node": 380, "pytorch-converted": 78, "pytorch-operator": 29}


@pytest.mark.parametrize("kind", list(LEAST))
def test_no_operator_test_of_onnx_fails(kind):
    found = results(kind)
    assert {name: text for name, text in found.items() if text.startswith("failed")} == {}
    counts = Counter(text.partition(":")[0] for text in found.values())
    assert counts["passed"] >= LEAST[kind]
    reasons = [text for text in found.values() if text.startswith("not supported")]
    assert all(len(text) > len("not supported: ") for text in reasons)


TIES = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.3, -0.3], np.float32)
ROUNDED = {
    "ROUND": [-2, -2, 0, 0, 2, 2, 0, 0], "half_even": [-2, -2, 0, 0, 2, 2, 0, 0],
    "FLOOR": [-3, -2, -1, 0, 1, 2, 0, -1], "CEIL": [-2, -1, 0, 1, 2, 3, 1, 0],
    "UP": [-3, -2, -1, 1, 2, 3, 1, -1], "DOWN": [-2, -1, 0, 0, 1, 2, 0, 0],
    "HALF_UP": [-3, -2, -1, 1, 2, 3, 0, 0], "HALF_DOWN": [-2, -1, 0, 0, 1, 2, 0, 0],
}


@pytest.mark.parametrize("mode", list(ROUNDED))
def test_quant_rounds_as_its_mode_says(mode):
    a = {"signed": 1, "narrow": 0, "rounding_mode": mode}
    assert quant(a, TIES, ONE, ZERO, np.float32(8)).tolist() == ROUNDED[mode]


def test_quant_divides_in_float32():
    x = (np.arange(-2000, 2000, dtype=np.float32) + 0.5) * np.float32(0.037)
    words = quant({"signed": 1, "narrow": 0}, x, np.float32(0.037), ZERO, np.float32(16))
    divided = np.rint(x / np.float32(0.037)) * np.float32(0.037)
    times_inverse = np.rint(x * np.float32(1 / np.float32(0.037))) * np.float32(0.037)
    assert np.array_equal(words, divided) and not np.array_equal(words, times_inverse)


def test_limits_of_words_are_those_of_the_standard():
    assert limits(4, True, False) == (-8, 7) and limits(4, True, True) == (-7, 7)
    assert limits(4, False, False) == (0, 15) and limits(4, False, True) == (0, 14)
    found = quant({"signed": 1, "narrow": 0}, np.float32([-9, 9]), ONE, ZERO, np.float32(2.5))
    assert found.tolist() == [-3, 2]  # 2**1.5 is 2.83: clipped before it is rounded
    signs = quant({"signed": 1, "narrow": 0}, np.float32([-0.0, -1, 2]), ONE, ZERO, ONE)
    assert signs.tolist() == [1, -1, 1]


def test_trunc_is_told_by_its_inputs():
    x, a = np.float32([100]), {"rounding_mode": "FLOOR"}
    eight, four = np.float32(8), np.float32(4)
    assert trunc(a, x, ONE, ZERO, eight, four).tolist() == [6]
    assert trunc({"rounding_mode": "floor", "signed": 1, "narrow": 0}, x, ONE, ZERO, eight,
                 np.float32(16), four).tolist() == [96]


def test_thresholds_are_counted_in_both_layouts():
    t = np.float32([[1, 0], [10, 20]])  # in any order
    x = np.float32([[[0.5, 15.0]]])
    assert thresholds({}, x, t).tolist() == [[[1, 1]]]  # three axes: channels last
    first = np.moveaxis(x[:, None], -1, 1)  # four axes: channels second
    assert thresholds({"out_scale": 2.0, "out_bias": -1.0}, first, t).ravel().tolist() == [1, 1]
    last = thresholds({"data_layout": "NHWC"}, x[:, None], t)
    assert last.ravel().tolist() == [1, 1]


def test_what_quantisers_do_not_know_is_told():
    wrong = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND_TO_ZERO"}
    with pytest.raises(Unsupported, match="rounding_mode 'ROUND_TO_ZERO' is not supported"):
        quant(wrong, TIES, ONE, ZERO, ONE * 4)
    with pytest.raises(Unsupported, match="narrow is missing"):
        quant({"signed": 1}, TIES, ONE, ZERO, ONE * 4)
    with pytest.raises(Unsupported, match="bits must be one number, got 2"):
        quant({"signed": 1, "narrow": 0}, TIES, ONE, ZERO, np.float32([4, 8]))
    assert bipolar({}, np.float32([-0.0, -1, 3]), np.float32(0.5)).tolist() == [0.5, -0.5, 0.5]
