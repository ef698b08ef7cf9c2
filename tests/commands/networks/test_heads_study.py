"""Discriminant heads of LNS neurons: they are what scikit-learn fits, and words come close."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)

from lnsarith.catalogue.array import LnsArray
from lnsarith.cli import main
from nets.arithmetic.choose import make_arithmetic
from nets.experiments.studies import heads
from nets.settings.settings import Settings


@pytest.fixture(scope="module")
def clouds():
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=900)
    spread = rng.normal(0, 1, (4, 6, 6))
    x = np.array([rng.normal(0, 1, 6) @ spread[k] + 2 * np.sin(k + np.arange(6)) for k in labels])
    return x, labels


def test_fits_are_those_of_scikit_learn(clouds):
    x, labels = clouds
    linear = heads.fit_linear(x, labels)
    wanted = LinearDiscriminantAnalysis().fit(x, labels)
    assert (linear.reals(x).argmax(axis=1) == wanted.predict(x)).all()
    quadratic = heads.fit_quadratic(x[:600], labels[:600], x[600:], labels[600:])
    fits = {r: QuadraticDiscriminantAnalysis(reg_param=r).fit(x[:600], labels[:600])
            for r in heads.REGULAR}
    assert (quadratic.reals(x).argmax(axis=1) == fits[quadratic.regular].predict(x)).all()
    scores = [fit.score(x[600:], labels[600:]) for fit in fits.values()]
    assert fits[quadratic.regular].score(x[600:], labels[600:]) == max(scores)


@pytest.mark.parametrize("arith, delta, share", [("lns18.12", "exact", 0.99),
                                                 ("lns12", "exact", 0.9)])
def test_in_words_they_decide_as_in_floats(clouds, arith, delta, share):
    x, labels = clouds
    ar = make_arithmetic(Settings(arith=arith, delta=delta, guard=2), backend="numpy")
    rows = ar.empty(len(x), 6, "activations")
    ar.set_words(rows, LnsArray.from_float(x, ar.formats["activations"]).words)
    for head in (heads.fit_linear(x, labels), heads.fit_quadratic(x, labels, x, labels)):
        same = head.words(ar, rows).argmax(axis=1) == head.reals(ar.reals(rows)).argmax(axis=1)
        assert same.mean() > share


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "r"
    main(["train", "--dataset", "digits", "--arith", "lns12", "--epochs", "3", "--no-plot",
          "--hidden", "20", "--recipe", "icassp2020", "--out", str(folder)])
    return str(folder)


def test_a_run_gets_both_heads_on_its_own_features(run, tmp_path, capsys):
    last = (Path(run) / "log.jsonl").read_text().splitlines()[-1]
    accuracy = json.loads(last)["test_accuracy"]
    assert main(["study", "heads", run, "--json", "--out", str(tmp_path)]) == 0
    trained, linear, quadratic = json.loads(capsys.readouterr().out)["rows"]
    assert [r["head"] for r in (trained, linear, quadratic)] == ["trained", "linear", "quadratic"]
    assert trained["words"] == pytest.approx(accuracy) and trained["products"] == 200
    assert linear["words"] > 0.75 and abs(linear["words"] - linear["floats"]) < 0.06
    assert quadratic["words"] > 0.75 and quadratic["products"] == 20 * 200 + 200
    assert json.loads((tmp_path / "study.json").read_text())["what"] == "heads"


@pytest.mark.parametrize("given, said", [
    (["--arith", "fixed16"], "give a run of lns"),
    (["--arith", "lns12", "--hidden", "none"], "another layer before it"),
    (["--arith", "lns12", "--hidden", "5", "--val", "0"], "held no images back"),
])
def test_what_has_no_head_to_replace_is_told(tmp_path, capsys, given, said):
    main(["train", "--dataset", "digits", "--epochs", "1", "--no-plot", "--recipe", "icassp2020",
          "--out", str(tmp_path / "r"), *given])
    capsys.readouterr()
    assert main(["study", "heads", str(tmp_path / "r"), "--out", str(tmp_path / "s")]) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "s").exists()
