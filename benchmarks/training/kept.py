"""Keeps what stores of runs and studies hold as recorded rows: means over seeds in %.

    python -m benchmarks.training.kept runs/store.sqlite studies/products/study.json --record

Runs of a store are grouped as lnsarith runs compare does; of a study each row is one. The
conditions are those of the recording: what else the machine did while they were trained, a note
says (--note).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common.options import make_parser
from benchmarks.common.rows import Results

COLUMNS = {"row": "row", "epochs": "epochs:d", "mean": "mean %:.2f", "min": "min:.2f",
           "max": "max:.2f"}


def main(argv: list[str] | None = None) -> int:
    """Read every file, print and keep its rows."""
    parser = make_parser("training.kept", __doc__, dataset=False)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE",
                        help="stores (.sqlite) and study.json files")
    parser.add_argument("--note", default="", help="how it was measured, kept with each row")
    options = parser.parse_args(argv)
    results = Results("kept", options.results, judge=False)
    for path in options.files:
        rows = _study(json.loads(path.read_text())) if path.suffix == ".json" else _store(path)
        for row in rows:
            results.add({**row, "note": options.note})
    return results.finish(COLUMNS)


def _store(path: Path) -> Iterator[dict]:
    from nets.experiments.results.choose import from_store
    from nets.experiments.results.front import named

    groups: dict[str, list[dict]] = {}
    for row in from_store(path):
        if row["state"] == "done":
            c = row["config"]
            parts = [c["dataset"], named(c), "paper mode" * (c["mode"] == "paper"),
                     c["loss"] * (c["loss"] != "softmax"), f"{c['epochs']} epochs"]
            groups.setdefault(" ".join(filter(None, parts)), []).append(row)
    for name, rows in groups.items():
        values = [100 * r["test_accuracy"] for r in rows]
        yield {"row": name, "epochs": rows[0]["config"]["epochs"], **_spread(values),
               "seeds": sorted(r["config"]["seed"] for r in rows),
               "seconds": sum(r["seconds"] for r in rows) / len(rows),
               "settings": {k: v for k, v in rows[0]["config"].items() if k != "seed"}}


def _study(study: dict) -> Iterator[dict]:
    what, s = study["what"], study.get("settings", {})
    for r in study["rows"]:
        if what == "products":
            yield {"row": f"{s['dataset']} {s['arith']} {s['delta']}, updates {r['update']}, sums: "
                   f"{r['change']}", "epochs": s["epochs"], "seeds": study["seeds"],
                   **_spread([100 * a for a in r["accuracies"]])}
        elif what == "heads":
            for kind in ("words", "floats"):
                yield {"row": f"{r['name']}, head: {r['head']}, {kind}", "products": r["products"],
                       **_spread([100 * r[kind]])}
        elif what == "faults":
            how = "trained" if study["training"] else "evaluated"
            yield {"row": f"{r['name']}, {how}, bits of {r['where']} flipped at {r['rate']:g}",
                   **_spread([100 * a for a in r["accuracies"]])}
        else:
            raise ValueError(f"a study of {what} is not kept here")


def _spread(values: list[float]) -> dict:
    found = {"mean": sum(values) / len(values), "min": min(values), "max": max(values)}
    return {**{k: round(v, 4) for k, v in found.items()}, "last": [round(v, 4) for v in values]}


if __name__ == "__main__":
    sys.exit(main())
