"""A dot product in one go: products side by side, added as a tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from fxp.run.backend import elementwise
from fxp.trace.circuit import Circuit, trace
from verilog.design.covering import words_for
from verilog.design.design import Design, Words
from verilog.emit.header import header
from verilog.emit.lower import width_of
from verilog.emit.module import Port, combinational, pipelined
from verilog.emit.pipeline import stages_of
from verilog.units.macs import Mac

__all__ = ["dot"]

DOC = """The sum of the products of n words a and n words b, rounded to a word; word 0 is in the
lowest bits. Partial sums of equally many terms combine, the older first, an empty sum
being the first term of all, as the engine's order `tree` has it: n = 3, 7, 15, ... make
a balanced tree."""


def dot(called: Callable[[int], str], summary: str, mac: Mac, n: int, settings: Mapping[str, str],
        latency: int = 0, target_ns: float | None = None, memories: bool = False) -> Design:
    """Return the tree; its answers are those of its compiled circuit. called tells its name
    by its latency."""
    circuit = _circuit(mac, n)
    stages, latency = stages_of(circuit, latency, target_ns)
    name = called(latency)
    bits = {"a": width_of(*mac.a.words), "b": width_of(*mac.b.words)}
    lanes = {k: (n, width) for k, width in bits.items()}
    ports = (*(Port(f"i_{k}", n * width, meaning=f"{n} words {f}")
               for (k, width), f in zip(bits.items(), (mac.a, mac.b))),
             Port("o_out", width_of(*mac.out.words), True, str(mac.out)))
    text = header(name, summary, DOC, settings, latency, circuit, mac.spec)
    module = (pipelined(name, text, circuit, ports, stages, latency, memories, lanes) if latency
              else combinational(name, text, circuit, ports, memories, lanes))

    def model(words: Words) -> Words:
        columns = {f"{k}_{i}": words[k][:, i] for k in lanes for i in range(n)}
        return {"out": elementwise(circuit, columns).astype(np.int64)}

    def stimulus(count: int, seed: int) -> Words:
        columns = words_for(circuit, {f"{k}_{i}": f.words for k, f in (
            ("a", mac.a), ("b", mac.b)) for i in range(n)}, count, seed)
        return {k: np.stack([columns[f"{k}_{i}"] for i in range(n)], axis=1) for k in lanes}

    return Design(name, summary, (module,), {"a": mac.a.words, "b": mac.b.words},
                  {"out": mac.out.words}, model, stimulus, circuit, settings, bool(latency),
                  latency, lanes=lanes)


def _circuit(mac: Mac, n: int) -> Circuit:
    def tree(**words):
        sums = [(mac.zero, 1)]  # partial sums, and how many terms each covers
        for i in range(n):
            sums.append((mac.leaf(words[f"a_{i}"], words[f"b_{i}"]), 1))
            while len(sums) > 1 and sums[-1][1] == sums[-2][1]:
                _merge(sums, mac)
        while len(sums) > 1:
            _merge(sums, mac)
        return mac.finish(sums[0][0])

    ports = {f"{k}_{i}": f.words for k, f in (("a", mac.a), ("b", mac.b)) for i in range(n)}
    return trace(tree, ports, name="dot")


def _merge(sums: list, mac: Mac):
    """Replace the two newest partial sums by their sum."""
    newer, count = sums.pop()
    older, more = sums.pop()
    sums.append((mac.combine(older, newer), count + more))
