"""What stores and studies hold becomes recorded rows, in percent, by name."""

import json

import pytest

from benchmarks.training.kept import main
from nets.experiments.jobs.job import Job
from nets.experiments.jobs.store import Store
from nets.settings.settings import Settings


def test_runs_are_means_over_seeds_and_studies_row_by_row(tmp_path, capsys):
    store, study = tmp_path / "s.sqlite", tmp_path / "study.json"
    with Store(store) as opened:
        for seed, value in ((0, 0.9), (1, 0.92)):
            config = Settings(arith="lns12", loss="sigmoid", epochs=3, seed=seed).resolved()
            columns = {"test_accuracy": [0.1, 0.2, value], "val_accuracy": [None] * 3}
            opened.keep(Job(config, "d", "s"), "x", {"records": columns, "model_sha256": "",
                                                     "seconds": 2, "train_seconds": 1})
        opened.fail(Job(Settings().resolved(), "d", "s"), "x", "no")
    study.write_text(json.dumps({"what": "faults", "training": False, "rows": [
        {"name": "a", "where": "tables", "rate": 0.01, "accuracies": [0.5, 0.7]}]}))
    assert main([str(store), str(study), "--results", str(tmp_path), "--note", "busy"]) == 0
    rows = [json.loads(line) for line in (tmp_path / "kept.jsonl").read_text().splitlines()]
    run, fault = rows
    assert run["row"] == "mnist lns12 lut sigmoid 3 epochs" and run["seeds"] == [0, 1]
    assert (run["mean"], run["min"], run["max"]) == pytest.approx((91, 90, 92))
    assert run["settings"]["loss"] == "sigmoid" and run["note"] == fault["note"] == "busy"
    assert fault["row"] == "a, evaluated, bits of tables flipped at 0.01"
    assert fault["mean"] == pytest.approx(60) and "60.00" in capsys.readouterr().out


def test_a_study_that_it_does_not_know_is_told(tmp_path):
    path = tmp_path / "study.json"
    path.write_text(json.dumps({"what": "batch", "rows": [{}]}))
    with pytest.raises(ValueError, match="a study of batch"):
        main([str(path)])
