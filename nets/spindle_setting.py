"""The setting activation = spindle:..., whose function stands in it as text."""

from __future__ import annotations

from fxp.format import Fixed, FormatError
from fxp.spindle import Spindle
from lnsarith.spindle_file import named_function, parse_function
from lnsarith.spindle_kernels import Kernels

__all__ = ["activation_kind", "check_spindle", "function_of", "with_function"]

PREFIX = "spindle:"


def activation_kind(activation: str) -> str:
    """Return spindle for spindle:..., other activations as they are."""
    return "spindle" if activation.startswith(PREFIX) else activation


def function_of(activation: str) -> Spindle | Kernels:
    """Return the function of spindle:...; FormatError if there is none."""
    return parse_function(activation.removeprefix(PREFIX))


def with_function(given: dict) -> dict:
    """Return given settings with the function of spindle:FILE in the place of the file's
    name, so that a run needs the file no more. FormatError where it has none."""
    text = str(given.get("activation", ""))
    if not text.startswith(PREFIX):
        return given
    return {**given, "activation": PREFIX + named_function(text.removeprefix(PREFIX))}


def check_spindle(activation: str, arith: str, mode: str, f) -> None:
    """Raise FormatError where a network whose activations have the format f (None: floats)
    cannot have this activation, spindle:..."""
    function = function_of(activation)
    if f is None:
        return
    if not isinstance(f, Fixed) or mode == "paper":
        what = f"{arith} in mode paper" if mode == "paper" else arith
        raise FormatError("activation spindle goes with float32, float64 and fixed-point "
                          f"arithmetic, not with {what}")
    if isinstance(function, Kernels):
        raise FormatError(f"activation spindle: kernels go with float32 arithmetic, not with "
                          f"{arith}; lnsarith spindle fit --function FILE fits units to them")
    try:
        function.at(f)
    except FormatError as error:
        raise FormatError(f"activation spindle: {error}; lnsarith spindle fit --step sets how "
                          "fine knees are") from None
