"""Words that reach the corners inside a circuit: each entry of a table, both sides of each
comparison and where they meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from fxp.trace.circuit import Circuit
from fxp.trace.graph import Node
from verilog.design.stimulus import corner_words, operand_columns

__all__ = ["words_for"]

Words = dict[str, np.ndarray]
SHARE, MOST = 4, 4096  # one word of so many is for the inside, and no more than that
TRIED = 16  # candidates for each of those
CHUNK = 1 << 13


def words_for(circuit: Circuit, ranges: Mapping[str, tuple[int, int]], count: int, seed: int
              ) -> Words:
    """Return count words for each input, int64: corners and uniform ones, then up to a
    quarter that are chosen for what they reach inside. The same seed gives the same words."""
    inside = _covering(circuit, ranges, min(count // SHARE, MOST), seed) if count >= SHARE else {
        name: np.zeros(0, np.int64) for name in ranges}
    chosen = len(next(iter(inside.values())))
    outside = operand_columns(ranges, count - chosen, seed)
    return {name: np.concatenate([outside[name], inside[name]]) for name in ranges}


def _covering(circuit: Circuit, ranges, count: int, seed: int) -> Words:
    """Return words each of which was the first candidate to reach something; where there
    are more than count, entries of tables give way."""
    rng = np.random.default_rng(seed)
    seen: dict[int, np.ndarray] = {}
    few: list[Words] = []  # what reaches a side of a comparison
    many: list[Words] = []  # what reaches an entry of a table
    every = replace(circuit, outputs={str(n.index): n for n in circuit.nodes})
    for words in _candidates(ranges, TRIED * count, rng):
        values = dict(zip((n.index for n in circuit.nodes), every.of_arrays(words)))
        for node in circuit.nodes:
            kinds = _reached(node, values)
            if kinds is None:
                continue
            found, first = np.unique(kinds, return_index=True)
            new = ~np.isin(found, seen.get(node.index, []))
            seen[node.index] = np.append(seen.get(node.index, []), found[new])
            (many if node.op == "lookup" else few).append(
                {k: column[first[new]] for k, column in words.items()})
    columns = []
    for group in (few, many):
        joined = {k: np.concatenate([np.zeros(0, np.int64), *(w[k] for w in group)])
                  for k in ranges}
        order = rng.permutation(len(next(iter(joined.values()))))[:count]
        columns.append({k: column[order] for k, column in joined.items()})
    return {k: np.concatenate([c[k] for c in columns])[:count] for k in ranges}


def _reached(node: Node, values) -> np.ndarray | None:
    """Return what each candidate reaches at a node as a number, None at other nodes."""
    if node.op == "lookup":
        return np.atleast_1d(values[node.args[0].index])
    if node.op in ("lt", "eq", "min", "max"):
        a, b = (values[arg.index] for arg in node.args)
        return np.atleast_1d(np.clip(a - b, -2, 2))
    if node.op == "where":
        return np.atleast_1d(values[node.args[0].index] != 0)
    return None


def _candidates(ranges: Mapping[str, tuple[int, int]], count: int, rng) -> Iterator[Words]:
    """Yield chunks of words: uniform ones, then each operand through its whole range, the
    others at a corner."""
    corners = {name: corner_words(*span) for name, span in ranges.items()}
    for _ in range(0, count // 2, CHUNK):
        yield {name: rng.integers(low, high, min(CHUNK, count // 2), endpoint=True)
               for name, (low, high) in ranges.items()}
    size = min(CHUNK, count // 2)
    for _ in range(max(1, count // 2 // CHUNK // len(ranges))):
        for moved, (low, high) in ranges.items():
            words = {name: np.full(size, rng.choice(corners[name])) for name in ranges}
            words[moved] = np.linspace(low, high, size).round().astype(np.int64)
            yield words
