"""Fewest shifted ReLUs: the known minima, the errors anew, and exactness on small grids."""

import itertools
import random
import re
from fractions import Fraction

import numpy as np
import pytest
from helpers.slides import function

from fxp.fit import spindle as fitting
from fxp.fit.functions import TARGETS, Target, empirical, largest_error, tabulated
from fxp.fit.paths import FAR, Changes, Corridor, costs, walk
from fxp.fit.spindle import best_spindle, fit_spindle, grid_for
from fxp.format import Fixed, FormatError
from fxp.operators.spindle import Spindle
from lnsarith.catalogue.operators import find

FEWEST = {"logistic": (10, 12, 24), "eq2": (8, 14, 28), "eq3": (6, 9, 21)}
LEAST = {"logistic": 0.0115, "eq2": 0.0090, "eq3": 0.0070}  # of eight units, knees 1/16 apart
CELLS = [(name, error, count) for name, counts in FEWEST.items()
         for error, count in zip((0.01, 0.005, 0.001), counts)]


def error_anew(units: Spindle, name):
    """Return the largest error at 200001 points, by the text of the units."""
    x = np.linspace(-10, 12, 200_001)
    y = np.zeros_like(x)
    for part in str(units).split(","):
        if part.startswith("offset="):
            y += float(Fraction(part[7:]))
            continue
        knee, gain = part.split(":")
        y += float(gain[0] + "1") * 2.0 ** int(gain[3:]) * np.maximum(x - float(Fraction(knee)), 0)
    return np.abs(y - function(name, x)).max()


@pytest.mark.parametrize("name, error, count", CELLS)
def test_the_fewest_units_and_their_error(name, error, count):
    found = fit_spindle(TARGETS[name], error)
    assert len(found.units) == count
    assert 0.9 * error < error_anew(found, name) <= error


@pytest.mark.parametrize("name, least", LEAST.items())
def test_the_least_error_of_eight_units(name, least):
    found, error = best_spindle(TARGETS[name], 8, step=-4)
    assert len(found.units) <= 8
    assert all(u.knee.denominator <= 16 for u in found.units)
    assert error == pytest.approx(error_anew(found, name), abs=1e-12)
    assert 0.9 * least < error <= least


def test_more_units_or_finer_knees_err_less():
    target = TARGETS["logistic"]
    errors = [best_spindle(target, units, step=-3)[1] for units in (2, 4, 6)]
    assert errors[0] > errors[1] > errors[2]
    assert best_spindle(target, 4)[1] < errors[1]


def corridors():
    pick = random.Random(4)
    for _ in range(60):
        count, lowest = pick.randint(2, 7), pick.choice([0, -3])
        low = np.array([pick.randint(-2, 3) for _ in range(count)])
        high = low + np.array([pick.randint(0, 3) for _ in range(count)])
        yield Corridor(low, high), Changes(lowest, pick.randint(1, 5))


def least_by_trying(corridor, changes):
    """Return the least number of changes, forwards over everything that can be."""
    span = range(changes.lowest, changes.highest + 1)
    single = [s * (1 << j) for j in range(4) for s in (1, -1)]
    price = {0: 0} | {a + b: 2 for a, b in itertools.product(single, single) if a + b}
    price |= dict.fromkeys(single, 1)
    reached = {(0, level): 0 for level in range(corridor.low[0], corridor.high[0] + 1)}
    for i in range(len(corridor.low)):
        inside = range(corridor.low[i], corridor.high[i] + 1)
        onward: dict = {}
        for (slope, level), cost in reached.items():
            for to in span:
                if level in inside and to - slope in price:
                    total = cost + price[to - slope]
                    key = (to, level + to)
                    onward[key] = min(onward.get(key, 99), total)
        reached = onward
    return min((cost for (slope, _), cost in reached.items() if slope == 0), default=None)


