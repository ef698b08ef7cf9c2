"""Loops in the text of machine code, and the vector instructions on a way through them."""

from __future__ import annotations

import re
from typing import NamedTuple

from fxp.compile.machine.target import target
from fxp.compile.nests.dots import ABREAST
from fxp.compile.nests.narrow import by_fours
from fxp.compile.nests.products import tiles
from fxp.trace.plans import MatmulPlan

__all__ = ["Way", "step_loop", "vectors_of"]

LABEL = re.compile(r"^(\.L\w+):")
JUMP = re.compile(r"^\s+(j\w+)\s+(\.L\w+)")
VECTOR = re.compile(r"^\s+\w+\s.*%[xyz]mm|^\s+v\w+\s.*%k\d")


class Way(NamedTuple):
    """How many vector instructions there are; of them reads of memory, uses of the stack and
    copies of a scalar into all lanes, of which each step has one for each scalar."""

    instructions: int
    loads: int
    spills: int
    copies: int


class _Block(NamedTuple):
    way: Way
    next: list[int]  # blocks that may follow, by number
    stores: bool  # whether a vector goes to memory other than the stack


def step_loop(text: str) -> tuple[Way, Way]:
    """Return the shortest and the longest way through the loop over the depth.

    That is the innermost loop with most vector instructions of those that write no vector
    but to the stack: sums stay in registers. ValueError if there is none.
    """
    blocks = _blocks(text)
    inner = _innermost(blocks, set(range(len(blocks))))
    found = [_ways(blocks, header, loop) for header, loop in inner
             if not any(blocks[i].stores for i in loop)]
    if not found:
        raise ValueError("there is no loop that keeps its sums in registers")
    return max(found, key=lambda ways: ways[0].instructions)


def vectors_of(plan: MatmulPlan, way: Way) -> int:
    """Return how many vectors of sums take a step on a way; loops may be unrolled."""
    if plan.shape == "dots":
        return (4 if by_fours(plan, target()) else 2) * ABREAST * way.copies  # steps of a copy
    return max(1, way.copies // len(plan.scalars)) * tiles(plan)[0]


def _innermost(blocks: list[_Block], among: set[int]) -> list[tuple[int, set[int]]]:
    """Return the loops without a loop inside, each with the block that it is entered by."""
    reach = {i: _reached(blocks, i, among) for i in among}
    found = []
    for loop in {frozenset(j for j in reach[i] if i in reach[j]) for i in among if i in reach[i]}:
        entered = [j for i in range(len(blocks)) if i not in loop
                   for j in blocks[i].next if j in loop]
        header = entered[0] if entered else min(loop)
        deeper = _innermost(blocks, set(loop) - {header})
        found += deeper or [(header, set(loop))]
    return found


def _reached(blocks: list[_Block], start: int, among: set[int]) -> set[int]:
    """Return the blocks that may follow start, directly or not, in a set."""
    seen: set[int] = set()
    stack = [j for j in blocks[start].next if j in among]
    while stack:
        i = stack.pop()
        if i not in seen:
            seen.add(i)
            stack += [j for j in blocks[i].next if j in among]
    return seen


def _ways(blocks: list[_Block], header: int, loop: set[int]) -> tuple[Way, Way]:
    """Return the shortest and the longest way round an innermost loop."""
    def rounds(i: int) -> list[Way]:
        on = [w for j in blocks[i].next if j in loop
              for w in ([Way(0, 0, 0, 0)] if j == header else rounds(j))]
        return [Way(*(p + q for p, q in zip(blocks[i].way, w))) for w in on]

    ways = rounds(header)
    return min(ways), max(ways)


def _blocks(text: str) -> list[_Block]:
    parts: list[list[str]] = [[]]
    names: dict[str, int] = {}
    for line in text.splitlines():
        if label := LABEL.match(line):
            parts.append([])
            names[label[1]] = len(parts) - 1
        else:
            parts[-1].append(line)
            if JUMP.match(line):
                parts.append([])
    return [_block(lines, i, names) for i, lines in enumerate(parts)]


def _block(lines: list[str], number: int, names: dict[str, int]) -> _Block:
    vectors = [line for line in lines if VECTOR.match(line)]
    stack = [v for v in vectors if "(%rsp" in v or "(%rbp" in v]
    memory = [v for v in vectors if "(" in v and v not in stack]
    stores = [v for v in memory if v.rstrip().endswith(")")]
    jump = JUMP.match(lines[-1]) if lines else None
    follows = [] if jump and jump[1] == "jmp" else [number + 1]
    if jump and jump[2] in names:
        follows.append(names[jump[2]])
    copies = sum("vpbroadcast" in v for v in vectors)
    way = Way(len(vectors), len(memory) - len(stores), len(stack), copies)
    return _Block(way, follows, bool(stores))
