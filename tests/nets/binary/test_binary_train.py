"""Binary networks on the shared engine: bytes, ranges, bits that say the same."""

import hashlib

import numpy as np
import pytest
from helpers.small_binary import large, settings
from helpers.small_digits import small

from nets.arithmetic.choose import make_arithmetic
from nets.binary.fold import FoldError, fold, stages
from nets.layers.binary.layers import Sign
from nets.network.evaluation import evaluate
from nets.network.model import read_model, restore, write_model
from nets.network.models import make_network
from nets.network.probe import plain_layer
from nets.settings.suited import settings_for
from nets.train.trainer import Trainer
from nets.train.transfer import adopt


def shown(network):
    """Return the bytes of all that a model is made of."""
    return {name: network.ar.words(t).tobytes() for name, t in network.kept().items()}


@pytest.mark.parametrize("given", [
    {}, {"binarize_input": "probability", "dropout": "0.2"}, {"hidden": ()},
    {"binarize_input": "none", "dropout_input": "0.1", "loss": "squared-hinge", "shift": 1,
     "norm": "none", "clip_norm": "1"},
    {"model": "lenet5", "binarize_input": "probability"}], ids=str)
def test_a_run_that_goes_on_has_the_arrays_of_one_that_was_not_stopped(given, tmp_path):
    data = large() if given.get("model") == "lenet5" else small(60)
    whole, first, second = (Trainer(settings(**given), data) for _ in range(3))
    records = [whole.train_epoch() for _ in range(3)]
    first.train_epoch()
    write_model(tmp_path / "m.npz", first.network, 1)
    restore(second.network, read_model(tmp_path / "m.npz"), tmp_path)
    second.epoch = 1
    for record in records[1:]:
        assert second.train_epoch().loss == record.loss
    assert shown(whole.network) == shown(second.network)


def test_compiled_loops_and_numpy_train_alike():
    """Steps, signs, dropout and draws have the same bits; batch norm alone sums otherwise."""
    digests = set()
    for backend in ("vector", "numpy"):
        given = {"norm": "none", "dropout": "0.2", "dropout_input": "0.1", "l1": "0.001",
                 "binarize_input": "probability", "weight_decay": "0.01"}
        trainer = Trainer(settings(**given), small(60), 1, backend)
        trainer.train_epoch()
        digests.add(hashlib.sha256(repr(shown(trainer.network)).encode()).hexdigest())
    assert len(digests) == 1


def test_latent_weights_stay_in_range():
    for given in ({}, {"clip_norm": "1"}, {"optimizer": "sgd", "momentum": "0.9", "lr": "4"}):
        trainer = Trainer(settings(lr="0.5", **given) if "lr" not in given else settings(**given),
                          small(60))
        trainer.train_epoch()
        for stage in stages(trainer.network):
            assert abs(stage.product.w.fields["value"]).max() == 1


@pytest.mark.parametrize("given", [
    {"binarize_input": "threshold"}, {"binarize_input": "probability"},
    {"binarize_input": "none"}, {"norm": "none"}, {"hidden": ()},
    {"hidden": (), "binarize_input": "none"}], ids=str)
def test_a_network_learns_and_its_bits_predict_the_same(given):
    trainer = Trainer(settings(**{"hidden": (100, 40), "epochs": 12, "val": 100, **given}),
                      small(1442, 355))
    for _ in range(12):
        record = trainer.train_epoch()
    assert record.test_accuracy > (0.9 if given.get("binarize_input") == "none" else 0.8)
    assert_bits_say_the_same(trainer)


@pytest.mark.parametrize("given", [{}, {"binarize_input": "none"}, {"norm": "none"},
                                   {"model": "lenet-wide"}], ids=str)
def test_a_convolution_network_s_bits_predict_the_same(given):
    trainer = Trainer(settings(**{"model": "lenet5", "epochs": 2, **given}),
                      large(120, 60))
    for _ in range(2):
        trainer.train_epoch()
    for stage in stages(trainer.network):
        if hasattr(stage.norm, "gamma"):  # norms that rise, fall, and are none at all
            stage.norm.gamma.fields["value"][0, ::3] *= -1
            stage.norm.gamma.fields["value"][0, 1] = 0
    assert_bits_say_the_same(trainer)


def assert_bits_say_the_same(trainer):
    images, labels = trainer.test
    packed, network = fold(trainer.network), trainer.network
    assert (packed.predict(images) == evaluate(network, images, labels).predicted).all()
    program, layers = network.program(len(labels), False), network.layers
    program.run(images, labels)
    *bits, counts = packed.answers(images)
    assert (2 * counts - packed.layers[-1].span == network.ar.reals(program.values[-2])).all()
    signs = [network.ar.reals(y) for layer, y in zip(layers, program.values[1:])
             if isinstance(plain_layer(layer), Sign)]
    for words, layer, sign in zip(bits[1:], packed.layers[:-1], signs, strict=True):
        found = np.unpackbits(words.astype("<u8").view(np.uint8), axis=1, bitorder="little")
        assert (found[:, :layer.outputs] == (sign > 0)).all()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_no_number_is_told_with_its_cure():
    trainer = Trainer(settings(hidden=()), small(60))
    plain_layer(trainer.network.layers[-1]).log_scale.fields["value"][...] = np.nan
    record = trainer.train_epoch()
    assert record.loss is None
    assert record.warnings[0].startswith("loss: it is not a finite number any more; a smaller lr")
    with pytest.raises(FoldError, match="dense1 holds values that are not finite numbers"):
        fold(trainer.network)


def test_layers_in_another_order_have_no_bits():
    s = settings()
    network = make_network(make_arithmetic(s), np.random.default_rng(0), s, (8, 8), 10)
    network.layers[1], network.layers[0] = network.layers[0], network.layers[1]
    with pytest.raises(FoldError, match="BinaryNorm has no place there in a network of bits"):
        fold(network)


def test_dropout_of_pixels_goes_with_any_arithmetic_and_moves_nothing_else():
    for arith in ("float32", "lns16"):
        given = {"dataset": "digits", "arith": arith, "hidden": (8,), "val": 7, "batch": 10}
        plain, dropped = (Trainer(settings_for({**given, **more}), small(60))
                          for more in ({}, {"dropout_input": "0.5"}))
        first = [np.array(t.network.ar.words(t.network.parameters()[f"{i}.w"]))
                 for i, t in enumerate((plain, dropped))]
        assert np.array_equal(*first)
        record = dropped.train_epoch()
        assert list(record.gradient_norms) == ["1.w", "3.w"]
        x = dropped.network.ar.reals(dropped.network.program(10, True).values[1])
        whole = dropped.network.ar.reals(dropped.network.program(10, True).x)
        assert (x[whole > 0] == 0).mean() == pytest.approx(0.5, abs=0.15)


def test_weights_go_over_to_a_network_that_draws_its_pixels():
    data = small(60)
    source, target = (Trainer(settings(binarize_input=how), data)
                      for how in ("threshold", "probability"))
    source.train_epoch()
    adopt(target, source.network, "it")
    for name, t in target.network.parameters().items():
        assert (target.network.ar.words(t)
                == source.network.ar.words(source.network.parameters()[name])).all()
    target.train_epoch()
    assert_bits_say_the_same(target)
