"""The published table of Sanyal, Beerel and Chugg (ICASSP 2020) beside what is measured here."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from nets.settings.recipes import BEST

__all__ = ["CELLS", "DATASETS", "NOTES", "Cell", "measured", "settings_given", "table"]

DATASETS = ("mnist", "fashion-mnist", "emnist-digits", "emnist-letters")


@dataclass(frozen=True)
class Cell:
    """A line of the table: its settings, and what was published of it by data set, in %."""

    name: str
    given: dict
    published: tuple[float, ...] = ()
    epochs: int = 20

    def of(self, dataset: str) -> float | None:
        """Return the accuracy published for a data set."""
        return dict(zip(DATASETS, self.published)).get(dataset)


_LUT = {"delta": "lut"}
_SHIFT = {"delta": "bitshift"}
CELLS: tuple[Cell, ...] = (
    Cell("float", {"arith": "float32"}, (97.4, 87.1, 98.6, 88.1)),
    Cell("linear 16", {"arith": "fixed16"}, (96.9, 88.0, 98.7, 88.7)),
    Cell("linear 16, paper mode", {"arith": "fixed16", "mode": "paper"}, (96.9, 88.0, 98.7, 88.7)),
    Cell("linear 12", {"arith": "fixed12"}, (97.3, 82.8, 98.3, 79.7)),
    Cell("linear 12, paper mode", {"arith": "fixed12", "mode": "paper"}, (97.3, 82.8, 98.3, 79.7)),
    Cell("LNS LUT 16", {"arith": "lns16", **_LUT}, (97.2, 87.1, 97.5, 86.7)),
    Cell("LNS LUT 12", {"arith": "lns12", **_LUT}, (96.0, 80.5, 96.9, 76.4)),
    Cell("LNS bit shift 16", {"arith": "lns16", **_SHIFT}, (96.5, 85.7, 97.4, 82.5)),
    Cell("LNS bit shift 12", {"arith": "lns12", **_SHIFT}, (95.5, 79.3, 96.2, 73.7)),
    *(Cell(f"best {name}", {"arith": name, "recipe": "best"}) for name in BEST),
)
NOTES = (
    "published: one run each, no seed fixed; measured here: mean over seeds after the last epoch",
    "linear, bit-true: weights, activations and gradients are words, updates rounded "
    "stochastically; the published code keeps float64 weights and gradients (paper mode)",
    "linear, bit-true, on letters: logits have the words of activations, and with 26 classes they "
    "run into their ends and the network falls to chance; with --logits, as in recipe best, it "
    "does not",
    "bit shift, bit-true: 1 and -1.5 shifted right by a whole distance lose about four points; the "
    "published figures are those of a table with r = 1",
    "LNS: the published code does not round after each product and takes a soft-max in floats; "
    "here every step is a word",
)


def settings_given(cell: Cell, dataset: str, seed: int, quick: bool) -> dict:
    """Return the settings given of a run of the table; quick is one epoch."""
    return {**cell.given, "dataset": dataset, "seed": seed, "epochs": 1 if quick else cell.epochs}


def measured(rows: list[dict]) -> dict | None:
    """Return mean, deviation (None of one run), lowest and highest accuracy in %, seeds and
    failures of the runs of a cell; None of none."""
    done = [r for r in rows if r["state"] == "done"]
    if not rows:
        return None
    values = [100 * r["test_accuracy"] for r in done]
    return {"mean": statistics.fmean(values) if values else None,
            "deviation": statistics.stdev(values) if len(values) > 1 else None,
            "min": min(values, default=None), "max": max(values, default=None),
            "seeds": sorted(r["config"]["seed"] for r in done),
            "failed": len(rows) - len(done)}


def table(found: dict[tuple[str, str], dict | None], datasets: tuple[str, ...]
          ) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of text: of each data set what was published, and measured."""
    head = ["arithmetic"]
    for name in datasets:
        head += [name, "measured"]
    rows = []
    for cell in CELLS:
        row = [cell.name]
        for name in datasets:
            published = cell.of(name)
            row += ["" if published is None else f"{published:.1f}",
                    _shown(found.get((cell.name, name)))]
        rows.append(row)
    return head, rows


def _shown(cell: dict | None) -> str:
    if cell is None:
        return ""
    failed = f" ({cell['failed']} failed)" if cell["failed"] else ""
    if cell["mean"] is None:
        return f"-{failed}"
    spread = cell["deviation"]
    width = "" if spread is None or math.isnan(spread) else f" ± {spread:.2f}"
    return f"{cell['mean']:.2f}{width}{failed}"