@pytest.mark.parametrize("corridor, changes", corridors(), ids=lambda v: "")
def test_the_cheapest_path_is_the_cheapest_of_all(corridor, changes):
    table = costs(corridor, changes)
    least = int(table[0, changes.flat].min())
    expected = least_by_trying(corridor, changes)
    assert (None if least >= FAR else least) == expected
    if expected is None:
        return
    level, made = walk(corridor, changes, table)
    assert len(made) == least and all(abs(c) & (abs(c) - 1) == 0 for _, c in made)
    slope = 0
    for i, (low, high) in enumerate(zip(corridor.low, corridor.high)):
        assert low <= level <= high
        slope += sum(change for knee, change in made if knee == i)
        assert changes.lowest <= slope <= changes.highest
        level += slope
    assert slope == 0


def test_a_falling_function_has_falling_slopes():
    bump = Target("bump", lambda x: np.exp(-x * x), -4, 4)
    found = fit_spindle(bump, 0.02, grid_for(bump, 0.02, step=-6, finest=-7))
    assert largest_error(found.real, bump) <= 0.02
    assert found.real(np.array([9.0, 99.0])).tolist() == [found.real(np.array(4.0))] * 2
    rising = grid_for(TARGETS["logistic"], 0.02)
    assert grid_for(bump, 0.02).falling and not rising.falling


def test_the_fitted_units_run_as_the_operator():
    found = fit_spindle(TARGETS["eq2"], 0.01)
    f, out = Fixed(16, 11), Fixed(16, 14)
    circuit = find("spindle").circuit(f, units=str(found), to=out, rounding="nearest-even")
    words = np.arange(-10 << 11, 12 << 11)
    error = np.abs(circuit(x=words) * out.eps - function("eq2", words * f.eps)).max()
    assert error <= 0.01 + out.eps / 2


def test_samples_make_a_cumulative_distribution():
    target = empirical("samples", [3.0, 1, 1, 7])
    assert (target.low, target.high) == (1, 7)
    assert target(np.array([0, 1, 2, 3, 7, 9])).tolist() == [0.25, 0.25, 0.4375, 0.625, 0.875,
                                                             0.875]
    many = empirical("normal", np.random.default_rng(0).normal(size=20_000))
    found = fit_spindle(many, 0.02)
    assert largest_error(found.real, many) <= 0.02 and len(found.units) < 12


@pytest.mark.parametrize("call, message", [
    (lambda: tabulated("f", [0, 1, 2], [0, 0.6, 0.5]), "f: y falls, which no cumulative "
     "distribution does, at point 3"),
    (lambda: tabulated("f", [0, 0, 2], [0, 0.6, 0.7]), "f: x does not rise at point 2"),
    (lambda: tabulated("f", [0], [0]), "f has 1 points, a function takes two or more"),
    (lambda: empirical("f", [1, np.nan]), "f: number 2 is infinite or missing"),
    (lambda: empirical("f", []), "f has 0 points"),
    (lambda: fit_spindle(TARGETS["eq2"], 0), "error must be above 0, got 0"),
    (lambda: fit_spindle(TARGETS["eq2"], float("nan")), "error must be above 0, got nan"),
    (lambda: fit_spindle(TARGETS["logistic"], 5e-6), "come as near as 5e-06 to logistic"),
    (lambda: fit_spindle(tabulated("flat", [0, 1], [2, 2]), 0.1), "flat is constant"),
    (lambda: fit_spindle(TARGETS["eq2"], 0.5), "a constant is within 0.5 of eq2"),
    (lambda: best_spindle(TARGETS["eq2"], 1), "units must be 2..64, got 1"),
    (lambda: fit_spindle(tabulated("steep", [0, 0.001], [0, 1]), 0.01),
     "a gain is + or - a power of two, 2^-16..2^4"),
])
def test_fits_that_cannot_be(call, message):
    with pytest.raises(FormatError, match=re.escape(message)):
        call()


def test_too_many_states_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr(fitting, "MOST_STATES", 1 << 20)
    with pytest.raises(FormatError, match="MiB, more than 1; use a coarser one"):
        fit_spindle(TARGETS["logistic"], 0.01)
