"""What is known of one setting: its group, its help, and the values that it may have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from fxp.format import FormatError, check_integer
from nets.settings.parsing import parse_real

__all__ = ["GROUPS", "About", "about", "group"]

# The groups in the order in which they are shown, each with what it is about.
GROUPS = {
    "data": "images, and what is done to them before the network sees them",
    "network": "layers, activations, first weights",
    "arithmetic": "number systems and formats",
    "sums": "how long sums are formed",
    "updates": "how a step changes the words of weights",
    "soft-max": "the integer soft-max of words",
    "min-selector": "products replaced by the smaller operand",
    "SPINDLE": "activations fitted to what flows into them",
    "optimiser": "loss, rate and regularisation",
    "run": "how much is trained, in which order",
}


@dataclass(frozen=True)
class About:
    """What a setting says of itself.

    choices are all the texts that it may be ("" is left out in help: it follows others);
    span the lowest and highest integer; number tells that it is a real written as text:
    "real" (0 or more), "positive", or "share" (below 1). unit stands for the value in
    help. first marks the few that most people need.
    """

    group: str
    text: str
    choices: tuple[str, ...] = ()
    span: tuple[int, int] | None = None
    number: str = ""
    unit: str = ""
    first: bool = False

    @property
    def metavar(self) -> str:
        """What stands for the value in help: the choices, or the unit."""
        if self.choices:
            return "{" + ",".join(filter(None, self.choices)) + "}"
        return self.unit or ("X" if self.number else "N" if self.span else "TEXT")

    def check(self, name: str, value) -> None:
        """Raise FormatError unless a setting of this name may have the value."""
        if self.choices and value not in self.choices:
            raise FormatError(f"{name} must be one of {', '.join(filter(None, self.choices))}, "
                              f"got {value!r}")
        if self.span:
            for one in value if isinstance(value, tuple) else (value,):
                check_integer(name, one, *self.span)
        if self.number:
            number = parse_real(name, value)
            if self.number == "share" and number >= 1:
                raise FormatError(f"{name} must be below 1, got {value!r}")
            if self.number == "positive" and not number:
                raise FormatError(f"{name} must be above 0, got {value!r}")


def group(name: str) -> Callable[..., Any]:
    """Return what makes dataclass fields of this group: of a default, a text and what
    else `About` has."""
    return partial(_setting, name)


def about(setting) -> About:
    """Return what a dataclass field says of itself."""
    return setting.metadata["about"]


def _setting(name: str, default, text: str, **more) -> Any:
    assert name in GROUPS
    return field(default=default, metadata={"about": About(name, text, **more)})
