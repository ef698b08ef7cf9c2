"""Small gradients of words: what is lost of them moves what batch norm takes out, so running
statistics lag; a loss of a larger scale keeps them."""

import numpy as np
import pytest

from fxp.format import FormatError
from nets.arithmetic.choose import make_arithmetic
from nets.network.network import mlp
from nets.settings.settings import Settings
from nets.settings.suited import settings_for
from nets.train.trainer import build

WIDE = [{"arith": "lns26.18", "delta": "interp:r=1/64,dmax=20",
         "softmax_delta": "lut:r=1/4096,dmax=12,index=truncate,sample=mid"},
        {"arith": "fixed32.20", "gradients": "fixed32.22", "update": "nearest"}]


def imbalance(arith, **more):
    """Return, over all convolutions with batch norm behind them, the largest share of the
    gradient of a channel that is a shift of all its numbers."""
    s = settings_for({"model": "resnet8", "arith": arith, **more})
    net = build(s, (16, 16, 3), 10, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    net.ar.step = 1
    net.program(16, True).run(rng.integers(0, 256, (16, 768)).astype(np.uint8),
                              rng.integers(0, 10, 16))
    found = []
    for layer, behind in zip(net.layers, net.layers[1:]):
        if "variance" in behind.kept():
            dy = net.ar.reals(layer.bound[16][1]).reshape(-1, behind.layer.shape[2])
            found.append(np.abs(dy.sum(0)) / np.abs(dy).sum(0).clip(1e-30))
    assert len(found) == 7
    return max(float(np.median(shares)) for shares in found)


@pytest.mark.parametrize(("arith", "most"), [("lns16", 0.01), ("fixed16", 0.015)])
def test_gradients_behind_a_batch_norm_shift_nothing(arith, most):
    assert imbalance(arith) < most


def step(options, up):
    """Return what a few steps with momentum, decay and a clip make of a layer."""
    s = Settings(batch=6, lr="0.25", momentum="0.5", weight_decay="0.125", clip="0.03",
                 l1="0.02", hidden=(), loss_scale=up, **options)
    net = mlp(make_arithmetic(s), np.random.default_rng(3), 12, (), 4, 0.3)
    rng = np.random.default_rng(2)
    for net.ar.step in (1, 2, 3):
        net.program(6, True).run(rng.integers(0, 256, (6, 12)).astype(np.uint8),
                                 rng.integers(0, 4, 6))
    return {k: net.ar.reals(t) for k, t in net.parameters().items()}


@pytest.mark.parametrize("options", WIDE, ids=lambda o: o["arith"])
def test_a_step_does_not_depend_on_the_scale_of_the_loss(options):
    plain, scaled = step(options, 0), step(options, 6)
    for name in plain:
        np.testing.assert_allclose(scaled[name], plain[name], rtol=0, atol=2e-4, err_msg=name)


@pytest.mark.parametrize("arith", ["lns12", "fixed12"])
def test_scaled_steps_are_the_same_compiled_and_in_numpy(arith):
    found = []
    for backend in ("vector", "numpy"):
        s = Settings(arith=arith, batch=4, hidden=(), loss_scale=7, momentum="0.5")
        net = mlp(make_arithmetic(s, 1, backend), np.random.default_rng(3), 9, (), 3, 0.3)
        for net.ar.step in (1, 2):
            net.program(4, True).run(np.arange(36, dtype=np.uint8).reshape(4, 9) * 7,
                                     np.arange(4) % 3)
        found.append([net.ar.words(t) for t in net.kept().values()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_floats_refuse_a_scale():
    with pytest.raises(FormatError, match="loss_scale = 3 has a meaning only with lns or fixed"):
        settings_for({"arith": "float32", "loss_scale": 3})
