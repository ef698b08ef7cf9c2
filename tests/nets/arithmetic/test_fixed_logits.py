"""Fixed-point logits in a format of their own, and the pull on their mean."""

from fractions import Fraction

import numpy as np
import pytest

from fxp.format import Fixed, FormatError
from nets.arithmetic.choose import make_arithmetic
from nets.arithmetic.fixed.softmax import FixedSoftmax
from nets.network.network import mlp
from nets.settings.settings import Settings
from nets.settings.suited import settings_for

GIVEN = {"dataset": "digits", "arith": "fixed12", "weights": "fixed12.9", "logits": "fixed18.6"}


def bound(backend, **more):
    """Return a network without hidden units and its program for four images."""
    settings = Settings(**{**GIVEN, "batch": 4, "hidden": (), **more})
    ar = make_arithmetic(settings, 1, backend)
    network = mlp(ar, np.random.default_rng(3), 20, (), 26, 4.0)
    return network, network.program(4, True)


def ran(program, seed=0):
    images = np.random.default_rng(seed).integers(0, 256, (4, 20)).astype(np.uint8)
    program.run(images, np.array([0, 25, 7, 7]))


def rounded(value: Fraction, f: Fixed) -> int:
    return max(f.low, min(f.high, round(value * (1 << f.frac))))  # round: ties to even


def test_a_logit_is_the_exact_sum_in_its_own_format():
    network, program = bound("vector")
    ar, own = network.ar, network.layers[0].parameters()
    w, b = (ar.words(own[k]).copy() for k in ("w", "b"))
    ran(program)
    x = ar.words(program.x)
    wanted = [[rounded(sum((Fraction(int(p) * int(q), 1 << 16) for p, q in zip(row, column)),
                           Fraction(int(bias), 1 << 9)), Fixed(18, 6))
               for column, bias in zip(w.T, b[0])] for row in x]
    assert ar.words(program.logits).tolist() == wanted
    assert max(map(max, wanted)) > Fixed(12, 7).high >> 1  # beyond the activations' 16


def test_backends_agree_on_the_step():
    seen = []
    for backend in ("vector", "numpy"):
        network, program = bound(backend, softmax_free=0, softmax_pull=3)
        ran(program)
        ran(program, 1)
        seen.append([network.ar.words(t).tolist() for t in network.parameters().values()])
    assert seen[0] == seen[1]


@pytest.mark.parametrize("shift, free", [(0, 0), (40, 0), (40, 30), (-100, 20)])
def test_a_gradient_has_the_excess_of_the_mean(shift, free):
    logits, gradients, rows, pull = Fixed(18, 7), Fixed(20, 18), 2, 4
    unit = FixedSoftmax(logits, gradients, "lut:r=1/4096,dmax=12,index=truncate,sample=mid", pull,
                        free)
    a = np.random.default_rng(1).normal(size=26) * 2 + shift
    words = np.rint(a * 128).astype(np.int64)
    a = words / 128
    p = np.exp(a - a.max())
    p /= p.sum()
    t = a / np.log(2)
    excess = t.mean() - np.clip(t.mean(), -free, free)
    linear = [int(unit.linear(int(w))) for w in words]
    s = linear[0]
    for value in linear[1:]:
        s = unit.log_add(s, value)
    for j in range(26):
        got = unit.gradient(linear[j], s, int(j == 5), (1 << 14) // rows, sum(linear) // 26)
        real = (p[j] - (j == 5) + excess / (1 << pull)) / rows
        assert abs(int(got) / (1 << 18) - np.clip(real, -2, 2)) < 1e-3


def test_pull_and_logits_are_refused_where_they_mean_nothing():
    for given in ({"arith": "lns12", "logits": "fixed16.7"},
                  {"arith": "float32", "logits": "fixed16.7"},
                  {"arith": "minselect16", "logits": "fixed20.11"},
                  {"arith": "fixed12", "softmax_pull": 8},
                  {"arith": "fixed12", "logits": "lns16"},
                  {"arith": "fixed12", "logits": "fixed8.8"}):
        with pytest.raises(FormatError):
            settings_for({"dataset": "digits", **given})
    settings_for({"arith": "fixed12", "logits": "fixed16.7", "softmax_pull": 6})


def test_without_logits_of_their_own_nothing_is_pulled():
    unit = make_arithmetic(Settings(arith="fixed16")).softmax_unit
    assert unit.pull == 0 and "mean" not in unit.circuits(10)["gradient"].inputs
    unit = make_arithmetic(Settings(arith="fixed16", logits="fixed20.11")).softmax_unit
    assert unit.pull == 8 and "mean" in unit.circuits(10)["gradient"].inputs
