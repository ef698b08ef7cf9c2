"""The min-selector's likeness to a product: the published tables, exactly and by samples."""

import json
import math
from argparse import Namespace
from fractions import Fraction

import numpy as np
import pytest

from fxp.format import FormatError
from lnsarith.catalogue.bench.similarity import (
    PAIRS,
    STANDINS,
    correlation,
    distance,
    folded_mean,
    nearest_mean,
)
from lnsarith.commands.operators import check as command

# min, +, max; and mean and L: worked out beforehand, apart from this code.
SAMPLED = [(0.9082, 0.8820, 0.6738), (0.6915, 0.6827, 0.6239), (0.8025, 0.7827, 0.6293),
           (0.9621, 0.9258, 0.6414), (0.7161, 0.7166, 0.6546)]
BEST = {0.01: (0.995, 0.0066), 0.05: (0.975, 0.0328), 0.1: (0.960, 0.0652), 0.2: (0.945, 0.1296),
        0.3: (0.960, 0.1935), 0.4: (1.011, 0.2582), 0.5: (1.090, 0.3213), None: (1.340, 0.5970)}


def arguments(**given):
    defaults = dict(op="minselect", arith=None, delta=None, samples=None, exhaustive=False,
                    plot=None, json=False, seed=0, option=[], correlation=True)
    return Namespace(**{**defaults, **given})


@pytest.mark.parametrize("pair, expected", zip(PAIRS, SAMPLED), ids=[p.name for p in PAIRS])
def test_correlations_are_those_of_samples_and_of_the_slides(pair, expected):
    found = [correlation(pair, g) for g in STANDINS.values()]
    assert found == pytest.approx(expected, abs=2e-4)
    if pair.slides:
        assert found == pytest.approx(pair.slides, abs=1e-3)


@pytest.mark.parametrize("end", [1, 10])
def test_correlations_of_uniform_operands_are_exact(end):
    """Of x in 0..1 and y in 0..c >= 1 every moment is a fraction."""
    c = Fraction(end)
    product, square = c / 4, c**2 / 9
    low = Fraction(1, 2) - 1 / (6 * c)  # E min
    low2 = Fraction(1, 3) - 1 / (6 * c)  # E min^2
    # E x y min = E [y < x] x y^2 + [x < y] x^2 y, integrated over y, then over x
    mixed = (Fraction(1, 15) + Fraction(1, 2) * (c**2 / 3 - Fraction(1, 5))) / c
    covariance = {"min": mixed - product * low}
    variance = {"min": low2 - low**2}
    total = (1 + c) / 2
    covariance["add"] = c / 6 + c**2 / 6 - product * total
    variance["add"] = Fraction(1, 12) + c**2 / 12
    high = total - low  # max = x + y - min, and x y (x + y - min) likewise
    covariance["max"] = c / 6 + c**2 / 6 - mixed - product * high
    variance["max"] = (Fraction(1, 3) + c**2 / 3 - low2) - high**2
    pair = PAIRS[3 if end == 1 else 4]
    for name, standin in STANDINS.items():
        exact = float(covariance[name]) / math.sqrt(variance[name] * (square - product**2))
        assert correlation(pair, standin) == pytest.approx(exact, abs=1e-9)


def test_normal_rows_are_those_of_fresh_samples():
    rng = np.random.default_rng(6)
    x, y = np.abs(rng.standard_normal((2, 1 << 19)))
    for pair, scale in zip(PAIRS[:3], (1, 10, math.sqrt(10))):
        for standin in STANDINS.values():
            sampled = np.corrcoef(x * y * scale, standin(x, y * scale))[0, 1]
            assert correlation(pair, standin) == pytest.approx(sampled, abs=3e-3)


@pytest.mark.parametrize("sigma", BEST)
def test_the_distance_is_least_where_it_was_measured(sigma):
    k, least = nearest_mean(sigma)
    assert (k, least) == (pytest.approx(BEST[sigma][0], abs=0.0026),
                          pytest.approx(BEST[sigma][1], abs=1e-4))


def test_the_distance_is_that_of_samples():
    rng = np.random.default_rng(7)
    for mu, sigma in ((0.9, 0.3), (0.0, 1.2533), (1.2, 0.05)):
        x, y = np.abs(mu + sigma * rng.standard_normal((2, 1 << 20)))
        sampled = np.abs(np.minimum(x, y) / (x * y) - 1).mean()
        assert distance(mu, sigma) == pytest.approx(sampled, rel=0.02)
        assert folded_mean(mu, sigma) == pytest.approx(x.mean(), abs=5e-3)
    assert distance(0.0, math.sqrt(math.pi / 2)) == pytest.approx(0.6357, abs=1e-4)


def test_the_command_prints_and_draws_the_tables(tmp_path, capsys):
    path = tmp_path / "likeness.png"
    assert command.run(arguments(plot=str(path))) == 0
    out = capsys.readouterr().out
    assert "U(0, 1), U(0, 10)           0.7161  0.7165  0.6546" in out
    assert "half-normal  1.339    0.5970" in out and f"drawn in {path}" in out
    assert path.read_bytes().startswith(b"\x89PNG") and list(tmp_path.iterdir()) == [path]
    assert command.run(arguments(json=True)) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["min"] > row["add"] for row in found["correlation"]] == [True] * 4 + [False]
    assert len(found["distance"]) == 8


@pytest.mark.parametrize("given, message", [
    ({"op": "fixed-mul"}, "--correlation goes with minselect, not with fixed-mul"),
    ({"arith": "fixed8"}, "takes no --arith"), ({"option": ["gain=2"]}, "takes no --option"),
    ({"plot": "a.gif"}, "a picture is .png")])
def test_what_the_tables_do_not_go_with(given, message):
    with pytest.raises(FormatError, match=message):
        command.run(arguments(**given))
