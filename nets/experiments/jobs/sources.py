"""Which sources decide what a training gives, and a digest of them.

They are the modules that `nets.train.trainer` imports, directly or by others, at once or
later in a function: what draws, prints or emits Verilog is not among them, nor is what the
package lnsarith itself offers.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

__all__ = ["ROOT", "ROOTS", "digest", "modules"]

ROOT = Path(__file__).parents[3]
ROOTS = ("nets.train.trainer", "nets.train.transfer", "nets.network.model", "nets.data.sets")
_IMPORT = re.compile(r"^\s*(?:from\s+((?:fxp|lnsarith|nets)[\w.]*)\s+import\s+(.+)"
                     r"|import\s+((?:fxp|lnsarith|nets)[\w.]*))", re.M)


@lru_cache(maxsize=4)
def digest(root: Path = ROOT) -> str:
    """Return a digest of the sources below a folder that decide results, 16 hex digits.

    Blank lines and lines of comments do not count.
    """
    sha = hashlib.sha256()
    for name, path in sorted(modules(root).items()):
        lines = (line.rstrip() for line in path.read_text("utf-8").splitlines())
        kept = [line for line in lines if line and not line.lstrip().startswith("#")]
        sha.update("\n".join([name, *kept, ""]).encode())
    return sha.hexdigest()[:16]


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Return the files of these modules by name."""
    found: dict[str, Path] = {}
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        path = _file(root, name)
        if name in found or path is None or name == "lnsarith":
            continue
        found[name] = path
        for of, names, plain in _IMPORT.findall(path.read_text("utf-8")):
            waiting += [plain] if plain else [of, *_parts(of, names)]
    return found


def _parts(of: str, names: str) -> list[str]:
    """Return what would be modules in from OF import NAMES; those in the lines after a bracket
    are names of OF's own here."""
    return [f"{of}.{name}" for name in re.findall(r"\w+", names.partition("#")[0])]


def _file(root: Path, name: str) -> Path | None:
    base = root.joinpath(*name.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)
