"""The competitors: one adapter each, all behind the same few names."""

from __future__ import annotations

import importlib

__all__ = ["Missing", "load"]


class Missing(Exception):
    """A competitor that is not installed; says which, and why."""


def load(name: str):
    """Return the adapter of a competitor; Missing if it cannot be imported."""
    try:
        return importlib.import_module(f"benchmarks.common.peers.{name}")
    except ImportError as error:
        raise Missing(f"skipped: {name} is not installed ({error})") from error
