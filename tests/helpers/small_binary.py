"""Settings of small binary networks, and images for them."""

from helpers.small_digits import small

from nets.data.sets import Dataset
from nets.settings.suited import settings_for


def settings(**given):
    given = {"model": "bnn", "hidden": (24, 40), **given}
    if given["model"].startswith("lenet"):
        given = {k: v for k, v in given.items() if k != "hidden"}
    return settings_for({"dataset": "digits", "arith": "binary", "val": 7, "batch": 10,
                         "epochs": 3, "lr": "0.02", **given})


def large(count=60, test=20):
    """Return images of 16 x 16, as lenet5 takes them: digits, each pixel four times."""
    data = small(count, test)
    train, seen = (a.repeat(2, axis=1).repeat(2, axis=2)
                   for a in (data.train_images, data.test_images))
    return Dataset("digits", train, data.train_labels, seen, data.test_labels, 10)
