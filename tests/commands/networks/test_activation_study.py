"""lnsarith study activations: runs, what is not done again, ranks and doubts."""

import dataclasses
import json
import math
import statistics

import pytest
from helpers.small_digits import small

from lnsarith.cli import main
from nets.data import sets as data
from nets.train import study
from nets.train.run import Run

SMALL = ("--datasets", "digits", "--model", "mlp", "--hidden", "8", "--val", "10", "--epochs", "2")


@pytest.fixture
def digits(monkeypatch):
    monkeypatch.setattr(data, "load", lambda *args: small(60))


def call(folder, *more):
    return main(["study", "activations", *SMALL, "--out", str(folder), *more])


def test_every_activation_and_seed_is_a_run_and_finished_ones_stay(digits, tmp_path, capsys):
    wanted = ("--activations", "relu,gelu,spindle", "--seeds", "3,5")
    assert call(tmp_path, *wanted, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "study.json").read_text()) == result
    rows = result["sets"]["digits"]
    for kind in ("relu", "gelu", "spindle"):
        runs = [Run.open(tmp_path / "digits" / f"{kind}-s{seed}") for seed in (3, 5)]
        assert [(r.settings.activation, r.settings.seed, r.settings.arith) for r in runs] == [
            (kind, 3, "float32"), (kind, 5, "float32")]
        shares = [r.records[-1]["test_accuracy"] for r in runs]
        assert rows[kind]["accuracies"] == shares and len(runs[0].records) == 2
        assert rows[kind]["mean"] == pytest.approx(sum(shares) / 2)
    assert sum(result["rank_sums"].values()) == 6
    assert (tmp_path / "study.png").read_bytes().startswith(b"\x89PNG")
    models = {p: p.read_bytes() for p in tmp_path.glob("digits/*/model.npz")}
    stamps = {p: p.stat().st_mtime_ns for p in models}
    (tmp_path / "digits" / "relu-s5" / "model.npz").unlink()
    assert call(tmp_path, *wanted) == 0
    told = capsys.readouterr()
    assert "relu, seed 5" in told.err and "gelu" not in told.err
    assert {p: p.read_bytes() for p in models} == models
    again = [p.parent.name for p, stamp in stamps.items() if p.stat().st_mtime_ns != stamp]
    assert again == ["relu-s5"]
    assert len([t for t in told.out.splitlines() if t.startswith(("relu", "gelu", "spind"))]) == 3


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_run_that_diverges_counts_as_failed_and_is_not_repeated(digits, tmp_path, capsys):
    wanted = ("--activations", "leaky,sigmoid", "--seeds", "0,1", "--lr", "50000",
              "--weight-decay", "0")
    assert call(tmp_path, *wanted, "--json") == 0
    told = capsys.readouterr()
    result = json.loads(told.out)
    leaky, sigmoid = (result["sets"]["digits"][k] for k in ("leaky", "sigmoid"))
    assert (leaky["failed"], leaky["accuracies"], leaky["mean"], leaky["rank"]) == (2, [], None, 2)
    assert (sigmoid["failed"], len(sigmoid["accuracies"]), sigmoid["rank"]) == (0, 2, 1)
    assert told.err.count("the loss is not a finite number") == 2
    assert [bool(run["failed"]) for run in result["runs"]] == [True, True, False, False]
    assert (tmp_path / "study.png").read_bytes().startswith(b"\x89PNG")
    assert call(tmp_path, *wanted) == 0
    again = capsys.readouterr()
    assert again.err == "" and "2 of 2 failed (2)" in again.out
    (tmp_path / "digits" / "leaky-s1" / "failed.json").write_text("[]")
    assert call(tmp_path, *wanted) == 2
    assert "failed.json is not what this program wrote" in capsys.readouterr().err


def write_fit(path, gain):
    fit = f"0:+2^{gain},1:-2^{gain}"
    path.write_text(json.dumps({"units": fit, "function": "f", "formats": {}}))


