"""Circuits by compiled code, by NumPy and by plain integers, and where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.agreement.cases import Case, most_entries
from benchmarks.agreement.inputs import corner_inputs
from benchmarks.agreement.machine import Module, map_plan, widths
from fxp.compile.scalar_loops import scalar_map
from fxp.trace.circuit import Circuit, node_values
from fxp.trace.graph import Node

__all__ = ["SCALARS", "expected", "scalar_differences", "side_by_side", "vector_differences"]

FEW = 16  # inputs that plain integers are asked about
SCALARS = 8  # circuits in a function of Numba's
BATCH = 100  # circuits in a module: larger ones take LLVM longer for each
ENTRIES = 1 << 18  # of their longest tables together, or one circuit alone: they take memory


def expected(circuit: Circuit, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the outputs by NumPy. AssertionError where a node leaves its range, or where
    plain integers, which cannot overflow, say otherwise of some of the inputs."""
    values = node_values(circuit, inputs)
    for node in circuit.nodes:
        low, high = np.min(values[node.index]), np.max(values[node.index])
        assert node.low <= low and high <= node.high, f"{node!r} takes {low}..{high}"
    size = next(iter(inputs.values())).size
    results = {name: np.broadcast_to(values[node.index], size)
               for name, node in circuit.outputs.items()}
    for i in np.linspace(0, size - 1, FEW).astype(int).tolist():
        exact = node_values(circuit, {n: int(a[i]) for n, a in inputs.items()})
        for name, node in circuit.outputs.items():
            assert exact[node.index] == results[name][i], f"{name} by NumPy, {inputs} at {i}"
    return results


def vector_differences(cases: Sequence[Case], levels: Sequence[str], every_width: bool = False,
                       rotate: bool = False, optimise: bool = False) -> Iterator[str]:
    """Give a line for each case whose compiled words differ from NumPy's.

    Cases are compiled for each of the levels, or for one of them in turn, in the width
    that a kernel has, or in every one that it may have.
    """
    for batch in _batches(cases):
        inputs = [corner_inputs(case.circuit) for case in batch]
        wanted = [expected(case.circuit, i) for case, i in zip(batch, inputs)]
        for turn, level in enumerate(levels):
            chosen = [i for i in range(len(batch)) if not rotate or i % len(levels) == turn]
            jobs = [(i, plan, width) for i in chosen for plan in [map_plan(batch[i].circuit)]
                    for width in widths(plan, level)[: None if every_width else 1]]
            module = Module([(plan, width) for _, plan, width in jobs], level, optimise)
            for job, (i, _, width) in enumerate(jobs):
                found = module.run(job, inputs[i])
                yield from _lines(f"{batch[i].name} [{level}, {width} bits]", inputs[i], found,
                                  wanted[i])


def scalar_differences(cases: Sequence[Case]) -> Iterator[str]:
    """Give a line for each case whose words by scalar loops differ from NumPy's.

    Numba takes most of its time for a function, not for its lines: a function has several
    circuits.
    """
    for start in range(0, len(cases), SCALARS):
        batch = cases[start : start + SCALARS]
        inputs = [corner_inputs(case.circuit) for case in batch]
        both = side_by_side([case.circuit for case in batch])
        size = max(next(iter(i.values())).size for i in inputs)
        given = [np.resize(words, size) for i in inputs for words in i.values()]
        found = {name: np.empty(size, np.int64) for name in both.outputs}
        scalar_map(both)(*given, *found.values())
        for k, (case, i) in enumerate(zip(batch, inputs)):
            own = {name: found[f"{name}_{k}"][: next(iter(i.values())).size]
                   for name in case.circuit.outputs}
            yield from _lines(f"{case.name} [scalar]", i, own, expected(case.circuit, i))


def side_by_side(circuits: Sequence[Circuit]) -> Circuit:
    """Return a circuit that computes all of them: port x of the first is x_0 there."""
    nodes: list[Node] = []
    inputs: dict[str, Node] = {}
    outputs: dict[str, Node] = {}
    for k, circuit in enumerate(circuits):
        own: dict[int, Node] = {}
        for node in circuit.nodes:
            port = node.op == "input"
            nodes.append(replace(node, index=len(nodes), name=f"{node.name}_{k}" if port else "",
                                 args=tuple(own[a.index] for a in node.args)))
            own[node.index] = nodes[-1]
        inputs.update((f"{name}_{k}", own[n.index]) for name, n in circuit.inputs.items())
        outputs.update((f"{name}_{k}", own[n.index]) for name, n in circuit.outputs.items())
    return Circuit("side_by_side", "", inputs, outputs, tuple(nodes))


def _batches(cases: Sequence[Case]) -> Iterator[list[Case]]:
    batch: list[Case] = []
    entries = 0
    for case in cases:
        own = most_entries(case.circuit)
        if batch and (len(batch) == BATCH or entries + own > ENTRIES):
            yield batch
            batch, entries = [], 0
        batch.append(case)
        entries += own
    if batch:
        yield batch


def _lines(name: str, inputs, found, wanted) -> Iterator[str]:
    for port, words in wanted.items():
        wrong = np.flatnonzero(found[port] != words)
        if wrong.size:
            i = wrong[0]
            at = ", ".join(f"{n}={a[i]}" for n, a in inputs.items())
            yield (f"{name}: {wrong.size} of {words.size} differ, the first at {at}: {port} is "
                   f"{found[port][i]}, should be {words[i]}")
