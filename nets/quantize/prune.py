"""Magnitude pruning: which weights of a trained network become zero and stay so.

Han et al., "Learning both weights and connections for efficient neural networks" (2015):
the smallest magnitudes go, of each layer or of all layers together. An N:M pattern keeps
the N largest of each M weights that follow one another down a column of w, that is along
the inputs of one output (of a window by row, column, channel); a shorter rest at the end
keeps N too. Of equal magnitudes the first ones go. Biases and batch normalisation stay.
"""

from __future__ import annotations

import re

import numpy as np

from nets.network.network import Network

__all__ = ["SCOPES", "masks_by_pattern", "masks_by_share", "parse_pattern", "sparsity"]

SCOPES = ("layer", "global")
Masks = dict[str, np.ndarray]


def parse_pattern(text: str) -> tuple[int, int]:
    """Return N and M of N:M; ValueError unless 1 <= N < M <= 64."""
    match = re.fullmatch(r"(\d{1,2}):(\d{1,2})", text)
    if not match or not 1 <= int(match[1]) < int(match[2]) <= 64:
        raise ValueError(f"pattern must be N:M with 1 <= N < M <= 64, such as 2:4, got {text!r}")
    return int(match[1]), int(match[2])


def masks_by_share(network: Network, share: float, scope: str = "layer") -> Masks:
    """Return, of each weight matrix, where its smallest magnitudes are: a share of them.

    The masks are bool, True for what goes. ValueError for a share outside 0..1 or another
    scope.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie in 0..1, got {share}")
    if scope not in SCOPES:
        raise ValueError(f"scope must be one of {', '.join(SCOPES)}, got {scope!r}")
    sizes = _magnitudes(network)
    if scope == "layer":
        return {name: _smallest(size, share) for name, size in sizes.items()}
    whole = _smallest(np.concatenate([size.ravel() for size in sizes.values()]), share)
    parts = np.split(whole, np.cumsum([size.size for size in sizes.values()])[:-1])
    return {name: part.reshape(sizes[name].shape) for name, part in zip(sizes, parts)}


def masks_by_pattern(network: Network, kept: int, of: int) -> Masks:
    """Return, of each weight matrix, where all but `kept` of each `of` weights are."""
    return {name: _pattern(size, kept, of) for name, size in _magnitudes(network).items()}


def sparsity(network: Network) -> dict[str, tuple[int, int]]:
    """Return of each weight matrix how many numbers are zero, and how many there are."""
    return {name: (int((size == 0).sum()), size.size)
            for name, size in _magnitudes(network).items()}


def _magnitudes(network: Network) -> Masks:
    return {name: abs(network.ar.reals(t)) for name, t in network.parameters().items()
            if name.endswith(".w")}


def _smallest(size: np.ndarray, share: float) -> np.ndarray:
    mask = np.zeros(size.size, bool)
    mask[np.argsort(size, axis=None, kind="stable")[: round(share * size.size)]] = True
    return mask.reshape(size.shape)


def _pattern(size: np.ndarray, kept: int, of: int) -> np.ndarray:
    rows, columns = size.shape
    groups = np.full((-(-rows // of) * of, columns), -1.0)  # what is not there goes first
    groups[:rows] = size
    groups = groups.reshape(-1, of, columns)
    mask = np.zeros(groups.shape, bool)
    order = np.argsort(groups, axis=1, kind="stable")
    np.put_along_axis(mask, order[:, : of - kept], True, axis=1)
    return mask.reshape(-1, columns)[:rows]
