"""One training step, bit by bit: compiled kernels against NumPy integers against floats."""

import numpy as np
import pytest

from nets.arithmetic.choose import make_arithmetic
from nets.network.models import make_activation, make_network
from nets.network.network import mlp
from nets.settings.settings import Settings

ARITHMETICS = {
    "lns16": {},
    "lns12": {"arith": "lns12"},
    "exact": {"delta": "exact", "arith": "lns12"},
    "balanced": {"delta": "balanced"},
    "fine table": {"delta": "lut:r=1/8,dmax=12"},
    "guard bits": {"arith": "lns12", "guard": 3},
    "tree": {"order": "tree"},
    "smallest": {"underflow": "smallest"},
    "stochastic": {"arith": "lns12", "update": "stochastic"},
    "mixed": {"weights": "lns16", "activations": "lns12", "gradients": "lns13.7"},
    "no decay": {"weight_decay": "0", "lr": "0.01"},
    "fixed16": {"arith": "fixed16"},
    "fixed12": {"arith": "fixed12"},
    "fixed nearest": {"arith": "fixed16", "update": "nearest", "lr": "0.01"},
    "fixed limited": {"arith": "fixed12", "accumulator": "limited24"},
    "fixed each": {"arith": "fixed16", "accumulator": "each"},
    "minselect16": {"arith": "minselect16"},
    "minselect12": {"arith": "minselect12", "statistics": "tensor", "momentum": "0.5"},
    "minselect unclipped": {"arith": "minselect16", "clip_operands": "no", "gain": "1.5"},
    "minselect shifts": {"arith": "minselect16", "scales": "power-of-two", "update": "nearest"},
    "minselect sub": {"arith": "minselect16", "backward": "sub", "momentum": "0.5",
                      "gradients": "fixed16.15", "schedule": "cosine"},
    "minselect sub unclipped": {"arith": "minselect12", "backward": "sub", "clip_operands": "no"},
    "fixed spindle": {"arith": "fixed16", "activation": "spindle:offset=1/8,-1:+2^-2,3/2:-2^-3,"
                      "1/2:-2^-4:left,1/4:+2^-5:left"},
}


def network(options, threads=1, backend="vector", hidden=(40, 7)):
    settings = Settings(dataset="digits", batch=6, hidden=hidden, **options)
    ar = make_arithmetic(settings, threads, backend)
    if settings.selects:
        return make_network(ar, np.random.default_rng(3), settings, (8, 8), 10)
    active = make_activation(ar, settings)
    return mlp(ar, np.random.default_rng(3), 64, hidden, 10, 0.3, lambda: [active()])


def batch(rows=6, seed=5):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (rows, 64)).astype(np.uint8)
    return np.where(rng.random(pixels.shape) < 0.6, 0, pixels), rng.integers(0, 10, rows)


def steps(net, count=3, rows=6):
    """Train a few batches; return every word that the program holds."""
    program = net.program(rows, True)
    for i in range(count):
        net.ar.step += 1
        program.run(*batch(rows, i))
    tensors = [*program.values, program.gradient, *net.parameters().values()]
    return [net.ar.words(t).copy() for t in tensors] + [program.stats.copy()]


@pytest.mark.parametrize("name", ARITHMETICS)
def test_a_compiled_step_writes_the_words_of_numpy_integers(name):
    compiled = steps(network(ARITHMETICS[name]))
    integers = steps(network(ARITHMETICS[name], backend="numpy"))
    for fast, plain in zip(compiled, integers, strict=True):
        np.testing.assert_array_equal(fast, plain)


@pytest.mark.parametrize("name", ["lns16", "guard bits", "fixed16", "fixed12"])
def test_lanes_of_any_width_write_the_same_words(name, monkeypatch):
    narrow = steps(network(ARITHMETICS[name]))
    import fxp.compile.cache
    import fxp.run.execute

    monkeypatch.setattr(fxp.run.execute, "_KERNELS", {})
    monkeypatch.setattr(fxp.compile.cache, "_width", lambda plan: 64)
    for a, b in zip(narrow, steps(network(ARITHMETICS[name])), strict=True):
        np.testing.assert_array_equal(a, b)


