"""Flipped bits: as many as the rate says, of words that stay words, and what a study tells."""

import json

import numpy as np
import pytest

from fxp.format import Fixed
from lnsarith.cli import main
from lnsarith.lns.format import Lns
from nets.experiments.faults import flip


@pytest.mark.parametrize("f", [Fixed(12, 7), Fixed(20, 11), Lns(12, 6), Lns(9, 4)], ids=str)
def test_each_bit_flips_with_the_rate_and_words_stay_words(f):
    rng = np.random.default_rng(0)
    words = rng.integers(f.words[0], f.words[1] + 1, (400, 250)).astype(f.dtype)
    if isinstance(f, Lns):
        words[(words.astype(int) & ((1 << (f.bits - 1)) - 1)) == f.zero] = f.zero
    after = flip(words, f, 0.01, rng)
    assert after.dtype == words.dtype and after.shape == words.shape
    assert f.words[0] <= after.min() and after.max() <= f.words[1]
    apart = (words.astype(np.int64) ^ after) & ((1 << f.bits) - 1)
    for bit in range(f.bits):  # 1,000 expected of each bit, standard deviation 32
        assert 840 < ((apart >> bit) & 1).sum() < 1160
    assert (flip(words, f, 0.0, rng) == words).all()


def test_a_zero_of_lns_has_no_sign():
    f = Lns(9, 4)
    words = np.full((1, 5000), f.zero, f.dtype)
    after = flip(words, f, 0.1, np.random.default_rng(1))
    assert not (after == f.zero - (1 << (f.bits - 1))).any() and (after != f.zero).any()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs")
    for arith in ("lns12", "fixed12"):
        main(["train", "--dataset", "digits", "--arith", arith, "--epochs", "2", "--no-plot",
              "--hidden", "20", "--recipe", "icassp2020", "--out", str(place / arith)])
    return [str(place / "lns12"), str(place / "fixed12")]


def test_more_flips_leave_less_and_the_same_seed_the_same(runs, tmp_path, capsys):
    words = ["study", "faults", *runs, "--rates", "1e-5,0.02", "--draws", "2", "--json"]
    assert main([*words, "--out", str(tmp_path / "a")]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert len(rows) == 2 * 2 * 3
    for row in rows:
        clean = next(r for r in rows if r["run"] == row["run"] and not r["rate"])
        assert clean["mean"] > 0.7
        assert row["mean"] < clean["mean"] - 0.2 if row["rate"] > 0.01 else row["mean"] > 0.5
    assert (tmp_path / "a" / "study.png").read_bytes().startswith(b"\x89PNG")
    assert main([*words, "--out", str(tmp_path / "b")]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == rows


def test_training_with_flips_is_worse_than_without(runs, tmp_path, capsys):
    assert main(["study", "faults", runs[1], "--rates", "0.01", "--draws", "1", "--train", "2",
                 "--json", "--out", str(tmp_path)]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    by = {(r["where"], r["rate"]): r["mean"] for r in rows}
    assert by["weights", 0.0] == by["activations", 0.0] > 0.7
    assert by["weights", 0.01] < 0.5 and by["activations", 0.01] < by["activations", 0.0] - 0.1


def test_flipped_tables_spoil_sums_of_logarithms_alone_until_something_learns(runs, tmp_path,
                                                                               capsys):
    words = ["study", "faults", *runs, "--where", "tables", "--rates", "0.2", "--draws", "1",
             "--json", "--out", str(tmp_path)]
    assert main(words) == 0
    lns, fixed = _by_run(capsys, runs)
    assert lns[0.0] > 0.7 and lns[0.2] < lns[0.0] - 0.2
    assert fixed[0.0] == fixed[0.2] > 0.7  # no table decides which logit is the largest
    assert main([*words, "--train", "2"]) == 0
    lns, fixed = _by_run(capsys, runs)
    assert lns[0.2] < lns[0.0] - 0.2 and fixed[0.2] != fixed[0.0]


def _by_run(capsys, runs):
    rows = json.loads(capsys.readouterr().out)["rows"]
    return [{r["rate"]: r["mean"] for r in rows if r["run"] == run} for run in runs]


@pytest.mark.parametrize("more, said", [
    (["--where", "gates"], "where must be some of weights, activations, tables, got 'gates'"),
    (["--rates", "2"], "rates must lie above 0 and up to 0.5"),
    (["--draws", "0"], "draws must be 1..1000"),
    (["--images", "0"], "images must be 1..355"),
])
def test_what_cannot_be_is_told(runs, tmp_path, capsys, more, said):
    assert main(["study", "faults", runs[0], "--out", str(tmp_path), *more]) == 2
    assert said in capsys.readouterr().err


def test_floats_have_no_words(tmp_path, capsys):
    main(["train", "--dataset", "digits", "--arith", "float32", "--epochs", "1", "--no-plot",
          "--out", str(tmp_path / "r")])
    capsys.readouterr()
    assert main(["study", "faults", str(tmp_path / "r"), "--out", str(tmp_path / "s")]) == 2
    assert "not of float32" in capsys.readouterr().err and not (tmp_path / "s").exists()