def test_each_set_has_the_file_that_is_named_after_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(data, "load", lambda name, *_: dataclasses.replace(small(60), name=name))
    for i, name in enumerate(("digits", "mnist")):
        for file in (f"{name}.json", f"{name}-fine.json"):
            write_fit(tmp_path / file, -i)
    kinds = f"spindle:{tmp_path}/{{dataset}}.json,spindle:{tmp_path}/{{dataset}}-fine.json"
    sets = ("--datasets", "digits,mnist", "--seeds", "0")
    assert call(tmp_path / "s", "--activations", kinds, *sets) == 0
    for i, name in enumerate(("digits", "mnist")):
        for kind in ("spindle-dataset", "spindle-dataset-fine"):
            run = Run.open(tmp_path / "s" / name / f"{kind}-s0")
            assert run.settings.activation.count(f"2^{-i}") == 2, run.settings.activation
    assert "spindle-dataset-fine" in capsys.readouterr().out
    (tmp_path / "mnist.json").unlink()
    assert call(tmp_path / "t", "--activations", f"spindle:{tmp_path}/{{dataset}}.json",
                *sets) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "mnist.json" in err and not (tmp_path / "t").exists()
    alike = f"spindle:{tmp_path}/digits.json,spindle:{tmp_path}/../{tmp_path.name}/digits.json"
    assert call(tmp_path / "t", "--activations", alike, *sets) == 2
    assert "would share a name" in capsys.readouterr().err


def test_a_folder_of_other_settings_is_left_alone(digits, tmp_path, capsys):
    one = ("--activations", "relu", "--seeds", "0")
    assert call(tmp_path, *one) == 0
    assert call(tmp_path, *one, "--lr", "2^-3") == 2
    assert "has lr = 2^-5, the study 2^-3" in capsys.readouterr().err


@pytest.mark.parametrize("more, message", [
    (("--activations", "relu,swish"), "activation must be one of"),
    (("--activations", "relu,relu"), "activations must be names, each once"),
    (("--seeds", "1,x"), "seeds must be an integer"),
    (("--datasets", "polymnist"), "no data set is called 'polymnist'"),
    (("--activations", "spindle:absent.json"), "absent.json")])
def test_what_cannot_be_is_refused_before_anything_is_trained(more, message, tmp_path, capsys,
                                                              monkeypatch):
    monkeypatch.setattr(data, "load", None)
    assert call(tmp_path / "s", *more) == 2
    assert message in capsys.readouterr().err and not (tmp_path / "s").exists()


def test_means_ranks_and_doubts():
    found = study.summary({"m": {"a": [0.95, 0.97], "b": [0.955, 0.957], "c": [0.5, 0.5],
                                 "d": [0.5, 0.5]},
                           "n": {"a": [0.9, 0.9], "b": [0.2, 0.2], "c": [0.8, 0.8],
                                 "d": [0.1, 0.1]}}, {"m": 10_000, "n": 400})
    m, n = found["sets"]["m"], found["sets"]["n"]
    assert [m[k]["rank"] for k in "abcd"] == [1, 2, 3.5, 3.5]
    assert [n[k]["rank"] for k in "abcd"] == [1, 3, 2, 4]
    assert found["rank_sums"] == {"a": 2, "b": 5, "c": 5.5, "d": 7.5}
    spread = statistics.stdev([0.95, 0.97])
    assert m["a"]["deviation"] == pytest.approx(spread)
    assert m["a"]["standard_error"] == pytest.approx(
        math.sqrt(0.96 * 0.04 / 10_000 + spread**2 / 2))
    # .960 against .956: their errors are .0102 and .0023, together .0104.
    assert [m[k]["open"] for k in "abcd"] == [False, True, False, False]
    assert [n[k]["open"] for k in "abcd"] == [False] * 4
    broken = study.summary({"m": {"a": [None, 0.99], "b": [0.5, 0.6], "c": [None, None]}},
                           {"m": 100})["sets"]["m"]
    assert [broken[k]["rank"] for k in "abc"] == [2, 1, 3]
    assert [broken[k]["failed"] for k in "abc"] == [1, 0, 2] and not broken["a"]["open"]
    text = "\n".join(study.table(found))
    assert "m: within one standard error of a (~) are b: undecided" in text
    assert "n: a leads by more than one standard error" in text
