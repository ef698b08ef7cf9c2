"""Distributions: samples drawn, ranked, tested for normality, fitted by kernels."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from helpers.front_door import assert_one_line
from scipy import stats

from fxp.fit.functions import TARGETS, Target, empirical, tabulated
from fxp.format import FormatError
from fxp.operators.spindle import Spindle
from lnsarith.cli import main
from lnsarith.spindle.kde import fit_kernels
from lnsarith.spindle.kernels import Kernels
from lnsarith.spindle.normal import normality
from lnsarith.spindle.sample import draw, quantile, support

# A, place and width of logistic distributions; two apart, two within each other.
MIXTURES = [((0.3, -4.0, 0.5), (0.7, 3.0, 1.0)), ((0.5, 1.0, 0.2), (0.5, 1.0, 2.0)),
            ((0.2, 0.0, 0.01), (0.5, 0.1, 0.02), (0.3, 0.4, 0.03))]


def mixed(mixture, count, rng):
    """Return samples of a mixture, without a distribution function."""
    shares, places, widths = np.array(mixture).T
    which = rng.choice(len(mixture), count, p=shares)
    return rng.logistic(places[which], widths[which])


def cumulative(mixture, x):
    return sum(a * stats.logistic.cdf(x, m, s) for a, m, s in mixture)


@pytest.mark.parametrize("mixture", MIXTURES)
def test_kernels_find_a_mixture_again(mixture):
    low, high = mixture[0][1] - 30 * mixture[0][2], mixture[-1][1] + 30 * mixture[-1][2]
    exact = fit_kernels(Target("f", lambda x: cumulative(mixture, x), low, high), len(mixture))
    assert exact.error < 1e-4
    rows = sorted(exact.kernels.rows, key=lambda row: (round(row[2] / row[1], 3), -row[1]))
    for (a, b, c), (share, place, width) in zip(rows, mixture, strict=True):
        assert (a, c / b, 1 / b) == pytest.approx((share, place, width), rel=0.02, abs=0.02)
    samples = mixed(mixture, 20_000, np.random.default_rng(1))
    found = fit_kernels(empirical("samples", samples), len(mixture))
    x = np.linspace(low, high, 5001)
    # Of 20,000 samples the distribution itself is within .0136 at 99.9 %.
    assert np.abs(found.kernels.real(x) - cumulative(mixture, x)).max() < 0.0136
    assert sum(a for a, _, _ in found.kernels.rows) == pytest.approx(1)
    fewer = fit_kernels(empirical("samples", samples), len(mixture) - 1)
    assert fewer.rms > 3 * found.rms


def test_the_rms_error_of_kernels_is_that_over_ranks():
    samples = np.random.default_rng(2).gamma(2, 1, 1000)
    found = fit_kernels(empirical("samples", samples), 1)
    (a, b, c), = found.kernels.rows
    ranks = (np.arange(1000) + 0.5) / 1000
    error = a / (1 + np.exp(c - b * np.sort(samples))) - ranks
    assert found.rms == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-2)
    assert found.error == pytest.approx(np.abs(error).max(), rel=1e-2)
    for nudge in ((1.02, 1), (0.98, 1), (1, 1.02), (1, 0.98)):  # it is the least
        other = 1 / (1 + np.exp(c * nudge[1] - b * nudge[0] * np.sort(samples))) - ranks
        assert np.mean(other**2) > np.mean(error**2)


def test_ranks_are_those_of_the_middles():
    samples = np.random.default_rng(3).permutation(np.arange(7.0) ** 2)
    target = empirical("squares", samples)
    assert target(np.arange(7.0) ** 2).tolist() == pytest.approx(
        [1 / 14, 3 / 14, 5 / 14, 7 / 14, 9 / 14, 11 / 14, 13 / 14])


def test_quantiles_are_the_inverse():
    p = np.array([0.001, 0.2, 0.5, 0.9])
    one = Kernels.of([[1, 2, 3]])
    np.testing.assert_allclose(quantile(one.real, p, -40, 40), (np.log(p / (1 - p)) + 3) / 2,
                               atol=1e-9)
    ramp = Spindle.parse("offset=1/4,1:+2^-2,3:-2^-2")  # from .25 at 1 to .75 at 3
    assert quantile(ramp.real, [0, 0.25, 1], 0, 9).tolist() == pytest.approx([0, 1.5, 3])
    assert support(ramp) == (1, 3)
    low, high = support(one)
    assert one.real(np.array([low, high])) == pytest.approx([4.5e-5, 1 - 4.5e-5], rel=0.01)
    with pytest.raises(FormatError, match="does not climb from 0 to 1: it goes from 0.25 to 0.25"):
        quantile(ramp.real, p, 0, 1)


@pytest.mark.parametrize("function, low, high", [
    (Kernels.of([[0.3, 2, -4], [0.7, 0.5, 3]]), None, None),
    (TARGETS["eq2"], -10, 12), (tabulated("t", [0, 1, 5], [0, 0.9, 1]), 0, 5)])
def test_draws_have_the_distribution(function, low, high):
    if low is None:
        low, high = support(function)
    real = getattr(function, "real", function)
    drawn = draw(real, 4000, np.random.default_rng(4), low, high)
    assert drawn.min() >= low and drawn.max() <= high
    assert stats.kstest(drawn, real).statistic < 1.628 / math.sqrt(4000)
    assert stats.kstest(drawn + 0.5, real).statistic > 1.628 / math.sqrt(4000)


def test_the_statistic_is_the_largest_gap_on_both_sides_of_a_step():
    for seed in range(5):
        x = np.sort(np.random.default_rng(seed).gamma(3, 2, 60))
        found = normality(x)
        mean, deviation = sum(x) / 60, math.sqrt(sum((x - sum(x) / 60) ** 2) / 59)
        f = [0.5 * (1 + math.erf((v - mean) / deviation / math.sqrt(2))) for v in x]
        own = max(max((i + 1) / 60 - p, p - i / 60) for i, p in enumerate(f))
        assert found.statistic == pytest.approx(own, abs=1e-12)
        assert (found.mean, found.deviation) == pytest.approx((mean, deviation))
        assert found.statistic > max(abs((i + 0.5) / 60 - p) for i, p in enumerate(f))


@pytest.mark.parametrize("count", [20, 200])
def test_normal_samples_are_rejected_as_often_as_the_level_says(count):
    rng, runs = np.random.default_rng(5), 4000
    found = [normality(rng.normal(3, 2, count)) for _ in range(runs)]
    for level in (0.1, 0.05, 0.01):
        share = np.mean([one.statistic > one.limits[level] for one in found])
        assert abs(share - level) < 3.5 * math.sqrt(level * (1 - level) / runs)
    plain = [stats.kstwo.sf(one.statistic, count) < 0.05 for one in found[:1000]]
    assert np.mean(plain) < 0.005  # the p-values of a known distribution do not hold


def test_other_samples_are_rejected():
    rng = np.random.default_rng(6)
    assert normality(rng.normal(0, 1, 500)).level is None
    for other in (rng.uniform(0, 1, 500), rng.exponential(1, 500), rng.standard_t(2, 500)):
        found = normality(other)
        assert found.level == 0.01 and "rejected at 1 %" in found.line()
    for few in ([1, 2, 3], [4] * 9):
        with pytest.raises(FormatError, match="four samples or more that differ"):
            normality(few)


def sample(*arguments):
    return main(["spindle", "sample", *map(str, arguments)])


@pytest.mark.parametrize("suffix", ["npy", "csv", "txt"])
def test_files_of_samples_have_the_distribution_and_are_fitted_again(tmp_path, monkeypatch, capsys,
                                                                     suffix):
    monkeypatch.chdir(tmp_path)
    rows = [[0.4, 4, -8], [0.6, 2, 6]]
    Path("k.json").write_text(json.dumps({"kernels": rows}))
    assert sample("k.json", "--count", 5000, "--seed", 3, "--out", f"s.{suffix}") == 0
    assert "5,000 numbers with the distribution k.json" in capsys.readouterr().out
    drawn = np.load("s.npy") if suffix == "npy" else np.loadtxt(f"s.{suffix}")
    assert drawn.shape == (5000,)

    def cdf(x):
        return 0.4 * stats.logistic.cdf(4 * x + 8) + 0.6 * stats.logistic.cdf(2 * x - 6)

    assert stats.kstest(drawn, cdf).statistic < 1.628 / math.sqrt(5000)
    assert main(["spindle", "fit", "--function", f"s.{suffix}", "--kernels", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    np.testing.assert_allclose(found["kernels"], rows, rtol=0.1)
    assert sample("k.json", "--count", 5000, "--seed", 3, "--format", "fixed6.3", "--out",
                  f"w.{suffix}", "--json") == 0
    assert json.loads(capsys.readouterr().out)["format"] == "fixed6.3"
    words = np.load("w.npy") if suffix == "npy" else np.loadtxt(f"w.{suffix}")
    assert words.tolist() == [max(-32, min(31, round(8 * v))) for v in drawn.tolist()]
    assert words.min() > -32 and words.max() == 31
    assert sample("k.json", "--count", 5000, "--seed", 4, "--out", f"t.{suffix}") == 0
    assert Path(f"t.{suffix}").read_bytes() != Path(f"s.{suffix}").read_bytes()


@pytest.mark.parametrize("given, message", [
    (("eq2", "--out", "a.json"), "samples are written as .npy, .csv, .txt, got 'a.json'"),
    (("eq2", "--out", "none/a.npy"), "cannot write none/a.npy"),
    (("eq2", "--count", "0", "--out", "a.npy"), "count must be 1..10000000, got 0"),
    (("eq2", "--seed", "-1", "--out", "a.npy"), "seed must be 0..4294967295, got -1"),
    (("eq2", "--format", "lns16", "--out", "a.npy"), "lns16"),
    (("flat.json", "--out", "a.npy"), "the function does not climb from 0 to 2"),
])
def test_samples_that_cannot_be_are_one_line(tmp_path, monkeypatch, capsys, given, message):
    monkeypatch.chdir(tmp_path)
    Path("flat.json").write_text(json.dumps({"units": "0:+2^-1,0:-2^-1,2:2"}))
    assert sample(*given) == 2
    err = capsys.readouterr().err
    assert message in err
    assert_one_line(err)
    assert [path.name for path in tmp_path.iterdir()] == ["flat.json"]


@pytest.mark.parametrize("target, count, message", [
    (TARGETS["eq3"], 2, "eq3 goes from 3.36e-05 to 0.6"),
    (TARGETS["eq2"], 0, "kernels must be 1..8, got 0"), (TARGETS["eq2"], 9, "1..8, got 9")])
def test_kernels_that_cannot_be(target, count, message):
    with pytest.raises(FormatError, match=message):
        fit_kernels(target, count)
