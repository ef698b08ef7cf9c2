"""Momentum, schedules, clipping, L1 and Adam: against formulas in float64, bit by bit, and
over interruptions."""

from fractions import Fraction

import numpy as np
import pytest
from helpers.front_door import DIGITS, answer, assert_one_line, call
from helpers.small_digits import settings, small

from fxp.format import FormatError
from nets.arithmetic.choose import make_arithmetic
from nets.network.network import mlp
from nets.settings.schedule import rate_factor
from nets.settings.settings import Settings
from nets.train.trainer import Trainer

WIDE = {
    "float32": {"arith": "float32"},
    "lns": {"arith": "lns26.18", "delta": "interp:r=1/64,dmax=20",
            "softmax_delta": "lut:r=1/4096,dmax=12,index=truncate,sample=mid"},
    "fixed": {"arith": "fixed26.20", "gradients": "fixed26.24", "update": "nearest"},
}
WAYS = [
    {"momentum": "0.875"},
    {"momentum": "0.5", "weight_decay": "0.25", "l1": "0.02"},
    {"clip": "0.05"},
    {"l1": "0.05", "weight_decay": "0.125"},
    {"schedule": "exponential:.5", "weight_decay": "0.25", "l1": "0.02"},
    {"schedule": "linear", "momentum": "0.75", "clip": "0.03"},
]


def network(options, backend="vector"):
    settings = Settings(dataset="digits", batch=6, lr="0.25", hidden=(),
                        **{"weight_decay": "0", **options})
    ar = make_arithmetic(settings, 1, backend)
    return mlp(ar, np.random.default_rng(3), 20, (), 4, 0.3)


def batch(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (6, 20)).astype(np.uint8), rng.integers(0, 4, 6)


def train(net, batches=6):
    program = net.program(6, True)
    for i in range(batches):
        net.ar.step += 1
        net.ar.factor = rate_factor(net.ar.settings.schedule, i, batches)
        program.run(*batch(i))
    return {k: net.ar.reals(t) for k, t in net.parameters().items()}


def formulas(net, s, batches=6):
    """Do the same in float64, as the definitions have it."""
    w = {k: net.ar.reals(t).copy() for k, t in net.parameters().items()}
    v, square = ({k: np.zeros_like(a) for k, a in w.items()} for _ in range(2))
    for i in range(batches):
        pixels, labels = batch(i)
        x = pixels / 255
        z = x @ w["0.w"] + w["0.b"]
        p = np.exp(z - z.max(axis=1, keepdims=True))
        d = (p / p.sum(axis=1, keepdims=True) - np.eye(4)[labels]) / 6
        rate = 0.25 * float(rate_factor(s.schedule, i, batches))
        clip = float(s.clip) or np.inf
        for k, g in (("0.w", x.T @ d), ("0.b", d.sum(axis=0, keepdims=True))):
            g = np.clip(g, -clip, clip) + float(s.weight_decay) * w[k]
            g = g + float(s.l1) * np.sign(w[k])
            if s.optimizer == "adam":
                v[k] = 0.9 * v[k] + 0.1 * g
                square[k] = 0.999 * square[k] + 0.001 * g**2
                mean, size = v[k] / (1 - 0.9 ** (i + 1)), square[k] / (1 - 0.999 ** (i + 1))
                g = mean / (np.sqrt(size) + 1e-8)
            else:
                g = v[k] = float(s.momentum) * v[k] + g
            w[k] -= rate * g
    return w


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("name", WIDE)
def test_a_step_is_what_its_formula_says(name, way):
    options = {**WIDE[name], **way}
    net, other = network(options), network(options)
    expected = formulas(other, other.ar.settings)
    for k, found in train(net).items():
        np.testing.assert_allclose(found, expected[k], atol=6e-3)
        assert abs(found - net.ar.reals(other.parameters()[k])).max() > 0.02  # it did move


def test_clipping_by_norm_scales_all_gradients_alike():
    free, bound = (network({"arith": "float64", "clip_norm": c}) for c in ("0", "0.125"))
    before = {k: free.ar.reals(t).copy() for k, t in free.parameters().items()}
    moves = []
    for net in (free, bound):
        after = train(net, 1)
        moves.append(np.concatenate([(after[k] - before[k]).ravel() for k in before]))
    assert np.linalg.norm(moves[1]) == pytest.approx(0.25 * 0.125)
    assert np.linalg.norm(moves[0]) > 0.1
    np.testing.assert_allclose(moves[1] / np.linalg.norm(moves[1]),
                               moves[0] / np.linalg.norm(moves[0]), atol=1e-12)


def test_adam_is_what_its_formula_says():
    options = {"arith": "float32", "optimizer": "adam"}
    other = network(options)
    expected = formulas(other, other.ar.settings)
    for k, found in train(network(options)).items():
        np.testing.assert_allclose(found, expected[k], atol=1e-4)


@pytest.mark.parametrize("arith", ["float32", "float64"])
@pytest.mark.parametrize("way", [{}, {"l1": "0.02", "weight_decay": "0.25", "clip": "0.05"},
                                 {"clip_norm": "0.1"}], ids=str)
