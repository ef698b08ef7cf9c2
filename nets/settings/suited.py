"""What suits data sets and models better than the defaults, and what runs are called."""

from __future__ import annotations

import dataclasses
import re

from fxp.format import FormatError
from lnsarith.delta.methods import brief, inlined
from lnsarith.host.files.naming import LONGEST, digested
from nets.settings.combinations import check_combinations
from nets.settings.parsing import FLOATS
from nets.settings.recipes import best_of, recipe_settings
from nets.settings.setting import about
from nets.settings.settings import DELTAS, Settings
from nets.settings.spindle import PREFIX, activation_kind, with_function

__all__ = ["default_name", "given_for", "in_full", "settings_for", "with_recipe"]

# Settings with a place of their own in a run's name, or none in it.
NAMED = ("dataset", "model", "hidden", "arith", "delta", "mode", "activation", "binarize_input",
         "seed", "epochs")

# What suits a data set better than the defaults, which are those of MNIST.
SUITED: dict[str, dict] = {"digits": {"val": 200, "epochs": 30, "lr": "2^-5"}}
# What suits a model better than the defaults, which are those of the perceptron.
_CONVOLUTIONS = {"activation": "relu", "init": "he", "epochs": 12, "batch": 16,
                 "lr": "2^-5", "momentum": "0.5", "schedule": "cosine"}
_RESIDUAL = {**_CONVOLUTIONS, "norm": "batch", "momentum": "0.9", "batch": 64, "lr": "2^-4",
             "shuffle": "epoch", "input_mean": "0.47", "input_scale": "4"}
SUITED_MODELS: dict[str, dict] = {
    "lenet5": _CONVOLUTIONS,
    "lenet-wide": _CONVOLUTIONS,
    "mini-cifar": {**_CONVOLUTIONS, "input_mean": "0.47", "input_scale": "4"},
    "resnet8": _RESIDUAL,
    "resnet20": _RESIDUAL,
}
# What suits such models of min-selectors in float32. Their sub-gradients are zero for one
# operand of two: Adam evens that out, and the clip costs more than it helps.
SELECTORS = {"norm": "batch", "batch": 64, "epochs": 20, "shuffle": "epoch", "backward": "sub",
             "clip_operands": "no", "optimizer": "adam", "lr": "2^-8", "weight_decay": "0"}
# What suits binary networks, whatever their model, and such networks on a data set.
BINARY = {"activation": "sign", "norm": "batch", "optimizer": "adam", "lr": "0.03",
          "weight_decay": "0", "schedule": "cosine", "schedule_by": "batch", "shuffle": "epoch",
          "batch": 100, "epochs": 50}
BINARY_SETS: dict[str, dict] = {"digits": {"val": 200, "batch": 20, "epochs": 30}}
# Groups of settings that are a choice of arithmetic: whoever gives one has no use for a recipe.
CHOSEN = ("arithmetic", "sums", "updates", "soft-max", "min-selector")
# Other names that some settings' values have.
NAMES = {"loss": {"log-softmax": "softmax", "squared-hinge": "hinge"}}


def with_recipe(given: dict) -> dict:
    """Return what a person gave, with the recipe that is theirs where they name none.

    It is best for a perceptron, which recipes were measured on, in a format that has one, where
    of the arithmetic nothing but the format is given, and nothing that the recipe would set; else
    icassp2020. Code and files of many runs name theirs: `settings_for` has icassp2020 alone.
    """
    fields, best = Settings.__dataclass_fields__, best_of(given.get("arith", "lns16"))
    plain = (best is None or given.get("model", "mlp") != "mlp" or "transfer" in given
             or best.settings.keys() & given
             or any(about(fields[k]).group in CHOSEN for k in given if k != "arith"))
    return {"recipe": "icassp2020" if plain else "best", **given}


def in_full(given: dict) -> dict:
    """Return given settings as a run keeps them: model bnn is mlp with arith binary, other
    names of values are replaced, spindle:FILE by the file's function, Delta methods file:FILE
    and design:NAME by what they say. FormatError where there is none, or where another arith is
    given with bnn."""
    given = {k: NAMES.get(k, {}).get(v, v) for k, v in given.items()}
    given |= {k: inlined(given[k]) for k in DELTAS if isinstance(given.get(k), str)}
    if given.get("model") == "bnn":
        if given.get("arith", "binary") != "binary":
            raise FormatError("model bnn is mlp with arith binary; with arith "
                              f"{given['arith']} give model mlp")
        given |= {"model": "mlp", "arith": "binary"}
    return with_function(given)