def test_threads_do_not_change_words(monkeypatch):
    import fxp.run.execute

    monkeypatch.setattr(fxp.run.execute, "WORTH_A_THREAD", 1)
    one = steps(network({}), rows=50)
    two = steps(network({}, threads=2), rows=50)
    three = steps(network({}, threads=3), rows=50)
    for a, b, c in zip(one, two, three, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def float_step(options, rows=6):
    """Return parameters before, gradients by finite differences of the float64 loss."""
    net = network(options)
    w = {k: net.ar.reals(t).copy() for k, t in net.parameters().items()}
    pixels, labels = batch(rows, 0)
    x = pixels / 255

    def loss(params):
        h = x
        for i in (0, 2, 4):
            h = h @ params[f"{i}.w"] + params[f"{i}.b"]
            h = np.where(h < 0, h * 2.0**-7, h) if i < 4 else h
        shifted = h - h.max(axis=1, keepdims=True)
        return (np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(rows), labels]).mean()

    rng = np.random.default_rng(0)
    picked = {}
    for name, values in w.items():
        for place in rng.integers(0, values.size, 12):
            up, down = ({**w, name: values.copy()} for _ in range(2))
            up[name].flat[place] += 1e-5
            down[name].flat[place] -= 1e-5
            picked[name, int(place)] = (loss(up) - loss(down)) / 2e-5
    return net, w, picked, loss(w)


@pytest.mark.parametrize(("options", "tolerance"), [
    ({"arith": "lns26.18", "delta": "interp:r=1/16,dmax=20",
      "softmax_delta": "lut:r=1/4096,dmax=12,index=truncate,sample=mid"}, 2e-3),
    ({"arith": "lns20.14", "delta": "exact"}, 2e-2),
    ({"arith": "fixed26.20", "gradients": "fixed26.24"}, 2e-2),
    ({"arith": "float32"}, 2e-3),
])
def test_gradients_are_those_of_the_real_loss(options, tolerance):
    rate = {"lr": "1", "weight_decay": "0"}
    update = {"update": "nearest"} if options["arith"].startswith("fixed") else {}
    net, before, gradients, loss = float_step({**options, **rate, **update})
    program = net.program(6, True)
    program.run(*batch(6, 0))
    assert program.stats[0] / 6 / 2**net.ar.frac * np.log(2) == pytest.approx(loss, rel=1e-2)
    scale = max(abs(g) for g in gradients.values())
    for (name, place), gradient in gradients.items():
        moved = net.ar.reals(net.parameters()[name]).flat[place] - before[name].flat[place]
        assert -moved == pytest.approx(gradient, rel=tolerance, abs=tolerance * scale)


def test_words_survive_a_round_trip_through_files():
    for options in ({}, {"arith": "fixed12"}, {"arith": "float32"}):
        net = network(options)
        for t in net.parameters().values():
            words = net.ar.words(t).copy()
            net.ar.set_words(t, np.zeros_like(words))
            assert not np.array_equal(net.ar.words(t), words)
            net.ar.set_words(t, words)
            np.testing.assert_array_equal(net.ar.words(t), words)


def test_initial_weights_have_the_deviation_asked_for():
    for options in ({}, {"arith": "lns12"}, {"arith": "lns24.16"}, {"arith": "fixed16"}):
        net = network(options, hidden=(400,))
        values = net.ar.reals(net.parameters()["0.w"])
        assert values.std() == pytest.approx(0.3, rel=0.02)
        assert abs(values.mean()) < 0.01
        assert abs((values < 0).mean() - 0.5) < 0.02


def test_a_row_without_input_is_left_out_only_where_nothing_would_change():
    kept = network({}).ar.update_plan()
    assert kept.keep_untouched
    strong_decay = network({"weight_decay": "2^-2"}).ar.update_plan()
    assert not strong_decay.keep_untouched
