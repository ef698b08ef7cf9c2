"""What the training of a binary network is made of."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from fxp.format import FormatError, check_integer
from nets.settings import parse_real

__all__ = ["BinarySettings"]

CHOICES = {
    "model": ("bnn",),
    "binarize_input": ("threshold", "probability", "none"),
    "loss": ("log-softmax", "squared-hinge"),
    "schedule": ("cosine", "exponential", "constant"),
}
RANGES = {
    "threshold": (0, 254),
    "shift": (0, 4),
    "batch": (2, 1 << 16),
    "epochs": (1, 100000),
    "val": (0, 1 << 24),
    "seed": (0, (1 << 32) - 1),
}


@dataclass(frozen=True)
class BinarySettings:
    """The network, its input, the optimiser and the schedule of a run.

    binarize_input: a pixel of 0..255 is 1 above `threshold` (threshold), or 1 with
    the probability pixel / 255, drawn anew whenever an image is trained on, while
    images that are only looked at have their likelier bit (probability), or it is
    the integer 2 pixel - 255, eight bits -1 and 1 of weights 1, 2, .. 128 (none).
    shift moves each training image by up to so many pixels; 0, the default, does
    not. lr goes to lr_last over the epochs. Raises FormatError for values that
    cannot be.
    """

    dataset: str = "mnist"
    model: str = "bnn"
    hidden: tuple[int, ...] = (256, 256, 256)
    binarize_input: str = "threshold"
    threshold: int = 127
    loss: str = "log-softmax"
    dropout_input: str = "0"
    dropout: str = "0"
    shift: int = 0
    lr: str = "0.03"
    lr_last: str = "1e-6"
    schedule: str = "cosine"
    batch: int = 100
    epochs: int = 50
    val: int = 10000
    seed: int = 0

    def __post_init__(self):
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise FormatError(f"{name} must be one of {', '.join(choices)}, "
                                  f"got {getattr(self, name)!r}")
        for name, (low, high) in RANGES.items():
            check_integer(name, getattr(self, name), low, high)
        for units in self.hidden:
            check_integer("hidden", units, 1, 1 << 14)
        for name in ("lr", "lr_last"):
            if not parse_real(name, getattr(self, name)):
                raise FormatError(f"{name} must be above 0, got {getattr(self, name)!r}")
        for name in ("dropout_input", "dropout"):
            if parse_real(name, getattr(self, name)) >= 1:
                raise FormatError(f"{name} must be in 0..1, 1 not among them, "
                                  f"got {getattr(self, name)!r}")
        if self.binarize_input != "threshold" and self.threshold != 127:
            raise FormatError("threshold has a meaning only with binarize_input threshold, "
                              f"not with {self.binarize_input}")

    @property
    def planes(self) -> int:
        """How many bits stand for a pixel."""
        return 8 if self.binarize_input == "none" else 1

    def real(self, name: str) -> float:
        """Return a setting that is written as a number."""
        return float(parse_real(name, getattr(self, name)))

    def resolved(self) -> dict:
        """Return every setting as plain values, defaults included."""
        return {**dataclasses.asdict(self), "hidden": list(self.hidden)}
