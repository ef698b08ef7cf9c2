"""What bitwuzla reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["read"]


def read(lines: Sequence[str]) -> tuple[Any, Any]:
    """Return the module bitwuzla and its parser, which has read lines of SMT-LIB.

    Raises ImportError where bitwuzla is not installed.
    """
    import bitwuzla

    options = bitwuzla.Options()
    options.set(bitwuzla.Option.PRODUCE_MODELS, True)
    options.set(bitwuzla.Option.PP_NORMALIZE, False)  # it takes equal structures apart
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    parser.parse("\n".join(lines), True, False)
    return bitwuzla, parser
