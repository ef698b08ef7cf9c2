"""lnsarith study activations: runs, what is not done again, ranks and doubts."""

import json
import math
import statistics

import pytest
from small_digits import small

from lnsarith.cli import main
from nets import data, study
from nets.run import Run

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


def test_a_folder_of_other_settings_is_left_alone(digits, tmp_path, capsys):
    one = ("--activations", "relu", "--seeds", "0")
    assert call(tmp_path, *one) == 0
    assert call(tmp_path, *one, "--lr", "2^-3") == 2
    assert "has lr = 2^-5, the study 2^-3" in capsys.readouterr().err


@pytest.mark.parametrize("more, message", [
    (("--activations", "relu,swish"), "activation must be one of"),
    (("--activations", "relu,relu"), "activations must be names, each once"),
    (("--seeds", "1,x"), "seeds must be integers"),
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
    text = "\n".join(study.table(found))
    assert "m: within one standard error of a (~) are b: undecided" in text
    assert "n: a leads by more than one standard error" in text
