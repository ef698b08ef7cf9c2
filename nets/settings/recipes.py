"""Recipes: names for settings that go together, for each number system and width.

`icassp2020` is the published recipe over the defaults of all settings. `best` is what
measured best at stated hardware over MNIST, Fashion-MNIST and EMNIST letters, where that was
measured: `benchmarks/sweeps/` has the sweeps that say so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fxp.format import FormatError

__all__ = ["BEST", "RECIPES", "Best", "recipe_settings"]

RECIPES = ("icassp2020", "best")


@dataclass(frozen=True)
class Best:
    """The best recipe of a format, and the MAC unit that it needs.

    unit and options name a design of lnsarith rtl; accuracy has of each data set the test
    accuracy in percent after 20 epochs, seeds those of its mean.
    """

    settings: dict[str, object]
    unit: str
    options: dict[str, str] = field(default_factory=dict)
    accuracy: dict[str, float] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()


def _lns(**accuracy: float) -> Best:
    settings = {"delta": "exact", "guard": 4, "update": "stochastic"}
    return Best(settings, "lns-mac-unit", {"delta": "exact", "guard": "4"},
                {k.replace("_", "-"): v for k, v in accuracy.items()}, (11,))


BEST: dict[str, Best] = {
    "lns12": _lns(mnist=97.62, fashion_mnist=87.15, emnist_letters=88.18),
    "lns10.4": _lns(mnist=96.78, fashion_mnist=85.27),
    "fixed16": Best({"logits": "fixed20.11"}, "fixed-mac-unit"),
    "fixed12": Best({"logits": "fixed16.7"}, "fixed-mac-unit"),
}
NAMES = {"lns12.6": "lns12", "fixed16.11": "fixed16", "fixed12.7": "fixed12"}


def recipe_settings(recipe: str, arith: str) -> dict[str, object]:
    """Return the settings that a recipe has for an arithmetic; FormatError for a recipe that
    is not known, or not measured for it."""
    if recipe not in RECIPES:
        raise FormatError(f"recipe must be one of {', '.join(RECIPES)}, got {recipe!r}")
    if recipe == "icassp2020":
        return {}
    name = NAMES.get(arith, arith)
    if name not in BEST:
        raise FormatError(f"recipe best is measured for {', '.join(BEST)}, not for {arith}; give "
                          "one of these, or recipe icassp2020")
    return dict(BEST[name].settings)
