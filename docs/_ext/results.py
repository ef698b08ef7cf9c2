"""Tables of recorded results: what benchmarks/results has, each with its conditions."""

import json
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
METHODS = ("exact", "interp", "pwl", "balanced", "mitchell", "lut", "bitshift")
FORMATS = ("lns8", "lns12", "lns16")


def rows(name: str) -> list[dict]:
    """Return the recorded rows of a benchmark, in their order; none where there is no file."""
    path = RESULTS / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _latest(found: list[dict], key) -> dict:
    """Return the last row of each key."""
    return {key(row): row for row in found}


def conditions(row: dict) -> str:
    """Return where and when a row was measured."""
    dirty = " with changes" if row["dirty"] else ""
    return (f"{row['cpu']}, {row['level']}, {row['cores']} cores, commit {row['commit'][:7]}"
            f"{dirty}, {row['date'][:10]}, Python {row['versions']['python']}, "
            f"NumPy {row['versions']['numpy']}, Numba {row['versions']['numba']}")


def delta_rows(method: str) -> list[str]:
    """Return the recorded errors and gates of a Delta method as a table."""
    known = _latest(rows("deltas"), lambda r: (r["row"], r["format"]))
    found = [known[method, f] for f in FORMATS if (method, f) in known]
    if not found:
        return []
    return ["| format | largest error | RMS error | gates of a MAC | depth |",
            "|---|---|---|---|---|",
            *(f"| {r['format']} | {r['max_ulp']:.3g} ULP | {r['rms_ulp']:.3g} ULP | "
              f"{_count(r.get('gates'))} | {_count(r.get('depth'))} |" for r in found), ""]


def _count(value) -> str:
    return f"{value:,}" if value is not None else "too large to count"


def _accuracies() -> dict:
    """Return the recorded MNIST accuracy of each format and method, of the perceptron."""
    found = {}
    for row in rows("accuracy"):
        s = row["settings"]
        if "model" not in s and row["epochs"] == 20 and s["arith"].startswith("lns"):
            found[s["arith"], s["delta"]] = row
    return found


def decide() -> str:
    """Return the page that chooses a Delta method."""
    known = _latest(rows("deltas"), lambda r: (r["row"], r["format"]))
    trained = _accuracies()
    lines = ["# Which Delta method", "", DECIDE, ""]
    for f in FORMATS:
        lines += [f"## {f}", "",
                  "| method | largest error | RMS error | dot product: RMS | mean | MNIST test % | "
                  "s an epoch | gates | depth |", "|---|---|---|---|---|---|---|---|---|"]
        for method in METHODS:
            if (method, f) not in known:
                continue
            r, t = known[method, f], trained.get((f, method))
            accuracy = f"{t['mean']:.2f} ({t['min']:.2f}..{t['max']:.2f})" if t else ""
            seconds = f"{t['epoch_seconds']:.1f} (load {t['load']:.1f})" if t else ""
            lines.append(
                f"| `{method}` | {r['max_ulp']:.3g} | {r['rms_ulp']:.3g} | {r['dot_rms']:.3g} | "
                f"{r['dot_mean']:+.3f} | {accuracy} | {seconds} | {_count(r.get('gates'))} | "
                f"{_count(r.get('depth'))} |")
        lines.append("")
    some = next(iter(known.values()), None)
    if some:
        lines += [f"Errors and gates: {conditions(some)}; {some.get('tools', '')}."]
    if trained:
        lines += ["", f"Training: {conditions(next(iter(trained.values())))}."]
    return "\n".join(lines) + "\n"


