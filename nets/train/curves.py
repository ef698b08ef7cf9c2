"""Loss and accuracies of a run over its epochs, drawn."""

from __future__ import annotations

from lnsarith.host.picture import INK, LINE, WARM, legend, png, styled

__all__ = ["draw"]

INKS = {"train": INK, "validation": LINE, "test": WARM}


def draw(records: list[dict], title: str, loss: str = "nats an image") -> bytes:
    """Return a PNG image of the records of `nets.train.trainer.Record`; loss is its unit."""
    with styled((9, 3.6)) as figure:
        left, right = figure.subplots(1, 2)
        _lines(left, records, {"train": "loss"}, 1)
        left.set_ylabel(f"training loss, {loss}")
        left.set_ylim(bottom=0)
        keys = {
            "train": "train_accuracy",
            "validation": "val_accuracy",
            "test": "test_accuracy",
        }
        _lines(right, records, keys, 100)
        right.set_ylabel("accuracy, %")
        legend(right)
        return png(figure, title)


def _lines(axes, records: list[dict], keys: dict[str, str], scale: float) -> None:
    """Draw one line for each key; epochs without a value leave a gap."""
    from matplotlib.ticker import MaxNLocator

    epochs = [r["epoch"] for r in records]
    mark = "o" if len(records) < 30 else ""
    for label, key in keys.items():
        values = [float("nan") if r[key] is None else scale * r[key] for r in records]
        axes.plot(epochs, values, color=INKS[label], label=label, marker=mark, ms=3)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
