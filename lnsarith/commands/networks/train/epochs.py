"""Epochs trained for someone who watches: progress, troubles, how to go on."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager

__all__ = ["at_work", "counted", "loss_text", "say", "tell_lost", "train_epochs"]


def train_epochs(trainer, kept) -> None:
    """Train the epochs that are left; tell each, and each kind of trouble once.

    NotFinite, and the epoch is not kept, when its loss is no finite number.
    """
    from nets.network.model import NotFinite

    epochs = kept.settings.epochs
    told = {w.partition(":")[0] for r in kept.records for w in r["warnings"]}
    if trainer.epoch >= epochs:
        kept.demand_last()
    while trainer.epoch < epochs:
        title = f"epoch {trainer.epoch + 1}/{epochs}"
        with _bar(title, len(trainer.labels)) as report:
            record = trainer.train_epoch(report)
        if record.loss is None:
            why = record.warnings[0].replace("loss: it", "the loss", 1)
            raise NotFinite(f"epoch {record.epoch}: {why}")
        kept.save(record.as_dict(), trainer.network)
        say(_line(record, epochs))
        for warning in record.warnings:
            kind = warning.partition(":")[0]
            if kind not in told:
                say(f"lnsarith: warning: {warning}")
            told.add(kind)


@contextmanager
def at_work(kept, command: str = "lnsarith train"):
    """Unlock a run in the end; if it ends early, add to the reason how to go on with what
    command."""
    from nets.train.run import RunError

    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"; {_how_to_go_on(kept, command)}") from None
    except RunError as error:
        raise RunError(f"{error}; {_how_to_go_on(kept, command)}") from error
    finally:
        kept.unlock()


def _how_to_go_on(kept, command: str) -> str:
    done = len(kept.records)
    command = f"{command} --resume --out {shlex.quote(str(kept.folder))}"
    return (
        f"{counted(done, 'epoch')} of {kept.settings.epochs} are kept; go on with {command}"
    )


@contextmanager
def _bar(title: str, images: int):
    """Hand out report(images, loss, accuracy): tqdm on a terminal, None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    style = {"unit": " images", "unit_scale": True, "leave": False}
    with tqdm(total=images, desc=title, dynamic_ncols=True, **style) as bar:

        def report(done: int, loss: float, accuracy: float) -> None:
            bar.set_postfix_str(f"loss {loss_text(loss)}, train {accuracy:.2%}", refresh=False)
            bar.update(done - bar.n)

        yield report


def _line(record, epochs: int) -> str:
    val = "" if record.val_accuracy is None else f"  val {record.val_accuracy:.2%}"
    return (
        f"epoch {record.epoch:{len(str(epochs))}}/{epochs}  loss {loss_text(record.loss)}  "
        f"train {record.train_accuracy:.2%}{val}  test {record.test_accuracy:.2%}  "
        f"{record.seconds:.2f} s  {record.images_per_second:,.0f} images/s"
    )


def tell_lost(kept) -> None:
    """Say so if the log has lost epochs that the model has."""
    if kept.lost:
        say(f"lnsarith: warning: {kept.short_log()}")


def loss_text(loss: float | None) -> str:
    """Return a loss as it is told everywhere: with four digits."""
    return "not finite" if loss is None else f"{loss:.4f}"


def counted(count: int, what: str) -> str:
    """Return so many epochs, seeds, ... in words."""
    return f"{count} {what}" + "s" * (count != 1)


def say(text: str) -> None:
    """Tell on stderr how it goes."""
    print(text, file=sys.stderr, flush=True)
