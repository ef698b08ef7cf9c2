"""Networks with branches: the same words compiled and in NumPy, resnet8 as MLPerf Tiny has it."""

import numpy as np
import pytest
from helpers import small_convolutions as small

from nets.arithmetic.choose import make_arithmetic
from nets.layers.spatial.branches import Add, GlobalAverage
from nets.network.models import MODELS, Builder
from nets.settings.settings import Settings

SHAPE = (9, 9, 1)


def branched(b):
    b.normal = True
    entry = b.conv(4, 3, 2, "same").active().here
    one = b.conv(4, 3, padding="same").norm().here
    b.branch(entry).conv(4, 1).join(one).active(False)
    return b.join(entry).global_average()


def networks(options):
    for backend in ("vector", "numpy"):
        net = small.network(options, branched, backend=backend, shape=SHAPE)
        yield net


@pytest.mark.parametrize("options", [{"arith": "lns12"}, {"arith": "fixed12.7"},
                                     {"arith": "lns12", "guard": 2, "update": "stochastic"}])
def test_training_gives_the_same_words_compiled_and_in_numpy(options):
    pixels, labels = small.batch(6, shape=SHAPE)
    found = []
    for net in networks(options):
        before = {k: net.ar.words(t).copy() for k, t in net.parameters().items()}
        for net.ar.step in (1, 2):
            net.program(6, True).run(pixels, labels)
        found.append({k: net.ar.words(t).copy() for k, t in net.kept().items()})
        assert all((found[-1][k] != v).any() for k, v in before.items() if k.endswith(".w"))
    assert found[0].keys() == found[1].keys()
    for name in found[0]:
        assert np.array_equal(found[0][name], found[1][name]), name


@pytest.mark.parametrize(("model", "weights", "adds"), [("resnet8", 78_000, 3),
                                                        ("resnet20", 273_000, 9)])
def test_residual_networks_have_the_published_size(model, weights, adds):
    ar = make_arithmetic(Settings(arith="float32"))
    b = Builder(ar, np.random.default_rng(0), (32, 32, 3), lambda n, _: 0.1, normal=True)
    MODELS[model](b, 10)
    count = sum(t.rows * t.columns for layer in b.layers for t in layer.parameters().values())
    assert abs(count - weights) < 0.02 * weights
    assert sum(isinstance(layer, Add) for layer in b.layers) == adds


def test_shapes_that_do_not_meet_are_told():
    ar = make_arithmetic(Settings(arith="float32"))
    b = Builder(ar, np.random.default_rng(0), (8, 6, 2), lambda n, _: 0.1)
    entry = b.here
    with pytest.raises(ValueError, match="add1: adds images of one shape, got 4 x 3 x 2 and 8 x 6"):
        b.conv(2, 1, 2).join(entry)
    with pytest.raises(ValueError, match="pool9: averages square images, got 8 x 6 x 2"):
        GlobalAverage("pool9", (8, 6, 2))


def test_what_takes_layers_in_a_row_refuses_branches():
    net = small.network({"arith": "float32"}, branched, shape=SHAPE)
    with pytest.raises(ValueError, match="quantize takes layers in a row; this network has branc"):
        net.require_chain("quantize")
