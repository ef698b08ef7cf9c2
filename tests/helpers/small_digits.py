"""A part of digits, and settings for it."""

from nets.data.sets import Dataset, load
from nets.settings.suited import settings_for


def small(count=47, test=20):
    """Return a part of digits."""
    whole = load("digits")
    return Dataset(
        "digits",
        whole.train_images[:count],
        whole.train_labels[:count],
        whole.test_images[:test],
        whole.test_labels[:test],
        10,
    )


def settings(**given):
    return settings_for({"dataset": "digits", **given})