def settings_for(given: dict) -> Settings:
    """Return the settings given, completed by what suits the data set and the model.

    A resumed run needs none of this: its config.json has every setting. Raises FormatError
    for a setting given that has no meaning with the others, even where it is the default.
    """
    given = in_full(given)
    if given.get("arith") == "binary" and given.get("recipe") != "best":
        return _checked(_binary(given), given)
    suited = SUITED.get(given.get("dataset", ""), {})
    model = SUITED_MODELS.get(given.get("model", ""), {})
    if model and given.get("arith") == "minselect-float" and given.get("optimizer") != "sgd":
        transferred = {"lr": "2^-10", "epochs": 12} if "transfer" in given else {}
        model = {**model, **SELECTORS, **transferred}
    if {**model, **given}.get("optimizer") == "adam":  # it has momenta of its own
        model = {k: v for k, v in model.items() if k != "momentum"}
    if "init_std" in given:  # it goes with an init of its own
        model = {k: v for k, v in model.items() if k != "init"}
    if model and given.get("arith") in ("fixed16", "fixed16.11", "minselect16", "minselect16.11"):
        # Coarser ones are lost in so many ways that the logits drift to their ends.
        model = {**model, "gradients": "fixed16.15"}
    if model.get("norm") == "batch" and given.get("arith", "lns16") not in FLOATS:
        model = {**model, "loss_scale": 10 if given.get("arith", "lns16").startswith("lns") else 6}
    recipe = recipe_settings(given.get("recipe", "icassp2020"), given.get("arith", "lns16"))
    return _checked({**suited, **model, **recipe, **given}, given)


def _checked(every: dict, given: dict) -> Settings:
    settings = Settings(**every)
    check_combinations(settings, given)
    return settings


def _binary(given: dict) -> dict:
    """Return the settings given of a binary network, completed."""
    suited = {**BINARY, **BINARY_SETS.get(given.get("dataset", ""), {})}
    if given.get("model", "mlp") == "mlp":
        suited["hidden"] = (256, 256, 256)
    if given.get("schedule") == "exponential":
        suited["lr_last"] = "1e-6"
    return {**suited, **given}


def given_for(settings: Settings) -> dict:
    """Return the fewest settings that `settings_for` completes to these."""
    every = {f.name: getattr(settings, f.name) for f in dataclasses.fields(settings)}
    given = {name: every[name] for name in ("dataset", "model", "arith")}
    if every["recipe"] != "icassp2020":
        given["recipe"] = every["recipe"]
    while True:
        made = settings_for(given)
        if made == settings:
            return given
        given |= {k: v for k, v in every.items() if getattr(made, k) != v}


def default_name(settings: Settings) -> str:
    """Return what a run is called: mnist-lns16-lut-s0, mnist-128-64-lns12-exact-guard-4-s1, ...

    Runs that differ in any setting but epochs have two names: what is not usual for the
    data set and the model is named, and a digest ends what would be too long.
    """
    s, given = settings, given_for(settings)
    units = s.hidden if s.binary and s.model == "mlp" else given.get("hidden", ())
    parts = [s.dataset, "" if s.model == "mlp" else s.model, s.arith if s.binary else "",
             *(map(str, units) if s.hidden else ["hidden-none"]),
             s.binarize_input if s.binary else s.arith,
             brief(s.delta) if s.arith.startswith("lns") else "",
             "" if s.mode == "bit-true" else s.mode, activation_kind(given.get("activation", ""))]
    parts += [f"{k}-{v}" for k, v in given.items() if k not in NAMED]
    told = "-".join(filter(None, [*parts, f"s{s.seed}"]))
    told = told.replace("+", "").replace("^", "p")  # 2^3, 2^-3 and 2/3 are three numbers
    name = re.sub(r"[^A-Za-z0-9.]+", "-", told)
    return digested(name, str(given), LONGEST, "-") if _loses(name, given) else name


def _loses(name: str, given: dict) -> bool:
    """Whether settings that differ may share a name: where it is cut, a function is not told,
    or a folder not letter by letter."""
    return (len(name) > LONGEST or given.get("activation", "").startswith(PREFIX)
            or "transfer" in given)