def test_compiled_adam_takes_the_steps_of_numpy_to_the_bit(arith, way):
    uneven = {"arith": arith, "optimizer": "adam", "schedule": "exponential:.7"}
    nets = [network({**uneven, **way}, backend) for backend in ("vector", "numpy")]
    for net in nets:
        net.ar.set_words(net.parameters()["0.b"], np.array([[0, -0.0, 1, -1]]))
        train(net)
    ours, theirs = ({k: net.ar.words(t) for k, t in net.kept().items()} for net in nets)
    assert {"0.w.mean", "0.w.square"} < ours.keys()
    for k in ours:
        assert ours[k].tobytes() == theirs[k].tobytes(), k


NARROW = [{}, {"arith": "lns12", "update": "stochastic"}, {"arith": "fixed16"},
          {"arith": "fixed12"}, {"arith": "fixed16", "update": "nearest"}]


@pytest.mark.parametrize("way", [WAYS[1], WAYS[4], WAYS[5]], ids=str)
@pytest.mark.parametrize("options", NARROW, ids=str)
def test_compiled_steps_write_the_words_of_numpy_integers(options, way):
    nets = [network({**options, **way}, backend) for backend in ("vector", "numpy")]
    for net in nets:
        train(net)
    words = [{k: net.ar.words(t) for k, t in net.kept().items()} for net in nets]
    assert words[0].keys() == words[1].keys()
    assert ("0.w.velocity" in words[0]) == ("momentum" in way)
    for k in words[0]:
        np.testing.assert_array_equal(words[0][k], words[1][k])


@pytest.mark.parametrize("given", [
    ("--momentum", "0.9"),
    ("--arith", "fixed16", "--momentum", ".5", "--schedule", "step:1"),
    ("--arith", "float32", "--optimizer", "adam", "--lr", ".001"),
])
def test_a_run_goes_on_with_what_its_steps_keep(given, tmp_path):
    whole = answer(*DIGITS, *given, "--epochs", 4, "--out", "a", cwd=tmp_path)
    answer(*DIGITS, *given, "--epochs", 2, "--out", "b", cwd=tmp_path)
    parts = answer(*DIGITS, *given, "--epochs", 4, "--out", "b", "--resume", cwd=tmp_path)
    assert parts["model_sha256"] == whole["model_sha256"]
    assert answer("eval", "b", cwd=tmp_path)["test_accuracy"] == whole["test_accuracy"]


def test_schedules_fall_from_one():
    assert [rate_factor("constant", e, 4) for e in range(4)] == [1] * 4
    assert [rate_factor("step:2", e, 4) for e in range(4)] == [1, 1, Fraction(1, 10)] + [
        Fraction(1, 10)]
    assert [rate_factor("linear", e, 4) for e in range(4)] == [1 - Fraction(e, 4) for e in range(4)]
    assert float(rate_factor("exponential:0.5", 3, 9)) == 0.125
    half = [float(rate_factor("cosine", e, 4)) for e in range(4)]
    assert half == pytest.approx([1, 0.8535534, 0.5, 0.1464466])


def test_schedules_end_where_they_are_told_to_and_can_change_within_an_epoch():
    low = Fraction(1, 10)
    assert [rate_factor("linear", e, 4, low) for e in range(5)] == [
        low + (1 - low) * (1 - Fraction(e, 4)) for e in range(5)]
    for schedule, middle in (("cosine", 0.55), ("exponential", 0.1**0.5), ("linear", 0.55)):
        found = [float(rate_factor(schedule, Fraction(e, 2), 3, low)) for e in (0, 3, 6, 7)]
        assert found == pytest.approx([1, middle, 0.1, 0.1], abs=1e-6)
    for schedule, last, words in (("constant", low, "lr_last has a meaning only with schedule"),
                                  ("cosine", Fraction(2), "lr_last must not be above lr"),
                                  ("exponential", Fraction(0), "lr_last, which must be above 0")):
        with pytest.raises(FormatError, match=words):
            rate_factor(schedule, 0, 3, last)


@pytest.mark.parametrize("by, count", [("epoch", 1), ("batch", 5)])
def test_a_rate_changes_with_each_epoch_or_each_batch(by, count):
    s = settings(arith="float32", schedule="linear", schedule_by=by, epochs=2, hidden=(),
                 val=7, batch=10)
    trainer, seen = Trainer(s, small(57)), []
    trainer.network.ar.last_calls = lambda: [lambda: seen.append(trainer.network.ar.factor)]
    trainer.train_epoch(), trainer.train_epoch()
    assert sorted(set(seen), reverse=True) == [1 - Fraction(i, 2 * count)
                                               for i in range(2 * count)]


@pytest.mark.parametrize("text", ["", "step", "step:0", "exponential:1", "cosine:2"])
def test_another_schedule_is_refused(text):
    with pytest.raises(FormatError, match="schedule must be constant, cosine, linear, step:N"):
        rate_factor(text, 0, 1)


@pytest.mark.parametrize(("given", "words"), [
    (("--momentum", "1"), ("momentum must be below 1",)),
    (("--optimizer", "adam"), ("optimizer = adam", "float32", "lns16")),
    (("--optimizer", "adam", "--arith", "float32", "--momentum", ".5"), ("momentum", "adam")),
])
def test_what_contradicts_itself_is_refused_in_one_line(given, words, tmp_path):
    code, _, err = call("train", *given, cwd=tmp_path)
    assert code == 2
    assert_one_line(err, *words)
