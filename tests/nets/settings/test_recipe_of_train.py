"""Which recipe train takes where none is named: best for a bare format, never behind a choice."""

import dataclasses

import pytest

from fxp.format import FormatError
from nets.settings.recipes import BEST, NAMES, Best
from nets.settings.settings import Settings
from nets.settings.suited import settings_for, with_recipe

DEFAULTS = {f.name: f.default for f in dataclasses.fields(Settings)}
# A choice of the arithmetic beyond its format, though none of a recipe's own settings.
CHOICES = {"weights": "lns12.5", "order": "tree", "underflow": "smallest", "decay": "level",
           "accumulator": "each", "update_guard": 4, "softmax_bits": 6, "softmax_pull": 6,
           "softmax_delta": "exact", "norm_delta": "lut", "mode": "bit-true", "guard": 1,
           "update": "nearest", "delta": "lut"}
# Something else: the data, the perceptron, how long and how fast it learns.
OTHERS = {"dataset": "digits", "hidden": (30, 20), "seed": 3, "epochs": 2, "val": 100,
          "activation": "relu", "slope": -5, "init": "he", "norm": "batch", "dropout": "0.25",
          "shift": 1, "momentum": "0.5", "clip": "1", "l1": "2^-14", "weight_decay": "0",
          "shuffle": "epoch"}


def recipe(**given):
    return with_recipe(given)["recipe"]


@pytest.mark.parametrize("arith", [*BEST, *NAMES])
def test_a_bare_format_has_its_best_recipe_and_a_setting_of_that_is_a_choice(arith):
    assert recipe(arith=arith) == "best"
    for name in BEST[NAMES.get(arith, arith)].settings:
        assert recipe(arith=arith, **{name: DEFAULTS[name]}) == "icassp2020", name
    for name, value in CHOICES.items():
        assert recipe(arith=arith, **{name: value}) == "icassp2020", name
    own = BEST[NAMES.get(arith, arith)].settings
    for name, value in OTHERS.items():
        assert recipe(arith=arith, **{name: value}) == "best" or name in own, name


@pytest.mark.parametrize("given", [
    {"arith": "float64"}, {"arith": "lns9.4"}, {"arith": "binary"}, {"arith": "minselect16"},
    {"model": "bnn"}, {"arith": "lns12", "model": "lenet5"}, {"arith": "lns12", "model": "resnet8"},
    {"arith": "fixed12", "mode": "paper"}, {"arith": "fixed16", "transfer": "runs/exact"}], ids=str)
def test_what_recipes_were_not_measured_on_has_none_of_them(given):
    assert recipe(**given) == "icassp2020"


def test_a_named_recipe_stays_whatever_else_is_given():
    given = {"arith": "lns12", "recipe": "icassp2020"}
    assert with_recipe(given) == given
    given = {"arith": "lns12", "recipe": "best", "guard": 4}
    assert with_recipe(given) == given


def test_the_default_arithmetic_has_the_recipe_that_is_written_down_for_it(monkeypatch):
    monkeypatch.delitem(BEST, "lns16", raising=False)
    assert recipe() == recipe(dataset="digits") == "icassp2020"
    settings = {"delta": "interp:r=1/8", "guard": 2, "update": "stochastic"}
    monkeypatch.setitem(BEST, "lns16", Best(settings, "lns-mac-unit"))
    for given in ({}, {"dataset": "digits"}, {"arith": "lns16"}):
        found = settings_for(with_recipe(given))
        assert found.recipe == "best" and {k: getattr(found, k) for k in settings} == settings
    assert settings_for(with_recipe({"guard": 0})) == settings_for({}) == Settings()


@pytest.mark.parametrize("arith", BEST)
def test_nothing_that_is_taken_beside_the_plain_settings_is_refused_beside_best(arith):
    tried = 0
    for name, value in [*DEFAULTS.items(), *CHOICES.items(), *OTHERS.items(), ("loss", "sigmoid")]:
        given = {"arith": arith, name: value} if name != "arith" else {"arith": arith}
        try:
            settings_for({**given, "recipe": "icassp2020"})
        except FormatError:
            continue
        settings_for(with_recipe({k: v for k, v in given.items() if k != "recipe"}))
        tried += 1
    assert tried > 50