DECIDE = """\
Read it so: choose the width by what training needs, then the method by what the chip can pay.
Errors of a sum are in units of the last place of the log (ULP). Dot products have 785 terms of
mean zero; their errors are by the RMS of the true sums, and a mean that is not zero is a leak that
training feels. Accuracy is that of a 784-100-10 perceptron after 20 epochs at batch 5, the mean
(and range) of three seeds, bit-true. Seconds an epoch are as those runs took them, at the load
that is told with them: compare them within a row of equal load only. Gates are two-input
gates and multiplexers of a combinational multiply-accumulate, inverters apart, in the default flow
of Yosys; depth counts them along the longest path.

In short: at 8 bits `exact` is the smallest as well as the best, as its table folds into a few
gates; long sums are coarse there with any method. At 12 bits `exact` costs less than a fixed-point
MAC, and `balanced`, without a table, sums nearly as well. At 16 bits `lut` costs least of those that
train well and `balanced` trained best, with fewer gates than `interp`, which is nearest to `exact`;
`pwl` with its 16 segments is too coarse for long sums there: give it `error` or more segments.
`mitchell` and `bitshift` leak in long sums at every width; they are for comparison.
Made by `python -m benchmarks.deltas` and `python -m benchmarks.accuracy`."""

PEERS = """\
Features as documented or tried in November 2026; a dash is what a package does not have.

| package | formats | rounding, overflow | sums | training | hardware | proof |
|---|---|---|---|---|---|---|
| **lnsarith** | fixed point and LNS of 4 to 32 bits, binary, min-selectors | 5 and stochastic; saturate, \
wrap | order, guard bits and underflow stated; seven Delta methods and your own | bit-true, all \
three passes | Verilog of operators, units, arrays | SMT, of each design on all inputs |
| xlns 1.0.5 | LNS of any fraction bits, no word width | nearest or floor; limits by `.ovf()` | \
pairwise tree; ideal, table, Mitchell, interpolated, cotransformation | example scripts | – | – |
| xlnstorch 1.0.0 | LNS tensors, code in float64 | nearest | ideal, table, Taylor | layers, \
optimisers, autograd | – | – |
| apytypes 0.5.1 | fixed point, floats and complex of any length | 15 modes; saturate, wrap | exact, \
or a given accumulator | – | ROM writer | – |
| fxpmath 0.4.10 | fixed point | 10 modes; saturate, wrap, flags | `np.dot` | – | bit strings | – |
| QPyTorch 0.3.0 | fixed, minifloat, block float | nearest, stochastic | float32, then rounded | fake \
quantisation | – | – |
| brevitas 0.13.4 | integers, minifloats | several | float32 | fake quantisation | by export \
(QONNX, FINN) | – |
| hls4ml | fixed point | as `ap_fixed` | as the HLS tool | takes trained nets | HLS C++ | \
– |
| FINN | few-bit integers | thresholds | exact integers | takes trained nets | HLS and RTL dataflow | \
– |
| FloPoCo | fixed, float, LNS, posit operators | faithful or correct, by operator | generated \
accumulators | – | VHDL | test benches |
| universal | posit, fixed, LNS, many more (C++) | by type | by type; LNS sums by several algorithms, \
the default through double | – | – | – |
"""


def compare() -> str:
    """Return the page that compares with other packages, its figures those recorded."""
    lines = ["# Beside other packages", "",
             "What each is for differs: this page says what one can expect of which, not who is "
             "best. A package that trains with fake quantisation computes in floats and rounds the "
             "results; here each product and sum is the word that the hardware gives.", "", PEERS,
             "", "## Speed", "",
             "Runs taken in turn on the same machine, medians (`python -m benchmarks.speed`). What "
             "is compared is told with each row; `equal words` means that both gave the same bits.",
             "", "| what | here | peer | peer's | ratio | |", "|---|---|---|---|---|---|"]
    known = _latest([r for r in rows("speed") if r.get("ours") and r.get("theirs")],
                    lambda r: (r["row"], r["peer"], r["level"]))
    for r in known.values():
        lines.append(f"| {r['row']} ({r['level']}) | {_unit(r['ours'], r['unit'])} | "
                     f"{_version(r)} | {_unit(r['theirs'], r['unit'])} | {r['ratio']:.3g} | "
                     f"{r['note'] or ''} |")
    lines += ["", *(f"- {text}" for text in dict.fromkeys(map(conditions, known.values()))),
              "", "A ratio of seconds below one, and of rates above one, is in favour of this "
              "package. A float32 product of NumPy does ten times the MACs a second of an LNS one: "
              "the gain is over operations, not over float hardware."]
    return "\n".join(lines) + "\n"


