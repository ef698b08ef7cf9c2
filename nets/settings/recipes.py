"""Recipes: names for settings that go together, for each number system and width.

`icassp2020` is the published recipe over the defaults of all settings. `best` is what holds
over MNIST, Fashion-MNIST and EMNIST letters at stated hardware;
`benchmarks/training/sweeps/marks.toml` measures it, and accuracies stand here where it did.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fxp.format import FormatError

__all__ = ["BEST", "RECIPES", "Best", "best_of", "recipe_settings"]

RECIPES = ("icassp2020", "best")


@dataclass(frozen=True)
class Best:
    """The best recipe of a format, and the MAC unit that it needs.

    unit, options and words name a design of lnsarith rtl, "" where there is none, words where
    they are not the recipe's own; accuracy has of each data set the test accuracy in percent
    after 20 epochs, seeds those of its mean. gates are those of the unit in its smallest flow,
    seconds the mean of a run; None where not measured.
    """

    settings: dict[str, object]
    unit: str = ""
    options: dict[str, str] = field(default_factory=dict)
    accuracy: dict[str, float] = field(default_factory=dict)
    seeds: tuple[int, ...] = ()
    words: str = ""
    gates: int | None = None
    seconds: float | None = None


# Batches and rates: a step moves a weight by a unit often enough, and the last ones are small.
_FALLING: dict[str, object] = {"batch": 20, "lr": "2^-3", "schedule": "cosine"}
_DESIGNED = {"guard": 2, "update": "stochastic", **_FALLING}
# In 10 and 8 bits: logits that are no stored words; gradients moved into the range of theirs.
_LNS8 = {"delta": "design:lns8-527", "guard": 5, "register_bits": 2, "logits": "lns12",
         "loss_scale": 9, "update": "stochastic", "batch": 100, "lr": "2^-1",
         "schedule": "cosine"}
_LNS10 = {"delta": "design:lns10-772", "guard": 4, "logits": "lns12", "loss_scale": 8,
          "update": "stochastic", "batch": 50, "lr": "2^-2", "schedule": "cosine"}
_FIXED12 = {"weights": "fixed12.11", "activations": "fixed12.8", "gradients": "fixed12.11",
            "logits": "fixed16.8", "loss_scale": 2, **_FALLING}
_FIXED10 = {"activations": "fixed10.6", "gradients": "fixed10.9", "logits": "fixed14.6",
            "loss_scale": 2, **_FALLING}
_FIXED8 = {**_FIXED10, "activations": "fixed8.5", "gradients": "fixed8.7", "logits": "fixed12.5"}
_SEEDS = (0, 1, 2)
BEST: dict[str, Best] = {
    "lns16": Best({"delta": "design:lns16-1038", **_DESIGNED}, "lns-mac-unit",
                  {"delta": "design:lns16-1038", "guard": "2"},
                  {"mnist": 97.94, "fashion-mnist": 88.48, "emnist-letters": 89.98}, _SEEDS,
                  gates=1038, seconds=136),
    "lns12": Best({"delta": "design:lns12-805", **_DESIGNED}, "lns-mac-unit",
                  {"delta": "design:lns12-805", "guard": "2"},
                  {"mnist": 97.96, "fashion-mnist": 88.55, "emnist-letters": 89.55}, _SEEDS,
                  gates=805, seconds=103),
    "lns10.4": Best(_LNS10, "lns-mac-unit", {"delta": "design:lns10-772", "guard": "4"},
                    {"mnist": 97.62, "fashion-mnist": 87.99, "emnist-letters": 87.74}, _SEEDS,
                    gates=772, seconds=95),
    # The unit has two bits more than the words: the octaves of the register.
    "lns8.3": Best(_LNS8, "lns-mac-unit", {"delta": "design:lns8-527", "guard": "5"},
                   {"mnist": 97.31, "fashion-mnist": 86.72, "emnist-letters": 85.92}, _SEEDS,
                   words="lns10.3", gates=588, seconds=59),
    "fixed16": Best({"logits": "fixed20.11", **_FALLING}, "fixed-mac-unit", {},
                    {"mnist": 97.77, "fashion-mnist": 88.19, "emnist-letters": 89.50}, _SEEDS,
                    gates=1598, seconds=44),
    "fixed12": Best(_FIXED12, "fixed-mac-unit", {},
                    {"mnist": 97.73, "fashion-mnist": 88.21, "emnist-letters": 89.41}, _SEEDS,
                    words="fixed12.11", gates=985, seconds=45),
    "fixed10.9": Best(_FIXED10, "fixed-mac-unit", {},
                      {"mnist": 97.68, "fashion-mnist": 87.82, "emnist-letters": 88.94}, _SEEDS,
                      gates=734, seconds=44),
    "fixed8.7": Best(_FIXED8, "fixed-mac-unit", {},
                     {"mnist": 97.33, "fashion-mnist": 86.78, "emnist-letters": 86.74}, _SEEDS,
                     gates=528, seconds=35),
    "float32": Best(dict(_FALLING), "", {},
                    {"mnist": 97.74, "fashion-mnist": 88.26, "emnist-letters": 89.53}, _SEEDS,
                    seconds=45),
}
NAMES = {"lns16.10": "lns16", "lns12.6": "lns12", "fixed16.11": "fixed16", "fixed12.7": "fixed12"}


def best_of(arith: str) -> Best | None:
    """Return the best recipe of an arithmetic by any of its names, None where none is known."""
    return BEST.get(NAMES.get(arith, arith))


def recipe_settings(recipe: str, arith: str) -> dict[str, object]:
    """Return the settings that a recipe has for an arithmetic; FormatError for a recipe that
    is not known, or not measured for it."""
    if recipe not in RECIPES:
        raise FormatError(f"recipe must be one of {', '.join(RECIPES)}, got {recipe!r}")
    if recipe == "icassp2020":
        return {}
    best = best_of(arith)
    if best is None:
        raise FormatError(f"recipe best is there for {', '.join(BEST)}, not for {arith}; give "
                          "one of these, or recipe icassp2020")
    return dict(best.settings)
