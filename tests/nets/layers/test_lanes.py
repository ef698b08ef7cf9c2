"""Convolutions in float32 over lanes against sums of gathered patches in float64."""

import numpy as np
import pytest

from nets.arithmetic.choose import make_arithmetic
from nets.arithmetic.tensor import Tensor
from nets.layers.lanes import convolution as lanes
from nets.layers.spatial import gather
from nets.layers.spatial.conv import Conv2d
from nets.layers.window import Window
from nets.settings.settings import Settings
from nets.settings.suited import settings_for
from nets.train.trainer import build

WINDOWS = {
    "valid": Window("conv1", (6, 5, 3), 3),
    "same": Window("conv1", (5, 4, 2), 3, 1, "same"),
    "strided": Window("conv1", (7, 6, 2), 3, 2, "same"),
    "even": Window("conv1", (6, 6, 1), 2, 2),
}


def stepped(arith: str, window: Window, images: int, channels: int):
    """Return y, dx, w and b of a layer after a step, twice: buffers are used again."""
    ar = make_arithmetic(Settings(arith=arith, lr="0.1", weight_decay="0"))
    rng = np.random.default_rng(3)
    layer = Conv2d(ar, rng, window, channels, 0.3)
    x, dy = (Tensor({"value": rng.standard_normal((images, n)).astype(ar.dtype)}, n, "activations")
             for n in (int(np.prod(window.shape)), int(np.prod(layer.shape))))
    y, calls = layer.forward(ar, x)
    dx, more = layer.backward(ar, x, dy, True)
    for call in (calls + more) * 2:
        call()
    return [ar.reals(t) for t in (y, dx, layer.w, layer.b)]


@pytest.mark.parametrize("images", [8, 16, 70])
@pytest.mark.parametrize("channels", [1, 4, 6])
@pytest.mark.parametrize("window", WINDOWS)
def test_lanes_give_what_gathered_patches_give(window, channels, images):
    one, other = (stepped(a, WINDOWS[window], images, channels) for a in ("float32", "float64"))
    for name, a, b in zip(("y", "dx", "w", "b"), one, other):
        np.testing.assert_allclose(a, b, rtol=0, atol=3e-5, err_msg=name)


def test_lanes_serve_batches_in_compiled_float32_alone():
    for arith, backend, images, ways in (
            ("float32", "vector", 8, lanes), ("float32", "vector", 7, gather),
            ("float32", "numpy", 8, gather), ("float64", "vector", 8, gather)):
        ar = make_arithmetic(Settings(arith=arith), 1, backend)
        layer = Conv2d(ar, np.random.default_rng(0), WINDOWS["same"], 2, 0.3)
        assert layer._ways(ar, images) is ways


@pytest.mark.parametrize("arith", ["float32", "float64"])
def test_threads_do_not_change_floats(arith, monkeypatch):
    for where in ("nets.layers.lanes.convolution", "nets.arithmetic.real.arithmetic"):
        monkeypatch.setattr(f"{where}.WORTH_A_THREAD", 1)
    monkeypatch.setattr("nets.layers.spatial.pooling.WORTH_A_PART", 1)
    one, *others = (trained(arith, threads) for threads in (1, 2, 3))
    for other in others:
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def trained(arith: str, threads: int) -> list[np.ndarray]:
    """Return the parameters of LeNet-5 after two steps of 40 images."""
    settings = settings_for({"model": "lenet5", "arith": arith, "batch": 40})
    rng = np.random.default_rng(0)
    net = build(settings, (28, 28, 1), 10, rng, threads)
    for _ in range(2):
        net.ar.step += 1
        net.program(40, True).run(rng.integers(0, 256, (40, 784), np.uint8),
                                  rng.integers(0, 10, 40))
    return [net.ar.reals(t) for t in net.parameters().values()]
