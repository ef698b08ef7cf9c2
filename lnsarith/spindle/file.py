"""Activations from files: the units or kernels that `lnsarith spindle fit --out` writes."""

from __future__ import annotations

from pathlib import Path

from fxp.format import FormatError
from fxp.operators.spindle import SPINDLES, Spindle
from lnsarith.host.files.reading import BadFile, read_json
from lnsarith.host.files.schema import floating, listed, maybe, table, text
from lnsarith.spindle.kernels import MOST_KERNELS, Kernels

__all__ = ["named_function", "parse_function", "read_fit", "read_function"]

KIND = "lnsarith spindle fit 1"
WRITES = "lnsarith spindle fit --out writes such files"
# What is read of a fit; the rest tells people how good it is.
FIT = table({}, {"kind": text(KIND), "units": text(), "segments": maybe(text()),
                 "kernels": listed(listed(floating(), 3, 3), 1, MOST_KERNELS)}, open_ended=True)


def named_function(text: str) -> str:
    """Return as text the function of a file FILE.json, or of a name or text of its own."""
    plain = text in SPINDLES or (":" in text and not text.endswith(".json"))
    return str(parse_function(text) if plain else read_function(text))


def parse_function(text: str) -> Spindle | Kernels:
    """Return the units or kernels that a text such as str() of them means."""
    return (Kernels if text.startswith("kernels=") else Spindle).parse(text)


def read_function(path: str | Path) -> Spindle | Kernels:
    """Return the units or kernels of a file; FormatError where there are none."""
    found = read_fit(path)
    try:
        if "kernels" in found:
            return Kernels.of(found["kernels"])
        if "units" in found:
            return Spindle.parse(found["units"])
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from None
    raise FormatError(f"{path} holds neither units nor kernels of an activation; {WRITES}")


def read_fit(path: str | Path) -> dict:
    """Return what a file of `lnsarith spindle fit` holds; FormatError for what is none."""
    try:
        return read_json(path, FIT)
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror}") from None
    except BadFile as error:
        raise FormatError(f"{error}; {WRITES}") from None
