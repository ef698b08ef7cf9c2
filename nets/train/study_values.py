"""How batch size or learning rate decide what a network learns, drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from lnsarith.host.picture import LINE, WARM, legend, png, styled
from nets.data.sets import Dataset
from nets.settings.settings import Settings, parse_real
from nets.train.trainer import Record, Trainer

__all__ = ["VALUES", "draw", "study"]

# The settings that are studied and the values tried; batch sizes as published in
# "MNIST Training for BNN" (Diep, Koehler, Naumann, 2021).
VALUES: dict[str, tuple[str, tuple]] = {
    "batch": ("batch", (10, 50, 100, 150, 200, 500, 1000)),
    "rate": ("lr", ("0.0005", "0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1")),
}
INKS = (LINE, WARM)


def study(what: str, settings: Settings, dataset: Dataset, values: Sequence,
          report: Callable[[object, Record], None]) -> list[dict]:
    """Train anew with each value of batch or rate; return a row for each.

    A row holds value, the records of all epochs, and of the last one loss, val and
    test accuracy; seconds are the shortest of an epoch's. report(value, record) hears
    of each epoch.
    """
    name, _ = VALUES[what]
    rows = []
    for value in values:
        trainer = Trainer(replace(settings, **{name: value}), dataset)
        records = []
        for _ in range(settings.epochs):
            records.append(trainer.train_epoch())
            report(value, records[-1])
        last = records[-1]
        rows.append({"value": value, "loss": last.loss, "val_accuracy": last.val_accuracy,
                     "test_accuracy": last.test_accuracy,
                     "seconds": min(r.seconds for r in records),
                     "records": [r.as_dict() for r in records]})
    return rows


def draw(what: str, rows: list[dict], title: str) -> bytes:
    """Return a PNG image of a study: accuracy by value, and seconds or losses."""
    with styled((10, 4)) as figure:
        left, right = figure.subplots(1, 2)
        values = [_number(row) for row in rows]
        for key, label, ink in (("val_accuracy", "validation", INKS[0]),
                                ("test_accuracy", "test", INKS[1])):
            shares = [float("nan") if row[key] is None else 100 * row[key] for row in rows]
            left.plot(values, shares, marker="o", color=ink, label=label)
        left.set_ylabel("accuracy after the last epoch, %")
        legend(left)
        _axis(left, what, rows)
        if what == "batch":
            right.plot(values, [row["seconds"] for row in rows], marker="o", color=INKS[0])
            right.set_ylabel("seconds an epoch")
            right.set_ylim(bottom=0)
            _axis(right, what, rows)
        else:
            _losses(right, rows)
        return png(figure, title)


def _number(row: dict) -> float:
    return float(parse_real("value", str(row["value"])))


def _axis(axes, what: str, rows: list[dict]) -> None:
    axes.set_xscale("log")
    axes.set_xticks([_number(row) for row in rows], [str(row["value"]) for row in rows],
                    rotation=45)
    axes.minorticks_off()
    axes.set_xlabel("images a batch" if what == "batch" else "learning rate at the start")


def _losses(axes, rows: list[dict]) -> None:
    """Draw the loss of each rate, from light to dark as rates rise."""
    from matplotlib import colormaps

    for i, row in enumerate(rows):
        losses = [float("nan") if r["loss"] is None else r["loss"] for r in row["records"]]
        ink = colormaps["Blues"](0.3 + 0.7 * i / max(len(rows) - 1, 1))
        epochs = range(1, len(losses) + 1)
        axes.plot(epochs, losses, color=ink, marker="o", ms=3, label=str(row["value"]))
    axes.set_xlabel("epoch")
    axes.set_xticks(range(1, len(rows[0]["records"]) + 1, max(1, len(rows[0]["records"]) // 8)))
    axes.set_ylabel("training loss")
    axes.set_ylim(bottom=0)
    legend(axes, beside=True, title="rate", fontsize=8)
