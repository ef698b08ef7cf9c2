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


def _part(name: str) -> str:
    """Return a text that is written by hand."""
    return (Path(__file__).parents[1] / "_parts" / f"{name}.md").read_text("utf-8")


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
    known = _latest(rows("hardware/deltas"), lambda r: (r["row"], r["format"]))
    found = [known[method, f] for f in FORMATS if (method, f) in known]
    if not found:
        return []
    return ["| format | largest error | RMS error | gates of a MAC | depth |",
            "|---|---|---|---|---|",
            *(f"| {r['format']} | {_ulp(r['max_ulp'])} | {_ulp(r['rms_ulp'])} | "
              f"{_count(r.get('gates'))} | {_count(r.get('depth'))} |" for r in found), ""]


def catalogue_rows(name: str) -> list[str]:
    """Return the recorded errors and cost of an operator or a unit as a table."""
    known = _latest(rows("hardware/catalogue"), lambda r: (r["row"], r["format"]))
    found = [r for (row, _), r in known.items() if row == name]
    judged = [r for r in found if "max_ulp" in r]
    if not found:
        return []
    head = ["format", *(["largest error", "RMS error", "over"] if judged else []), "gates",
            "flip-flops", "depth"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for r in found:
        errors = ([_ulp(r["max_ulp"]), _ulp(r["rms_ulp"]), "all words" if r["tried"] == "all" else
                   f"{r['count']:,} words"] if judged else [])
        other = f" (`{r['flow']}`)" if r.get("flow", "plain") != "plain" else ""
        lines.append("| " + " | ".join([r["format"], *errors, _count(r.get("gates")) + other,
                                        _count(r.get("flip_flops", 0)),
                                        _count(r.get("depth"))]) + " |")
    return [*lines, ""]


def _ulp(value: float) -> str:
    return f"{value:,.0f} ULP" if value >= 1000 else f"{value:.3g} ULP"


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


def _seconds() -> dict:
    """Return the recorded row of an epoch's seconds of each format and method."""
    return _latest([r for r in rows("speed") if "delta" in r],
                   lambda r: (r["format"], r["delta"]))


def decide() -> str:
    """Return the page that chooses a Delta method."""
    known = _latest(rows("hardware/deltas"), lambda r: (r["row"], r["format"]))
    trained, timed = _accuracies(), _seconds()
    lines = ["# Which Delta method", "", _part("decide"), ""]
    for f in FORMATS:
        lines += [f"## {f}", "",
                  "| method | largest error | RMS error | dot product: RMS | mean | MNIST test % | "
                  "s an epoch | gates | depth |", "|---|---|---|---|---|---|---|---|---|"]
        for method in METHODS:
            if (method, f) not in known:
                continue
            r, t = known[method, f], trained.get((f, method))
            accuracy = f"{t['mean']:.2f} ({t['min']:.2f}..{t['max']:.2f})" if t else "–"
            seconds = f"{timed[f, method]['ours']:.2f}" if (f, method) in timed else "–"
            lines.append(
                f"| `{method}` | {r['max_ulp']:.3g} | {r['rms_ulp']:.3g} | {r['dot_rms']:.3g} | "
                f"{r['dot_mean']:+.3f} | {accuracy} | {seconds} | {_count(r.get('gates'))} | "
                f"{_count(r.get('depth'))} |")
        lines.append("")
    some = next(iter(known.values()), None)
    if some:
        lines += [f"Errors and gates: {conditions(some)}; {some.get('tools', '')}."]
    if trained:
        told = dict.fromkeys(conditions(r) for (f, _), r in trained.items() if f in FORMATS)
        lines += ["", "Accuracies, which no machine changes: " + "; ".join(told) + "."]
    if timed:
        row = next(iter(timed.values()))
        lines += ["", f"Seconds: {row['note']}, one thread, {row['free_cores']} of {row['cores']} "
                  f"cores free; {conditions(row)}."]
    return "\n".join(lines) + "\n"


def compare() -> str:
    """Return the page that compares with other packages, its figures those recorded."""
    lines = ["# Beside other packages", "",
             "What each is for differs: this page says what one can expect of which, not who is "
             "best. A package that trains with fake quantisation computes in floats and rounds the "
             "results; here each product and sum is the word that the hardware gives.", "",
             _part("peers"), "", "## Speed", "",
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
             "## Accuracy (`benchmarks.training.accuracy`)", "",
             "MNIST, test accuracy after the last epoch in %, bit-true; a perceptron 784-100-10 at "
             "batch 5 but where a model is named. A standard error of 10,000 images is 0.17 points "
             "at 97 %.", "", "| run | epochs | seeds | test % | from..to | date, commit |",
             "|---|---|---|---|---|---|"]
    for r in _latest(rows("accuracy"), lambda r: (r["row"], r["epochs"])).values():
        lines.append(f"| {r['row']} | {r['epochs']} | {_seeds(r['seeds'])} | {r['mean']:.2f} | "
                     f"{r['min']:.2f}..{r['max']:.2f} | {_when(r)} |")
    lines += ["", "## Other networks (`benchmarks.training.networks`)", "",
              "| run | epochs | seeds | test % | command | date, commit |",
              "|---|---|---|---|---|---|"]
    for r in _latest(rows("networks"), lambda r: (r["row"], str(r["seeds"]))).values():
        lines.append(f"| {r['row']} | {r['epochs']} | {_seeds(r['seeds'])} | {r['mean']:.2f} | "
                     f"`{r['command']}` | {_when(r)} |")
    lines += ["", "## Tables and studies (`benchmarks.training.kept`)", "",
              "Test accuracy in % of runs in stores, and of studies; with each row its note says "
              "how it was measured.", "", "| what | epochs | seeds | test % | from..to | note | "
              "date, commit |", "|---|---|---|---|---|---|---|"]
    for r in _latest(rows("kept"), lambda r: r["row"]).values():
        lines.append(f"| {r['row']} | {_cell(r.get('epochs'))} | {_seeds(r.get('seeds', []))} | "
                     f"{r['mean']:.2f} | {r['min']:.2f}..{r['max']:.2f} | {r['note']} | "
                     f"{_when(r)} |")
    lines += ["", "## Binary networks (`benchmarks.training.binary`)", "", *_plain("binary")]
    lines += ["", "## Start and memory (`benchmarks.startup`, `benchmarks.memory`)", "",
              "| what | | date, commit |", "|---|---|---|"]
    for r in [*_latest(rows("startup"), lambda r: r["row"]).values(),
              *_latest(rows("memory"), lambda r: r["row"]).values()]:
        value = f"{r['peak_mb']:.0f} MB" if "peak_mb" in r else f"{r['seconds']:.2f} s"
        lines.append(f"| {r['row']} | {value} | {_when(r)} |")
    lines += ["", "## Two builds in turn (`benchmarks.duel`)", "",
              "This build against the one before the kernels were made anew (commit 06c409c), or "
              "against PyTorch's float32 where that is said; one thread where no other number is "
              "named.", "",
              "| what | here, s | there, s | ratio | of | mark | processor | date, commit |",
              "|---|---|---|---|---|---|---|---|"]
    for r in _latest(rows("duel"), lambda r: (r["row"], r["cpu"])).values():
        lines.append(f"| {r['row']} | {r['ours']:.4f} | {r['theirs']:.4f} | {r['ratio']:.2f} | "
                     f"{r['kind']} | {r['mark'] or ''} | {r['cpu']} | {_when(r)} |")
    lines += ["", "## Imported files (`benchmarks.onnx.exporters`, `benchmarks.onnx.quantised`)",
              "", "How far answers to so many inputs, or a node's given the judge's tensors, are "
              "from those of who wrote or judged the file, relative to a tensor's largest number.",
              "", "| network or file | writer or judge | batch | difference | in words of 24 "
              "bits | date, commit |", "|---|---|---|---|---|---|"]
    for r in _latest(rows("onnx"), lambda r: (r["row"], _writer(r), r.get("batch"))).values():
        lines.append(f"| {r['row']} | {_writer(r)} | {_cell(r.get('batch'))} | "
                     f"{r['difference']:.1e} | {_cell(r.get('words'))} | {_when(r)} |")
    lines += _front()
    lines += ["", "## Hardware (`benchmarks.hardware.rtl`, `benchmarks.hardware.mutants`)", "",
              "| what | seconds | date, commit |", "|---|---|---|"]
    for r in _latest(rows("hardware/rtl"), lambda r: r["row"]).values():
        lines.append(f"| {r['row']} | {r['seconds']:.2f} | {_when(r)} |")
    return "\n".join(lines) + "\n"


def _front() -> list[str]:
    """Return the table of whole networks, nothing where none is recorded."""
    found = list(_latest(rows("hardware/front"), lambda r: (r["row"], r["dataset"])).values())
    if not found:
        return []
    head = ("network", "test %", "LUT4", "without multipliers", "FF", "block memories",
            "multipliers", "MHz", "cycles an image", "images/s")
    lines = ["", "## Whole networks (`benchmarks.hardware.front`)", "",
             f"784-100-10 on MNIST, 16 lanes, trained {found[0]['epochs']} epochs, on an "
             f"ECP5-85k ({found[0]['tools']}); a dash: not placed yet.", "",
             f"| {' | '.join(head)} | date, commit |", "|---" * (len(head) + 1) + "|"]
    for r in found:
        cells = [r["row"], f"{r['test']:.2f}", *(_number(r.get(k)) for k in (
            "lut4", "lut4_without_multipliers", "flip_flops", "block_memories", "multipliers",
            "mhz", "clocks_image", "images_per_second")), _when(r)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _number(value) -> str:
    return "-" if value is None else f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"


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


def _writer(row: dict) -> str:
    """Return who wrote a file, or judged it, with the versions of what was used."""
    versions = ", ".join(f"{k} {v}" for k, v in row["writers"].items())
    return f"{row.get('exporter') or row['judge']} ({versions})"


def _seeds(seeds) -> str:
    return ", ".join(map(str, seeds))


def _when(row: dict) -> str:
    return f"{row['date'][:10]}, {row['commit'][:7]}"