def _version(row: dict) -> str:
    first = row["peer"].split()[0]
    version = row["versions"].get(first)
    return f"{row['peer']} ({version})" if version else row["peer"]


def _unit(value: float, unit: str) -> str:
    return f"{value:.2f} s" if unit == "s" else f"{value:.2e} {unit}".replace("e+", "e")


def measured() -> str:
    """Return the page of recorded accuracies, costs in time and memory."""
    lines = ["# Measured", "", "Every number is a row of `benchmarks/results`, made by the script "
             "that its heading names; `python -m benchmarks.SCRIPT` makes it again.", "",
             "## Accuracy (`benchmarks.accuracy`)", "",
             "MNIST, test accuracy after the last epoch in %, bit-true; a perceptron 784-100-10 at "
             "batch 5 but where a model is named. A standard error of 10,000 images is 0.17 points "
             "at 97 %.", "", "| run | epochs | seeds | test % | from..to | date, commit |",
             "|---|---|---|---|---|---|"]
    for r in _latest(rows("accuracy"), lambda r: (r["row"], r["epochs"])).values():
        lines.append(f"| {r['row']} | {r['epochs']} | {_seeds(r['seeds'])} | {r['mean']:.2f} | "
                     f"{r['min']:.2f}..{r['max']:.2f} | {_when(r)} |")
    lines += ["", "## Other networks (`benchmarks.networks`)", "",
              "| run | epochs | seeds | test % | command | date, commit |", "|---|---|---|---|---|---|"]
    for r in _latest(rows("networks"), lambda r: (r["row"], str(r["seeds"]))).values():
        lines.append(f"| {r['row']} | {r['epochs']} | {_seeds(r['seeds'])} | {r['mean']:.2f} | "
                     f"`{r['command']}` | {_when(r)} |")
    lines += ["", "## Binary networks (`benchmarks.binary`)", "", *_plain("binary")]
    lines += ["", "## Start and memory (`benchmarks.startup`, `benchmarks.memory`)", "",
              "| what | | date, commit |", "|---|---|---|"]
    for r in [*_latest(rows("startup"), lambda r: r["row"]).values(),
              *_latest(rows("memory"), lambda r: r["row"]).values()]:
        value = f"{r['peak_mb']:.0f} MB" if "peak_mb" in r else f"{r['seconds']:.2f} s"
        lines.append(f"| {r['row']} | {value} | {_when(r)} |")
    lines += ["", "## Hardware (`benchmarks.rtl`, `benchmarks.mutants`)", "",
              "| what | seconds | date, commit |", "|---|---|---|"]
    for r in _latest(rows("rtl"), lambda r: r["row"]).values():
        lines.append(f"| {r['row']} | {r['seconds']:.2f} | {_when(r)} |")
    return "\n".join(lines) + "\n"


def _plain(name: str) -> list[str]:
    """Return rows of whatever plain numbers a benchmark has."""
    found = list(_latest(rows(name), lambda r: (r["row"], str(r.get("seeds")))).values())
    keys = [k for k in ("row", "epochs", "seeds", "mean", "test", "min", "max", "last")
            if any(k in r for r in found)]
    return ["| " + " | ".join([*keys, "date, commit"]) + " |", "|---" * (len(keys) + 1) + "|",
            *("| " + " | ".join([*(_cell(r.get(k)) for k in keys), _when(r)]) + " |"
              for r in found)]


def _cell(value) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return "" if value is None else str(value)


def _seeds(seeds) -> str:
    return ", ".join(map(str, seeds))


def _when(row: dict) -> str:
    return f"{row['date'][:10]}, {row['commit'][:7]}"
