"""Names that stay short: where a name would be too long, a digest ends it."""

from __future__ import annotations

import hashlib

__all__ = ["LONGEST", "digested", "short"]

LONGEST = 64
DIGEST = 8


def short(name: str) -> str:
    """Return a name, or if it is longer than 64 letters its beginning and a digest of it."""
    return name if len(name) <= LONGEST else digested(name, name, LONGEST, "-")


def digested(name: str, told: str, longest: int, joint: str) -> str:
    """Return what there is room for of a name, the joint and a digest of all that is told."""
    digest = hashlib.sha256(told.encode()).hexdigest()[:DIGEST]
    return f"{name[:longest - DIGEST - 1].rstrip(joint)}{joint}{digest}"
