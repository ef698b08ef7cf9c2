"""Which product needs the bits: the sums of one product alone in a wider or narrower register.

A dense layer has three: forward (activations times weights), input gradient (gradients times
weights) and weight gradient (activations times gradients, which go into the update). Stored words
stay what they are; what changes is the register in which one of them is summed up, or the order.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fxp.format import FormatError
from lnsarith.catalogue.kernels import Accumulator
from lnsarith.lns.format import Lns
from nets.data.sets import Dataset
from nets.settings.settings import Settings
from nets.train.trainer import Trainer

__all__ = ["PRODUCTS", "Change", "changes", "draw", "put", "require_lns", "trained"]

# The product, and what of an arithmetic makes the plan of its sums.
PRODUCTS = {"forward": "affine_plan", "input gradient": "input_gradient_plan",
            "weight gradient": "update_plan"}


@dataclass(frozen=True)
class Change:
    """What is different of one product's sums: so many fraction bits of the register more (or
    fewer, below zero), or another order. `product` "" is none, "all" every one."""

    product: str = ""
    bits: int = 0
    order: str = ""

    def __str__(self) -> str:
        if not self.product:
            return "as it is"
        return f"{self.product} " + (self.order or f"{self.bits:+d} bits")

    def of(self, acc: Accumulator) -> Accumulator:
        """Return sums with this change; a register may become narrower than its words."""
        bits = acc.guard + self.bits
        f = Lns(acc.f.bits + min(bits, 0), acc.f.frac + min(bits, 0))
        return dataclasses.replace(acc, f=f, guard=max(bits, 0), order=self.order or acc.order)


def changes(bits: list[int], orders: list[str]) -> list[Change]:
    """Return no change, then each of each product alone and of all of them together."""
    each = [*((n, "") for n in bits), *((0, order) for order in orders)]
    return [Change(), *(Change(product, n, order) for product in (*PRODUCTS, "all")
                        for n, order in each)]


def require_lns(settings: Settings) -> None:
    """Raise FormatError for a network whose sums are not of LNS numbers."""
    if not settings.arith.startswith("lns"):
        raise FormatError("products are studied by the registers of LNS sums: give an arith such "
                          f"as lns12, not {settings.arith}")


def put(change: Change, ar) -> None:
    """Give an LNS arithmetic that has computed nothing yet the sums of a change."""
    for product, name in PRODUCTS.items():
        if change.product in (product, "all"):
            setattr(ar, name, _changed(change, ar, getattr(ar, name)))


def _changed(change: Change, ar, make: Callable) -> Callable:
    sound = ar.accumulator

    def made(*args, **options):
        ar.accumulator = lambda *roles: change.of(sound(*roles))
        try:
            return make(*args, **options)
        finally:
            ar.accumulator = sound

    return made


def trained(settings: Settings, dataset: Dataset, change: Change, threads: int) -> float:
    """Return the test accuracy in 0..1 after the last epoch of a network with these sums."""
    trainer = Trainer(settings, dataset, threads)
    put(change, trainer.network.ar)
    accuracy = 0.0
    while trainer.epoch < settings.epochs:
        accuracy = trainer.train_epoch().test_accuracy
    return accuracy


def draw(path: str | Path, rows: list[dict], title: str) -> None:
    """Draw the difference of each change to none, a panel for each rounding of updates; rows
    have update, change, difference in 0..1 and its standard error (None of one seed)."""
    from lnsarith.host.picture import GREY, LINE, WARM, picture

    updates = list(dict.fromkeys(r["update"] for r in rows))
    names = [n for n in dict.fromkeys(r["change"] for r in rows) if n != str(Change())]
    size = (1.5 + 4.4 * len(updates), 1.6 + 0.3 * len(names))
    with picture(path, title, size) as figure:
        panels = figure.subplots(1, len(updates), sharey=True, squeeze=False)[0]
        for axes, update in zip(panels, updates):
            own = {r["change"]: r for r in rows if r["update"] == update}
            for y, name in enumerate(names):
                apart, error = own[name]["difference"], own[name]["standard_error"] or 0
                axes.errorbar(100 * apart, y, xerr=100 * error, fmt="o", capsize=3, ms=5,
                              color=LINE if apart >= 0 else WARM)
            axes.axvline(0, color=GREY, lw=1)
            axes.set_yticks(range(len(names)), names)
            axes.set_title(f"updates rounded {'to ' * (update == 'nearest')}{update}" +
                           "ally" * (update == "stochastic"))
            axes.set_xlabel("test accuracy against no change, points")
        panels[0].invert_yaxis()
