"""Training images moved and mirrored, and the order in which they come."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.small_digits import small

from nets.data.augment import mirrored, moved
from nets.settings.suited import settings_for
from nets.train.trainer import Trainer


def colours(count: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, 4, 5, 3), dtype=np.uint8)


def trainer(**given) -> Trainer:
    base = {"dataset": "digits", "arith": "lns12", "val": 10, "batch": 8, "hidden": (4,)}
    return Trainer(settings_for({**base, **given}), small(60))


def words(t: Trainer) -> dict[str, np.ndarray]:
    return {k: t.network.ar.words(v).copy() for k, v in t.network.kept().items()}


def test_an_image_is_moved_as_a_whole_to_every_place_in_reach():
    image = colours(1)
    seen = moved(np.repeat(image, 300, axis=0), 1, 7, np.random.default_rng(0))
    wide = np.full((6, 7, 3), 7, np.uint8)
    wide[1:5, 1:6] = image[0]
    allowed = {wide[i:i + 4, j:j + 5].tobytes() for i in range(3) for j in range(3)}
    assert {i.tobytes() for i in seen} == allowed


def test_about_half_of_the_images_are_mirrored_left_to_right():
    images = colours(400)
    seen = mirrored(images, np.random.default_rng(0))
    turned = [(i[:, ::-1] == s).all() for i, s in zip(images, seen)]
    same = [(i == s).all() for i, s in zip(images, seen)]
    assert all(a != b for a, b in zip(turned, same))
    assert 150 < sum(turned) < 250


def test_what_comes_in_at_a_side_is_what_the_network_sees_as_zero():
    t = trainer(shift=8, input_mean="0.47", arith="float32")
    t._rng = np.random.default_rng(1)
    blank = np.zeros_like(t.images[:9])
    t.images[:9] = blank
    assert set(t._seen(slice(0, 9)).ravel().tolist()) == {0, 120}


@pytest.mark.parametrize("given", [{"shift": 1}, {"flip": "yes"}, {"shuffle": "epoch"}])
def test_what_is_drawn_depends_on_the_seed_and_the_epoch_alone(given):
    through, again = trainer(**given), trainer(**given)
    through.train_epoch()
    for k, t in again.network.kept().items():
        again.network.ar.set_words(t, words(through)[k])
    again.epoch, again.network.ar.step = 1, through.network.ar.step
    through.train_epoch()
    again.train_epoch()
    plain = trainer()
    plain.train_epoch()
    plain.train_epoch()
    assert all((words(through)[k] == v).all() for k, v in words(again).items())
    assert any((words(through)[k] != v).any() for k, v in words(plain).items())


def test_each_epoch_has_every_image_once_in_another_order():
    t = trainer(shuffle="epoch")
    orders = []
    for _ in range(2):
        t.train_epoch()
        orders.append(t._order.tolist())
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(len(t.labels)))


def test_images_in_colour_are_moved_too():
    grey = small(60)
    coloured = replace(grey, train_images=np.repeat(grey.train_images[..., None], 3, 3),
                       test_images=np.repeat(grey.test_images[..., None], 3, 3))
    t = Trainer(settings_for({"dataset": "digits", "val": 10, "shift": 1, "flip": "yes",
                              "hidden": (4,)}), coloured)
    t._rng = np.random.default_rng(0)
    seen = t._seen(slice(0, 20)).reshape(20, 8, 8, 3)
    assert (seen == seen[..., :1]).all() and (seen != t.images[:20].reshape(seen.shape)).any()
