"""Differing bits counted by the compiled tiles: every shape against plain integers."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.front_door import ROOT
from hypothesis import example, given, settings
from hypothesis import strategies as st
from oracles.binary import equal_bits

from fxp.run.popcount import BitLayer, pack_bits, words_of


def packed(bits):
    """Return rows of 0 and 1 as words, and as numbers."""
    words = np.zeros((len(bits), words_of(bits.shape[1])), np.uint64)
    pack_bits(bits, words)
    numbers = [sum(int(b) << i for i, b in enumerate(row)) for row in bits]
    return words, numbers


def check_shape(images, units, bits, planes, seed):
    """Compare counts and fires of random rows with the oracle's."""
    rng = np.random.default_rng(seed)
    w, weights = packed(rng.integers(0, 2, (units, bits), np.uint8))
    x, inputs = packed(rng.integers(0, 2, (images * planes, bits), np.uint8))
    x = x.reshape(images, -1)
    differ = [[sum((bits - equal_bits(inputs[i * planes + k], row, bits)) << (planes - 1 - k)
                   for k in range(planes)) for row in weights] for i in range(images)]
    assert BitLayer(w, planes)(x).tolist() == differ
    span = bits * ((1 << planes) - 1)
    limits = rng.integers(-1, span, units, endpoint=True)
    fired = BitLayer(w, planes, limits)(x)
    assert fired.shape == (images, words_of(units))
    numbers = [int.from_bytes(row.astype("<u8").tobytes(), "little") for row in fired]
    assert numbers == [sum(int(d <= limit) << j for j, (d, limit) in enumerate(zip(row, limits)))
                       for row in differ]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(1, 70), st.integers(1, 200), st.sampled_from([1, 2, 8]),
       st.integers(0, 99))
@example(1, 1, 1, 1, 0)
@example(4, 32, 64, 1, 0)
@example(5, 33, 65, 8, 0)
def test_counts_and_fires_are_those_of_plain_integers(images, units, bits, planes, seed):
    check_shape(images, units, bits, planes, seed)


@pytest.mark.parametrize("bits", [1, 63, 64, 65, 784])
@pytest.mark.parametrize("mask, limit", [(255, 127), (255, 0), (255, 254), (128, 0), (1, 0)])
def test_packed_bits_are_comparisons(bits, mask, limit):
    values = np.random.default_rng(bits).integers(0, 256, (7, bits), np.uint8)
    words = np.full((7, words_of(bits)), 1, np.uint64)
    pack_bits(values, words, mask, limit)
    expected = np.zeros((7, 64 * words.shape[1]), np.uint8)
    expected[:, :bits] = (values & mask) > limit
    assert words.astype("<u8").view(np.uint8).tolist() == np.packbits(
        expected, axis=1, bitorder="little").tolist()


@pytest.mark.parametrize("processor", ["haswell", "x86-64"])
def test_other_processors_count_alike(processor):
    if os.uname().machine != "x86_64":
        pytest.skip("names processors of another kind")
    code = "import test_binary_kernel as t; t.check_shape(5, 33, 130, 2, 1)"
    env = {**os.environ, "NUMBA_CPU_NAME": processor,
           "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests", Path(__file__).parent)))}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=120)


def test_shapes_that_do_not_fit_are_refused():
    w = np.zeros((3, 2), np.uint64)
    with pytest.raises(ValueError, match="3 units need as many limits"):
        BitLayer(w, 1, np.zeros(2, np.int64))
    with pytest.raises(ValueError, match="4 images need 4 x 2 words, got 4 x 3"):
        BitLayer(w)(np.zeros((4, 3), np.uint64))
