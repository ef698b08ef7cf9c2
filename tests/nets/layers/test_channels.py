"""Convolutions in float32 over channels against those over lanes, and against exact sums."""

import numpy as np
import pytest

from nets.arithmetic.choose import make_arithmetic
from nets.arithmetic.tensor import Tensor
from nets.layers.channels import convolution as channels
from nets.layers.lanes import convolution as lanes
from nets.layers.spatial import gather
from nets.layers.spatial.conv import Conv2d
from nets.layers.window import Window
from nets.settings.settings import Settings

WINDOWS = {
    "same": Window("conv1", (9, 7, 16), 3, 1, "same"),
    "valid": Window("conv1", (5, 13, 32), 3),
    "pixels": Window("conv1", (6, 9, 3), 5, 1, "same"),
    "strided": Window("conv1", (9, 8, 16), 3, 2, "same"),
    "left over": Window("conv1", (10, 8, 16), 3, 2),
    "one number": Window("conv1", (8, 9, 32), 1, 2, "same"),
    "between windows": Window("conv1", (11, 10, 16), 2, 3),
    "wide stride": Window("conv1", (11, 10, 16), 5, 4, "same"),
}


def stepped(ways, window: Window, outputs: int, whole: bool = False, threads: int = 1):
    """Return y, dx and the weights and bias after a step, by the kernels of a module, all run
    twice: buffers are used again. whole says that all numbers are integers."""
    ar = make_arithmetic(Settings(arith="float32", lr="1", weight_decay="0"), threads)
    rng = np.random.default_rng(3)

    def numbers(t: Tensor) -> Tensor:
        value = t.fields["value"]
        value[...] = (rng.integers(-3, 4, value.shape) if whole else
                      rng.standard_normal(value.shape))
        return t

    layer = Conv2d(ar, rng, window, outputs, 0.3)
    w, b = numbers(layer.w), numbers(layer.b)
    x = numbers(ar.empty(9, int(np.prod(window.shape)), "activations"))
    dy = numbers(ar.empty(9, int(np.prod(layer.shape)), "gradients"))
    y, dx = (ar.empty(t.rows, t.columns, t.role) for t in (dy, x))
    before = ways.convolve(ar, window, x, w, b, y)
    if channels.fits(ar, window.shape[2]):  # of pixels nobody asks for gradients
        before += ways.convolve_gradient(ar, window, dy, w, dx)
    for call in [*before * 2, *ways.descend(ar, window, w, b, x, dy) * 2]:
        call()
    return [t.fields["value"].copy() for t in (y, dx, w, b)]


@pytest.mark.parametrize("outputs", [16, 48, 64])
@pytest.mark.parametrize("window", WINDOWS)
def test_sums_and_gradients_of_numbers_are_those_over_lanes_to_the_bit(window, outputs):
    found, other = (stepped(ways, WINDOWS[window], outputs)[:2] for ways in (channels, lanes))
    for name, a, b in zip(("y", "dx"), found, other):
        np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.mark.parametrize("outputs", [16, 32])
@pytest.mark.parametrize("window", WINDOWS)
def test_a_step_of_whole_numbers_is_exact(window, outputs):
    found, other = (stepped(ways, WINDOWS[window], outputs, whole=True)
                    for ways in (channels, gather))
    for name, a, b in zip(("y", "dx", "w", "b"), found, other):
        np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.mark.parametrize("window", ["same", "strided"])
def test_threads_do_not_change_floats(window, monkeypatch):
    monkeypatch.setattr("nets.layers.channels.convolution.WORTH_A_THREAD", 1)
    one, *others = (stepped(channels, WINDOWS[window], 32, threads=n) for n in (1, 2, 3))
    for other in others:
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("arith, backend, along, ways", [
    ("float32", "vector", 16, channels), ("float32", "vector", 48, channels),
    ("float32", "vector", 24, lanes), ("float32", "vector", 0, lanes),
    ("float32", "numpy", 16, gather), ("float64", "vector", 16, gather)])
def test_channels_serve_compiled_float32_in_whole_vectors_alone(arith, backend, along, ways):
    ar = make_arithmetic(Settings(arith=arith), 1, backend)
    layer = Conv2d(ar, np.random.default_rng(0), WINDOWS["same"], 16, 0.3)
    assert layer._ways(ar, 8, along) is ways
