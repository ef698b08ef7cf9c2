"""LNS words: matrix products against a scalar loop, sums against xlns."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np

from benchmarks.common.machine import ROOT
from benchmarks.common.rows import Mark, Results, say
from benchmarks.common.timing import compare
from benchmarks.speed.row import add_rate, peer
from benchmarks.speed.words import LNS, demand_equal, lns_words

__all__ = ["adds", "matmuls", "matmuls_on_haswell"]

SIZES = ((128, 784, 100), (512, 784, 512))
MARKS = {"avx512": Mark(">=", 24), "avx2": Mark(">=", 6)}
SUMS = Mark(">=", 20)


def matmuls(results: Results, options) -> None:
    """Add rows for each size: words in, words out, no operand zero."""
    rng = np.random.default_rng(0)
    for size in SIZES if not options.tiny else ((8, 50, 20),):
        rows, depth, columns = size
        a, b = lns_words(rng, rows, depth), lns_words(rng, depth, columns)
        mark = MARKS.get(results.facts["level"]) if size == SIZES[0] else None
        _matmul(results, a, b, mark, options.rounds)


def _matmul(results: Results, a, b, mark, rounds: int) -> None:
    from benchmarks.speed.scalar_loop import delta_table, matmul
    from lnsarith.catalogue.array import LnsArray

    x, y, table = LnsArray(a, LNS), LnsArray(b, LNS), delta_table()
    out = np.empty((len(a), b.shape[1]), np.int16)
    matmul(a, b, table, out)
    name = f"lns16 lut matmul {a.shape[0]}x{a.shape[1]}x{b.shape[1]}"
    demand_equal(name, (x @ y).words, out)
    work = a.size * b.shape[1]
    pair = compare(lambda: x @ y, lambda: matmul(a, b, table, out), rounds)
    note = "equal words"
    add_rate(results, name, "scalar @njit loop", pair, work, "MAC/s", mark, note)
    if not results.facts["numba_cpu_name"]:
        u, v = (np.asarray(n, np.float32) for n in (x, y))
        pair = compare(lambda: x @ y, lambda: u @ v, rounds)
        note = "another arithmetic"
        add_rate(results, name, "numpy float32", pair, work, "MAC/s", None, note)


def matmuls_on_haswell(results: Results, options) -> None:
    """Add the rows of matmuls as a processor with AVX2 alone would have them.

    Another process measures them and writes their lines: NUMBA_CPU_NAME counts
    before the first kernel only.
    """
    if results.facts["level"] != "avx512":
        return
    say("  the same compiled for haswell, in another process")
    command = [sys.executable, "-m", "benchmarks.speed", "--parts", "matmul", "--emit"]
    command += ["--rounds", str(options.rounds)]
    command += ["--results", str(results.folder)] if results.folder else []
    command += ["--tiny"] if options.tiny else []
    environment = {**os.environ, "NUMBA_CPU_NAME": "haswell"}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    results.rows += [json.loads(line) for line in done.stdout.splitlines()]


def adds(results: Results, options) -> None:
    """Add rows of sums of 10^6 words, with the full table of xlns and with ours."""
    peer(results, "xlns", lns_sums, options)


def lns_sums(xlns, results: Results, options) -> None:
    """The exact method answers as xlns does, but where x + (-x) should be zero."""
    rng = np.random.default_rng(1)
    count = 10**4 if options.tiny else 10**6
    a, b = lns_words(rng, count), lns_words(rng, count)
    xlns.use_table(LNS.frac)
    _sum(results, xlns, "lut", a, b, options.rounds)
    _sum(results, xlns, "exact", a, b, options.rounds)


def _sum(results: Results, xlns, method: str, a, b, rounds: int) -> None:
    from lnsarith.catalogue.array import LnsArray
    from lnsarith.delta.methods import parse

    x, y = (LnsArray(w, LNS, delta=parse(method)) for w in (a, b))
    p, q = xlns.array(a), xlns.array(b)
    name, note = f"lns16 {method} add, {a.size:,} words", "another table"
    if method == "exact":
        note = "equal words, but for x + (-x)"
        cancels = (a ^ b) == -0x8000
        demand_equal(name, (x + y).words, xlns.words(p + q), ~cancels)
    pair = compare(lambda: x + y, lambda: p + q, rounds)
    add_rate(results, name, "xlns full table", pair, a.size, "/s", SUMS, note)
