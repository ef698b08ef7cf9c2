"""Sigmoids of each class's own in LNS: against real numbers, compiled as in NumPy, and learning."""

import math

import numpy as np
import pytest

from fxp.format import FormatError
from nets.arithmetic.choose import make_arithmetic
from nets.data.sets import load
from nets.settings.settings import Settings
from nets.settings.suited import settings_for
from nets.train.trainer import Trainer


def _run(backend, z, labels, **given):
    ar = make_arithmetic(Settings(loss="sigmoid", **given), backend=backend)
    logits, d = (ar.empty(*z.shape, role) for role in ("activations", "gradients"))
    table = ar.words(logits)
    table[...] = _words(ar, z)
    ar.set_words(logits, table)
    stats = np.zeros(4, np.int64)
    ar.loss(logits, labels, d, stats)()
    return ar.reals(logits), ar.reals(d), stats, ar


def _words(ar, z):
    """Return the words nearest to reals, by the definition of the format."""
    f = ar.formats["activations"]
    logs = np.rint(np.log2(np.abs(z)) * (1 << f.frac)).astype(int) & ((1 << (f.bits - 1)) - 1)
    return np.where(z < 0, logs - (1 << (f.bits - 1)), logs).astype(f.dtype)


@pytest.mark.parametrize("backend", ["numpy", "vector"])
def test_gradients_and_loss_are_those_of_real_sigmoids(backend):
    rng = np.random.default_rng(0)
    z = rng.normal(0, 3, (40, 7))
    labels = rng.integers(7, size=40)
    # With exact sums, logs are off by two units at most, 0.14 %.
    a, d, stats, ar = _run(backend, z, labels, arith="lns16", softmax_delta="exact")
    assert abs(a - z).max() < 0.01
    p = 1 / (1 + np.exp(-a))
    hot = np.arange(7) == labels[:, None]
    wanted = (p - hot) / 40
    assert abs(d - wanted).max() < 0.002 / 40
    assert (np.sign(d) == np.where(hot, -1, 1)).mean() > 0.99
    loss = -np.log2(np.where(hot, p, 1 - p)).sum()
    assert stats[0] / (1 << ar.frac) == pytest.approx(loss, rel=2e-3)
    assert stats[1] == (a.argmax(axis=1) == labels).sum()
    assert stats[2] / (1 << ar.frac) == pytest.approx(a.sum() * math.log2(math.e), abs=0.3)


def test_compiled_words_are_those_of_numpy():
    rng = np.random.default_rng(1)
    z, labels = rng.normal(0, 8, (60, 10)), rng.integers(10, size=60)
    for given in ({"arith": "lns12"}, {"arith": "lns9.4", "gradients": "lns8.2"}):
        plain, fast = (_run(b, z, labels, **given)[1:3] for b in ("numpy", "vector"))
        assert (plain[0] == fast[0]).all() and (plain[1] == fast[1]).all()


def test_a_network_learns_with_them():
    trainer = Trainer(settings_for({"dataset": "digits", "arith": "lns12", "loss": "sigmoid",
                                    "hidden": (20,), "epochs": 4}), load("digits"))
    records = [trainer.train_epoch() for _ in range(4)]
    assert records[-1].loss < records[0].loss and records[-1].test_accuracy > 0.8


@pytest.mark.parametrize("given, said", [
    ({"arith": "fixed16", "loss": "sigmoid"}, "loss = sigmoid"),
    ({"arith": "lns12", "loss": "mse"}, "loss = mse"),
    ({"arith": "lns12", "loss": "sigmoid", "softmax_pull": 4}, "softmax_pull has a meaning only"),
])
def test_what_has_no_meaning_is_refused(given, said):
    with pytest.raises(FormatError, match=said):
        settings_for(given)
