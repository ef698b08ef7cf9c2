"""
Gates of a multiply-accumulate
==============================

Recorded costs of every Delta method at three widths, from ``benchmarks/results``.
"""

import json
from pathlib import Path

from lnsarith.host.picture import GREY, INK, LINE, WARM, picture
from lnsarith.host.picture.look import looking

found = Path("benchmarks/results/hardware/deltas.jsonl")
while not found.exists():
    found = Path("..") / found
rows = [json.loads(line) for line in found.read_text().splitlines()]
methods = list(dict.fromkeys(row["row"] for row in rows))
with looking(table="work/gates.csv"), picture("work/gates.png", "", (7, 3.6)) as figure:
    axes = figure.subplots()
    for k, (f, ink) in enumerate({"lns8": INK, "lns12": LINE, "lns16": WARM}.items()):
        gates = {row["row"]: row["gates"] for row in rows if row["format"] == f}
        places = [i + 0.27 * (k - 1) for i in range(len(methods))]
        axes.bar(places, [gates.get(m) or 0 for m in methods], 0.25, color=ink, label=f)
    axes.set_xticks(range(len(methods)), methods)
    axes.set_ylabel("gates")
    axes.set_yscale("log")
    axes.grid(axis="x", visible=False)
    axes.legend(ncols=3, loc="upper right")
    axes.tick_params(axis="x", color=GREY)
