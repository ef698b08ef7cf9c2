"""The front: what no other point beats, the unit of a run, and the command that draws it."""

import csv
import json
import random

import pytest

from lnsarith.cli import main
from lnsarith.delta.methods import inlined
from nets.experiments.jobs.job import Job
from nets.experiments.jobs.store import Store
from nets.experiments.results.front import Point, dominated, mac_of, named, points
from nets.settings.parsing import parse_format
from nets.settings.recipes import BEST
from nets.settings.settings import Settings
from nets.settings.suited import settings_for


def row(accuracy, **settings):
    config = Settings(**settings).resolved()
    return {"key": str(config), "state": "done", "config": config, "test_accuracy": accuracy,
            "sources": "s"}


def test_a_point_is_on_the_front_unless_one_beats_it():
    rng = random.Random(1)
    every = [Point(str(i), rng.choice("ab"), 12, rng.randrange(8), None, 1, "u", rng.randrange(8))
             for i in range(80)]
    for p in every:
        better = [q for q in every if q.dataset == p.dataset and (
            (q.gates < p.gates and q.accuracy >= p.accuracy)
            or (q.gates <= p.gates and q.accuracy > p.accuracy))]
        assert dominated(p, every) == bool(better)


def test_a_run_has_the_unit_of_its_sums():
    s = Settings(arith="lns12", delta="exact", guard=4, update="stochastic")
    assert str(mac_of(s)) == "lns-mac-unit lns12.6 delta=exact guard=4"
    assert named(s.resolved()) == "lns12 exact g4 s"
    assert str(mac_of(Settings(arith="fixed12"))) == "fixed-mac-unit fixed12.7"
    limited = Settings(arith="fixed12", accumulator="limited20")
    assert str(mac_of(limited)) == "fixed-mac-unit fixed12.7 kind=limited bits=20"
    assert str(mac_of(Settings(arith="fixed12", weights="fixed12.9"))) == "fixed-mac-unit fixed12.9"
    wide = Settings(arith="lns8.3", register_bits=2)
    assert str(mac_of(wide)) == "lns-mac-unit lns10.3 delta=lut"
    for given in ({"arith": "float32"}, {"arith": "fixed16", "mode": "paper"},
                  {"arith": "fixed12", "weights": "fixed13.7"}, {"arith": "minselect16"},
                  {"arith": "lns12", "weights": "lns12.5"}):
        assert mac_of(Settings(**given)) is None


@pytest.mark.parametrize("arith", BEST)
def test_the_best_recipe_is_listed_with_the_unit_of_its_sums(arith):
    best, settings = BEST[arith], settings_for({"arith": arith, "recipe": "best"})
    unit = mac_of(settings)
    assert named(settings.resolved()).endswith(" best")
    assert best.unit == (unit.unit if unit else "")
    if unit:
        listed = {k: inlined(v) if k == "delta" else v for k, v in best.options.items()}
        assert unit.arith == str(settings.format("weights") if not best.words else
                                 parse_format(best.words))
        assert dict(unit.options) == listed


def test_points_are_means_over_seeds_with_what_their_unit_costs():
    rows = [row(0.9, arith="lns12", seed=0), row(0.92, arith="lns12", seed=1),
            row(0.95, arith="fixed12"), row(0.97, arith="float32"), row(0.5, arith="lns9.4")]
    costs = {"lns-mac-unit lns12.6 delta=lut": 300, "fixed-mac-unit fixed12.7": 1000}

    def cost(mac):
        gates = costs.get(str(mac))
        return gates and {"gates": gates, "depth": 5}

    low, high = points(rows, cost)
    assert (low.name, low.gates, low.runs) == ("lns12 lut", 300, 2)
    assert low.accuracy == pytest.approx(91) and low.deviation == pytest.approx(2 ** 0.5)
    assert high.name == "fixed12" and low.best and high.best
    assert points(rows, cost, bits=[9]) == [] == points(rows, cost, datasets=["digits"])


def test_the_command_draws_and_keeps_gates(tmp_path, capsys, monkeypatch):
    path, plot = tmp_path / "s", tmp_path / "front.png"
    columns = {"test_accuracy": [0.9], "val_accuracy": [None]}
    with Store(path) as store:
        for seed in (0, 1):
            config = Settings(arith="fixed8.4", seed=seed).resolved()
            store.keep(Job(config, "d", "s"), "x", {"records": columns, "model_sha256": "",
                                                    "seconds": 1, "train_seconds": 1})
    words = ["front", "--store", str(path), "--json"]
    assert main([*words, "--plot", str(plot)]) == 0
    said = capsys.readouterr()
    point, = json.loads(said.out)["points"]
    assert point["gates"] > 100 and point["best"] and "counting gates" in said.err
    assert plot.read_bytes().startswith(b"\x89PNG")
    lines = list(csv.DictReader(plot.with_suffix(".csv").read_text().splitlines()))
    assert lines[0]["gates"] == str(point["gates"]) and lines[0]["seeds"] == "2"
    assert main(words) == 0 and "counting" not in capsys.readouterr().err
    assert main([*words, "--bits", "12"]) == 2
    assert "none of the 2 runs has --bits 12" in capsys.readouterr().err
    assert main(["front", "--store", str(tmp_path / "none")]) == 2
