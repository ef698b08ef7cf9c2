"""The published tables and recipes: numbers as published, settings that hold, what is missing."""

import json
from pathlib import Path

import pytest

from fxp.format import FormatError
from lnsarith.cli import main
from lnsarith.commands.networks.experiments.paper import TABLES
from lnsarith.delta.methods import inlined
from nets.experiments.results.paper import CELLS, DATASETS, measured, settings_given, table
from nets.settings.recipes import BEST, RECIPES, recipe_settings
from nets.settings.settings import Settings
from nets.settings.suited import default_name, given_for, settings_for


def test_the_default_recipe_changes_no_setting():
    assert settings_for({"recipe": "icassp2020"}) == settings_for({})
    assert recipe_settings("icassp2020", "lns13.3") == {}
    assert Settings().recipe == RECIPES[0]


@pytest.mark.parametrize("arith", BEST)
def test_the_best_recipe_sets_what_it_says_and_options_beat_it(arith):
    settings = settings_for({"arith": arith, "recipe": "best"})
    for name, value in BEST[arith].settings.items():
        assert getattr(settings, name) == (inlined(value) if name == "delta" else value)
    assert settings_for(given_for(settings)) == settings
    assert default_name(settings) != default_name(settings_for({"arith": arith}))
    assert settings_for({"arith": arith, "recipe": "best", "epochs": 3}).epochs == 3
    assert settings_for({"arith": arith, "recipe": "best", "batch": 7}).batch == 7


def test_other_names_of_a_format_have_its_recipe_and_others_none():
    assert recipe_settings("best", "lns12.6") == recipe_settings("best", "lns12")
    for arith in ("lns12.5", "float64", "binary"):
        with pytest.raises(FormatError, match="recipe best is there for lns16, .*not for"):
            settings_for({"arith": arith, "recipe": "best"})
    with pytest.raises(FormatError, match="recipe must be one of icassp2020, best"):
        recipe_settings("worst", "lns12")


def test_the_table_has_what_was_published_and_runs_that_can_be():
    for cell in CELLS:
        for name in DATASETS:
            settings = settings_for(settings_given(cell, name, 1, False))
            assert settings.epochs == 20 and settings.hidden == (100,)
            assert settings.batch == 5 or cell.name.startswith("best")
    lut = next(c for c in CELLS if c.name == "LNS LUT 12")
    assert [lut.of(n) for n in DATASETS] == [96.0, 80.5, 96.9, 76.4]
    assert settings_given(lut, "mnist", 0, True)["epochs"] == 1


def test_a_cell_tells_mean_spread_and_failures():
    rows = [{"state": "done", "test_accuracy": v, "config": {"seed": s}}
            for s, v in enumerate((0.9, 0.92, 0.94))]
    cell = measured([*rows, {"state": "failed", "test_accuracy": None, "config": {"seed": 3}}])
    assert cell["mean"] == pytest.approx(92) and cell["deviation"] == pytest.approx(2)
    assert cell["seeds"] == [0, 1, 2] and cell["failed"] == 1 and measured([]) is None
    head, lines = table({("LNS LUT 12", "mnist"): cell}, ("mnist",))
    assert head == ["arithmetic", "mnist", "measured"]
    assert ["LNS LUT 12", "96.0", "92.00 ± 2.00 (1 failed)"] in lines


def test_the_tables_are_listed_and_fitted_in_every_form(capsys):
    for form in ("--csv", "--latex", "--json"):
        assert main(["paper", "list", form]) == 0
        assert "icassp2020" in capsys.readouterr().out
    assert main(["paper", "list"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {row[0]}: {row[3]}" in text and row[2].split()[0] == "lnsarith"
               for row in TABLES)
    assert main(["recipes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["recipes"]
    assert {r["arith"] for r in found} == set(BEST)
    assert main(["paper", "icassp2020", "--datasets", "cifar-10"]) == 2
    assert "the table has mnist" in capsys.readouterr().err


def test_the_quick_table_trains_every_cell_and_then_none(tmp_path, monkeypatch, capsys):
    cells = [c for c in CELLS if c.name in ("float", "LNS LUT 12")]
    monkeypatch.setattr("nets.experiments.results.paper.CELLS", tuple(cells))
    words = ["paper", "icassp2020", "--quick", "--datasets", "digits", "--jobs", "1", "--store",
             str(tmp_path / "s"), "--json"]
    assert main(words) == 0
    first = capsys.readouterr()
    cell = json.loads(first.out)["cells"][1]
    assert cell["arithmetic"] == "LNS LUT 12" and cell["measured"]["seeds"] == [0]
    assert 20 < cell["measured"]["mean"] < 100 and cell["published"] is None
    assert main(words) == 0
    assert "2 of them there" in capsys.readouterr().err
    assert Path(tmp_path / "s").exists()
