"""Activations from files: the units or kernels that `lnsarith spindle fit --out` writes."""

from __future__ import annotations

import json
from pathlib import Path

from fxp.format import FormatError
from fxp.spindle import SPINDLES, Spindle
from lnsarith.spindle_kernels import Kernels

__all__ = ["named_function", "parse_function", "read_function"]


def named_function(text: str) -> str:
    """Return as text the function of a file FILE.json, or of a name or text of its own."""
    plain = text in SPINDLES or (":" in text and not text.endswith(".json"))
    return str(parse_function(text) if plain else read_function(text))


def parse_function(text: str) -> Spindle | Kernels:
    """Return the units or kernels that a text such as str() of them means."""
    return (Kernels if text.startswith("kernels=") else Spindle).parse(text)


def read_function(path: str | Path) -> Spindle | Kernels:
    """Return the units or kernels of a file; FormatError where there are none."""
    try:
        found = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise FormatError(f"{path} is no JSON ({error}), or damaged; "
                          "lnsarith spindle fit --out writes such files") from None
    found = found if isinstance(found, dict) else {}
    try:
        if "kernels" in found:
            return Kernels.of(found["kernels"])
        if isinstance(found.get("units"), str):
            return Spindle.parse(found["units"])
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None
    raise FormatError(f"{path} holds neither units nor kernels of an activation; "
                      "lnsarith spindle fit --out writes such files")
