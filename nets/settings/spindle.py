"""The activation spindle in the settings: its function stands in them as text.

    activation = spindle:FILE    the fitted function of a file, in every hidden layer
    activation = spindle         logistic kernels, all of them together g(x) at first
    spindle    = frozen, tuned (by gradient), or fitted to what flows in: first (before
                 the first epoch), once (after it) or online (before each); by default
                 frozen with a file, else online
"""

from __future__ import annotations

from fxp.format import Fixed, FormatError
from fxp.operators.spindle import Spindle
from lnsarith.spindle.file import named_function, parse_function
from lnsarith.spindle.kernels import Kernels

__all__ = ["MODES", "activation_kind", "check_spindle", "function_of", "mode_of",
           "with_function"]

MODES = ("", "frozen", "tuned", "first", "once", "online")
PREFIX = "spindle:"


def activation_kind(activation: str) -> str:
    """Return spindle for spindle:..., other activations as they are."""
    return "spindle" if activation.startswith(PREFIX) else activation


def mode_of(s) -> str:
    """Return whether and how the activation spindle of settings changes."""
    return s.spindle or ("frozen" if s.activation.startswith(PREFIX) else "online")


def function_of(s) -> Spindle | Kernels:
    """Return the function that the activation spindle begins with; FormatError if there is
    none."""
    if s.activation.startswith(PREFIX):
        return parse_function(s.activation.removeprefix(PREFIX))
    count = 1 if mode_of(s) == "tuned" else s.spindle_kernels  # equal ones would stay equal
    return Kernels(((1 / count, 1.0, 0.0),) * count)


def with_function(given: dict) -> dict:
    """Return given settings with the function of spindle:FILE in the place of the file's
    name, so that a run needs the file no more. FormatError where it has none."""
    text = str(given.get("activation", ""))
    if not text.startswith(PREFIX):
        return given
    return {**given, "activation": PREFIX + named_function(text.removeprefix(PREFIX))}


def check_spindle(s, f) -> None:
    """Raise FormatError for settings of the activation spindle that contradict others; f is
    the format of activations, None of floats."""
    if activation_kind(s.activation) != "spindle":
        if s.spindle or s.spindle_kernels != 2:
            name = "spindle" if s.spindle else "spindle_kernels"
            raise FormatError(f"{name} = {getattr(s, name)} has a meaning only with activation "
                              f"spindle, not with {s.activation}")
        return
    own, mode, function = s.activation.startswith(PREFIX), mode_of(s), function_of(s)
    if f is not None:
        _check_words(s, f, function, own)
    if not own and mode == "frozen":
        raise FormatError("spindle = frozen takes a function: activation spindle:FILE")
    if mode in ("first", "once", "online") and isinstance(function, Spindle):
        raise FormatError(f"spindle = {mode} fits kernels, and {s.activation[:40]}... are units; "
                          "give kernels, or activation spindle alone")
    if s.spindle_kernels != 2 and (own or mode == "tuned"):
        raise FormatError("spindle_kernels has a meaning only with activation spindle alone that "
                          "is fitted to what flows in")


def _check_words(s, f, function: Spindle | Kernels, own: bool) -> None:
    if not isinstance(f, Fixed) or s.mode == "paper":
        what = f"{s.arith} in mode paper" if s.mode == "paper" else s.arith
        raise FormatError("activation spindle goes with float32, float64 and fixed-point "
                          f"arithmetic, not with {what}")
    if mode_of(s) != "frozen":
        raise FormatError(f"spindle = {mode_of(s)} goes with float32 arithmetic; {s.arith} takes "
                          "units: activation spindle:FILE")
    if isinstance(function, Kernels) and own:
        raise FormatError(f"activation spindle: kernels go with float32 arithmetic, not with "
                          f"{s.arith}; lnsarith spindle fit --function FILE fits units to them")
    try:
        if isinstance(function, Spindle):
            function.at(f)
    except FormatError as error:
        raise FormatError(f"activation spindle: {error}; lnsarith spindle fit --step sets how "
                          "fine knees are") from None
