"""Binary networks in training: gradients, statistics, draws, bytes, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from small_digits import small

from fxp.format import FormatError
from nets.binary.fold import FoldError, fold
from nets.binary.layers import EPSILON, Head, Hidden, ShapeError
from nets.binary.losses import LOSSES
from nets.binary.network import BinaryNetwork, encode
from nets.binary.settings import BinarySettings
from nets.binary.train import BinaryTrainer, rate_at
from nets.evaluation import flat


def settings(**given):
    return BinarySettings(**{"dataset": "digits", "hidden": (24, 40), "val": 7, "batch": 10,
                             "epochs": 3, "lr": "0.02", **given})


def slopes(function, x, step=1e-4):
    """Return the derivative of a function of a float64 array, by central differences."""
    found = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        for way in (step, -step):
            moved = x.copy()
            moved[i] += way
            found[i] += function(moved) / (2 * way)
    return found


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_losses_are_their_slopes(name):
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(0, 2, (4, 3)), np.array([0, 2, 1, 1])
    expected = slopes(lambda z: LOSSES[name](z, labels)[0], logits)
    assert LOSSES[name](logits.copy(), labels)[1] == pytest.approx(expected, abs=1e-5)


def test_log_softmax_of_equal_logits_is_the_logarithm_of_their_number():
    assert LOSSES["log-softmax"](np.zeros((2, 10)), np.array([3, 4]))[0] == pytest.approx(
        np.log(10))


def test_a_hidden_layer_s_gradients_are_slopes_where_the_sign_lets_them_pass():
    rng = np.random.default_rng(2)
    layer = Hidden("layer 0", rng, 5, 3)
    layer.gamma[...], layer.beta[...] = (0.7, -1.2, 0.4), (0.1, 0, -0.3)
    x = rng.normal(0, 2, (8, 5)).round(2)
    above = rng.normal(0, 1, (8, 3)).astype(np.float32)

    def norm(x, sign, gamma, beta):
        s = x @ sign
        return gamma * (s - s.mean(axis=0)) / np.sqrt(s.var(axis=0) + EPSILON) + beta

    sign, gamma, beta = (a.astype(float) for a in (layer.sign, layer.gamma, layer.beta))
    out = layer.forward(x.astype(np.float32))
    y = norm(x, sign, gamma, beta)
    assert (out == np.where(y >= 0, 1, -1)).all()
    weight = above * (abs(y) <= 1)
    dx = layer.backward(above.copy(), True)
    parts = [(dx, x, lambda a: norm(a, sign, gamma, beta)),
             (layer.gradient, sign, lambda a: norm(x, a, gamma, beta)),
             (layer.gradients["gamma"], gamma, lambda a: norm(x, sign, a, beta)),
             (layer.gradients["beta"], beta, lambda a: norm(x, sign, gamma, a))]
    for gradient, at, function in parts:
        expected = slopes(lambda a, f=function: (weight * f(a)).sum(), at)
        assert gradient == pytest.approx(expected, abs=2e-4)


def test_a_head_s_gradients_are_slopes():
    rng = np.random.default_rng(3)
    head = Head("layer 1", rng, 6, 3, 6)
    x, above = np.sign(rng.normal(size=(4, 6))), rng.normal(size=(4, 3))
    head.forward(x.astype(np.float32))
    dx = head.backward(above.astype(np.float32), True)
    scale = float(head.scale)
    assert dx == pytest.approx(slopes(lambda a: (above * scale * (a @ head.sign)).sum(), x),
                               abs=1e-4)
    expected = slopes(lambda a: (above * np.exp(a) * scale * (x @ head.sign)).sum(), np.zeros(1))
    assert head.gradients["log_scale"] == pytest.approx(expected, abs=1e-4)
    assert head.gradients["bias"] == pytest.approx(above.sum(axis=0), abs=1e-5)


def test_running_statistics_come_near_those_of_a_batch_seen_often():
    layer = Hidden("layer 0", np.random.default_rng(4), 9, 5)
    x = np.sign(np.random.default_rng(5).normal(size=(30, 9))).astype(np.float32)
    for _ in range(200):
        layer.forward(x)
    sums = x @ layer.sign
    assert layer.mean == pytest.approx(sums.mean(axis=0), abs=1e-6)
    assert layer.variance == pytest.approx(sums.var(axis=0, ddof=1), abs=1e-5)


def test_pixels_become_bits_by_threshold_by_probability_or_not_at_all():
    pixels = np.repeat(np.array([[0, 127, 128, 255]], np.uint8), 4000, axis=0)
    assert encode(pixels[:1], settings()).tolist() == [[-1, -1, 1, 1]]
    assert encode(pixels[:1], settings(threshold=126)).tolist() == [[-1, 1, 1, 1]]
    assert encode(pixels[:1], settings(binarize_input="none")).tolist() == [[-255, -1, 1, 255]]
    chance = settings(binarize_input="probability")
    assert encode(pixels[:1], chance).tolist() == [[-1, -1, 1, 1]]  # the likelier bit
    rng = np.random.default_rng(6)
    first, second = (encode(pixels, chance, rng) for _ in range(2))
    assert (first[:, 0] == -1).all() and (first[:, 3] == 1).all()
    assert (first > 0).mean(axis=0)[1:3] == pytest.approx([127 / 255, 128 / 255], abs=0.04)
    assert (first != second).mean() > 0.2  # drawn anew


@pytest.mark.parametrize("given", [{}, {"binarize_input": "probability", "dropout": "0.2"},
                                   {"binarize_input": "none", "dropout_input": "0.1",
                                    "loss": "squared-hinge", "shift": 1}, {"hidden": ()}])
def test_a_run_that_goes_on_has_the_arrays_of_one_that_was_not_stopped(given):
    whole, first, second = (BinaryTrainer(settings(**given), small(60)) for _ in range(3))
    records = [whole.train_epoch() for _ in range(3)]
    first.train_epoch()
    second.network.restore(first.network.state(), first.network.step)
    second.epoch = 1
    for record in records[1:]:
        assert second.train_epoch().loss == record.loss
    for name, array in whole.network.state().items():
        assert array.tobytes() == second.network.state()[name].tobytes(), name


def test_each_epoch_has_an_order_and_draws_of_its_own(monkeypatch):
    trainer, seen = BinaryTrainer(settings(binarize_input="probability"), small(60)), []

    def watch(pixels, labels, rate, rng):
        seen.append((labels.tolist(), encode(pixels, trainer.settings, rng).tolist()))
        return 0.0, 0

    monkeypatch.setattr(trainer.network, "train", watch)
    trainer.train_epoch(), trainer.train_epoch()
    orders = [[label for labels, _ in seen[k:k + 5] for label in labels] for k in (0, 5)]
    assert orders[0] != orders[1]
    assert len(orders[0]) == 50 and len(seen) == 10
    assert seen[0][1] != seen[5][1]


def test_latent_weights_stay_in_range_and_signs_follow_them():
    trainer = BinaryTrainer(settings(lr="0.5"), small(60))
    record = trainer.train_epoch()
    for layer in trainer.network.layers:
        assert abs(layer.w).max() == 1 and set(np.unique(layer.sign)) == {-1, 1}
        assert ((layer.w < 0) == (layer.sign < 0)).all()
    assert 0 < record.kept < 1


@pytest.mark.parametrize("how", ["threshold", "probability", "none"])
def test_a_network_learns_and_its_bits_predict_the_same(how):
    trainer = BinaryTrainer(settings(binarize_input=how, hidden=(100, 40), epochs=12, val=100),
                            small(1442, 355))
    for _ in range(12):
        record = trainer.train_epoch()
    assert record.test_accuracy > (0.9 if how == "none" else 0.8)
    images, network = trainer.test[0], trainer.network
    packed = fold(network)
    assert (packed.predict(images) == network.logits(images).argmax(axis=1)).all()
    counts = packed.answers(images)[-1]
    assert (2 * counts - packed.layers[-1].span == network.sums(images)).all()


def test_images_are_moved_by_whole_pixels_only_when_asked():
    still = BinaryTrainer(settings(), small(30))
    assert (still._seen(np.arange(5), np.random.default_rng(0)) == still.images[:5]).all()
    moving = BinaryTrainer(settings(shift=1), small(30))
    seen = moving._seen(np.zeros(200, int), np.random.default_rng(0)).reshape(-1, 8, 8)
    own = np.pad(moving.images[0].reshape(8, 8), 1)
    allowed = {own[i:i + 8, j:j + 8].tobytes() for i in range(3) for j in range(3)}
    assert {image.tobytes() for image in seen} == allowed


def test_rates_begin_and_end_as_they_are_set():
    for schedule, middle in (("cosine", 0.0105), ("exponential", 0.02 * 0.05**0.5),
                             ("constant", 0.02)):
        s = settings(epochs=4, schedule=schedule, lr_last="0.001")
        assert rate_at(s, 0) == pytest.approx(0.02)
        assert rate_at(s, 2) == pytest.approx(middle)
        assert rate_at(s, 4) == pytest.approx(0.02 if schedule == "constant" else 0.001)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_no_number_is_told_with_its_cure():
    trainer = BinaryTrainer(settings(hidden=()), small(60))
    trainer.network.head.log_scale[...] = np.inf
    record = trainer.train_epoch()
    assert record.loss is None
    assert record.warnings[0].startswith("loss: it is not a finite number any more; a smaller lr")
    with pytest.raises(FoldError, match="layer 0 holds values that are not finite numbers"):
        fold(trainer.network)


@pytest.mark.parametrize("labels, message", [
    (np.array([0, 10]), r"labels must be 0\.\.9, got 10"),
    (np.array([-1, 3]), r"labels must be 0\.\.9, got -1"),
    (np.array([1.0, 2.0]), "labels must be integers, got float64"),
    (np.array([1]), r"2 images need 2 labels, got an array of shape \(1,\)")])
def test_labels_that_cannot_be(labels, message):
    network = BinaryNetwork(settings(), 64, 10, np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        network.train(np.zeros((2, 64), np.uint8), labels, 0.1, np.random.default_rng(0))


def test_shapes_that_do_not_fit_name_the_layer_and_both_shapes():
    network = BinaryNetwork(settings(), 64, 10, np.random.default_rng(0))
    message = "layer 0 takes rows x 64, for its weights are 64 x 24, got 3 x 63"
    with pytest.raises(ShapeError, match=message):
        network.logits(np.zeros((3, 63), np.uint8))
    with pytest.raises(ShapeError, match="layer 2 takes rows x 40, .* got 3 x 24"):
        network.head.sums(np.zeros((3, 24), np.float32))
    state = {**network.state(), "1.w": np.zeros((2, 2), np.float32)}
    with pytest.raises(ValueError, match=r"1.w should be float32 \(24, 40\), is float32 \(2, 2\)"):
        network.restore(state, 0)


@pytest.mark.parametrize("given, message", [
    ({"binarize_input": "maybe"}, "binarize_input must be one of threshold, probability, none"),
    ({"loss": "hinge"}, "loss must be one of log-softmax, squared-hinge, got 'hinge'"),
    ({"threshold": 255}, "threshold must be 0..254"),
    ({"binarize_input": "none", "threshold": 3}, "only with binarize_input threshold"),
    ({"hidden": (0,)}, "hidden must be 1..16384"), ({"batch": 1}, "batch must be 2..65536"),
    ({"lr": "0"}, "lr must be above 0"), ({"dropout": "1"}, "dropout must be in 0..1")])
def test_settings_that_cannot_be(given, message):
    with pytest.raises(FormatError, match=message):
        settings(**given)


def test_a_validation_set_must_leave_images_to_train_on():
    with pytest.raises(ValueError, match="digits has 30, got val 29; use --val 5"):
        BinaryTrainer(settings(val=29), small(30))


def test_the_colours_of_a_pixel_are_moved_together():
    grey = small(30)
    colours = replace(grey, train_images=np.repeat(grey.train_images[..., None], 3, axis=3))
    trainer = BinaryTrainer(settings(shift=1), colours)
    seen = trainer._seen(np.arange(20), np.random.default_rng(0)).reshape(20, 8, 8, 3)
    assert (seen[..., :1] == seen).all()


def test_flat_images_are_rows():
    assert flat(np.zeros((3, 4, 5), np.uint8)).shape == (3, 20)
