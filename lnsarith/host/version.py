"""The version of the package that is installed, or of the checkout that is run."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

__all__ = ["__version__"]


def _version() -> str:
    try:
        return metadata.version("lnsarith")
    except metadata.PackageNotFoundError:  # run from a checkout
        text = (Path(__file__).parents[2] / "setup.cfg").read_text()
        found = re.search(r"^version = (\S+)", text, re.M)
        return found[1] if found else "unknown"


__version__ = _version()
