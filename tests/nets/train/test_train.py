"""The trainer: what it computes, what it counts, what it warns of."""

from dataclasses import asdict

import numpy as np
import pytest
from helpers.front_door import answer, call
from helpers.small_digits import settings, small

from nets.arithmetic.choose import make_arithmetic
from nets.data.sets import load
from nets.network.network import mlp
from nets.settings.settings import Settings
from nets.settings.suited import settings_for
from nets.train.trainer import Trainer, evaluate


def words(network):
    return {n: network.ar.words(t).copy() for n, t in network.parameters().items()}


def assert_same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


ARITHMETICS = [
    {"arith": "lns16"},
    {"arith": "lns12", "update": "stochastic"},
    {"arith": "fixed16"},
    {"arith": "fixed12", "mode": "paper"},
    {"arith": "float32"},
]


@pytest.mark.parametrize("given", ARITHMETICS, ids=lambda g: "-".join(g.values()))
def test_an_epoch_is_the_plain_loop_over_batches(given):
    s, dataset = settings(hidden=(8,), val=10, batch=5, seed=3, **given), small()
    trainer = Trainer(s, dataset)
    for _ in range(2):
        trainer.train_epoch()
    rng = np.random.default_rng(3)
    order = rng.permutation(47)[:37]
    network = mlp(make_arithmetic(s), rng, 64, (8,), 10, 0.1)
    programs = network.program(5, True), network.program(2, True)
    for _ in range(2):
        for i in range(0, 37, 5):
            batch = order[i : i + 5]
            network.ar.step += 1
            programs[len(batch) < 5].run(
                dataset.train_images[batch].reshape(len(batch), 64),
                dataset.train_labels[batch],
            )
    assert_same(words(trainer.network), words(network))
    assert trainer.network.ar.step == 16


def test_the_record_counts_every_image_once():
    s, dataset = settings(hidden=(8,), val=10, batch=5, lr="2^-60"), small()
    trainer = Trainer(s, dataset)
    seen = []
    record = trainer.train_epoch(lambda *report: seen.append(report))
    # With such a rate no weight moves, so that an evaluation sees what training saw.
    every = evaluate(trainer.network, trainer.images, trainer.labels)
    assert record.train_accuracy == every.accuracy
    assert record.loss == pytest.approx(every.loss)
    assert seen[-1] == (37, record.loss, record.train_accuracy)
    assert (
        record.test_accuracy
        == evaluate(trainer.network, dataset.test_images, dataset.test_labels).accuracy
    )


def test_training_and_validation_images_are_all_images_shuffled_by_the_seed():
    dataset = small()
    parts = {}
    for seed in (0, 1):
        t = Trainer(settings(val=10, seed=seed), dataset)
        parts[seed] = np.concatenate([t.images, t.held[0]])
        assert len(t.images) == len(t.labels) == 37 and t.images.flags.c_contiguous
    flat = dataset.train_images.reshape(47, 64)
    for images in parts.values():
        assert sorted(map(bytes, images)) == sorted(map(bytes, flat))
    assert (parts[0] != parts[1]).any()


def test_a_batch_larger_than_the_training_set_is_all_of_it():
    trainer = Trainer(settings(val=10, batch=1000), small())
    trainer.train_epoch()
    assert trainer.network.ar.step == 1


def test_without_validation_images_there_is_no_validation_accuracy():
    record = Trainer(settings(val=0), small()).train_epoch()
    assert record.val_accuracy is None and record.drift is not None


def test_one_training_image_must_be_left():
    assert len(Trainer(settings(val=46), small()).labels) == 1
    with pytest.raises(ValueError, match="digits has 47, got val 47; use --val 7"):
        Trainer(settings(val=47), small())


def test_both_backends_train_the_same_words():
    s = settings(hidden=(8,), val=10, arith="lns12", update="stochastic")
    trained = []
    for backend in ("vector", "numpy"):
        trainer = Trainer(s, small(), backend=backend)
        record = trainer.train_epoch()
        values = asdict(record)
        values.pop("seconds"), values.pop("images_per_second")
        trained.append((words(trainer.network), values))
    assert_same(trained[0][0], trained[1][0])
    assert trained[0][1] == trained[1][1]


def test_evaluation_counts_what_it_predicts_in_any_split():
    dataset = load("digits")
    trainer = Trainer(settings(), dataset)
    trainer.train_epoch()
    images = np.concatenate([dataset.train_images, dataset.test_images])
    labels = np.concatenate([dataset.train_labels, dataset.test_labels])
    whole = evaluate(trainer.network, images, labels)  # 1,797: 500 a batch, and a rest
    assert whole.correct == (whole.predicted == labels).sum() > 900
    alone = [
        evaluate(trainer.network, images[i : i + 1], labels[i : i + 1])
        for i in range(0, 1797, 300)
    ]
    assert [a.predicted[0] for a in alone] == whole.predicted[::300].tolist()


def test_digits_are_learned_with_the_defaults(tmp_path):
    result = answer("train", "--dataset", "digits", cwd=tmp_path)
    assert result["test_accuracy"] >= 0.95
    assert (tmp_path / result["run"] / "curves.png").stat().st_size > 1000
    assert call("eval", result["run"], cwd=tmp_path)[0] == 0


def test_what_suits_a_data_set_gives_way_to_what_is_given():
    assert settings_for({"dataset": "digits"}).val == 200
    assert settings_for({"dataset": "digits", "val": 9}).val == 9
    assert settings_for({}) == Settings()
