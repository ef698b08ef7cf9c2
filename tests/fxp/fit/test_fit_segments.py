"""Fewest lines, and the counts of the two algorithms of the slides."""

import math
import re

import numpy as np
import pytest
from helpers.slides import function

from fxp.fit import segments as fitting
from fxp.fit.functions import TARGETS, Target, tabulated
from fxp.fit.pieces import bls_pieces, light_slopes, ls_pieces
from fxp.fit.segments import fit_segments, line_slopes
from fxp.format import FormatError
from fxp.operators.segments import SEGMENTS, Segments

ERRORS = (0.01, 0.005, 0.001)
FEWEST = {"logistic": (9, 16, 68), "eq2": (9, 15, 69), "eq3": (5, 12, 51)}
BLS = {"logistic": (24, 38, 160), "eq2": (18, 33, 137), "eq3": (16, 31, 127)}
SLIDES = {"logistic": (23, 33, 163), "eq2": (17, 35, 137), "eq3": (19, 31, 129)}
CELLS = [(name, error, count) for name, counts in FEWEST.items()
         for error, count in zip(ERRORS, counts)]


@pytest.mark.parametrize("name, error, count", CELLS)
def test_the_fewest_segments_and_their_error(name, error, count):
    found = fit_segments(TARGETS[name], error)
    assert len(found.segments) == count
    x = np.linspace(-10, 12, 200_001)
    wrong = np.abs(Segments.parse(str(found)).real(x) - function(name, x)).max()
    assert 0.9 * error < wrong <= error


def test_the_default_segments_are_the_fitted_ones():
    assert str(fit_segments(TARGETS["logistic"], 0.01)) == SEGMENTS["logistic9"]


def test_coarse_samples_with_gaps_between_seem_to_take_one_less():
    """The published 67: samples 2**-10 apart, each stretch beginning after the last one's
    end; with samples 2**-13 apart even those take 68."""
    assert [longest_first(function("logistic", np.arange(-10 << h, (12 << h) + 1) / 2**h),
                          0.001, 2.0**-h) for h in (10, 13)] == [67, 68]


def longest_first(y, error, step):
    """Return how many stretches of samples cover y, each within the error of a line."""
    begin = count = 0
    slopes = [0] + [2.0**n for n in range(-10, 2)]
    while begin < len(y):
        rest = [y[begin : begin + 80_000] - s * step * np.arange(len(y[begin : begin + 80_000]))
                for s in slopes]
        spread = [np.maximum.accumulate(r) - np.minimum.accumulate(r) for r in rest]
        begin += max(int(np.searchsorted(s, 2 * error, "right")) for s in spread)
        count += 1
    return count


@pytest.mark.parametrize("name", FEWEST)
@pytest.mark.parametrize("error", [0.03, 0.01])
def test_longest_first_is_the_best_of_all_divisions(monkeypatch, name, error):
    monkeypatch.setattr(fitting, "SAMPLES", 200)
    target = TARGETS[name]
    curve = fitting._sampled(target, error)
    slopes = line_slopes(target)
    climb = np.array([float(s) for s in slopes])[:, None] * 2.0**curve.step
    count = len(curve.y)

    def fits(i, j):
        rest = curve.y[i : j + 1] - climb * np.arange(j - i + 1)
        return np.ptp(rest, axis=1).min() <= 2 * curve.room

    fewest = [0] + [math.inf] * (count - 1)
    for j in range(1, count):
        fewest[j] = 1 + min(fewest[i] for i in range(j) if fewest[i] < 99 and fits(i, j))
    assert len(fit_segments(target, error).segments) == fewest[-1]


def test_outer_segments_are_level_where_that_costs_none():
    found = fit_segments(TARGETS["logistic"], 0.01)
    assert found.segments[0].slope == found.segments[-1].slope == 0
    bump = fit_segments(Target("bump", lambda x: np.exp(-x * x), -4, 4), 0.02)
    assert min(s.slope for s in bump.segments) < 0


@pytest.mark.parametrize("name", BLS)
def test_the_binary_search_of_the_slides(name):
    pieces = [bls_pieces(TARGETS[name], error) for error in ERRORS]
    assert tuple(map(len, pieces)) == BLS[name]
    for error, found in zip(ERRORS, pieces):
        x = np.linspace(-6, 6, 256)
        owner = np.searchsorted([p.low for p in found], x + 1e-9) - 1
        wrong = function(name, x) - np.array([found[i].slope * v + found[i].bias
                                              for i, v in zip(owner, x)])
        for i, piece in enumerate(found):
            rms = np.sqrt((wrong[owner == i] ** 2).mean())
            assert rms == pytest.approx(piece.error, abs=1e-9)
            assert rms < error


def test_the_binary_search_is_within_six_percent_of_the_slides():
    ratios = [math.log(len(bls_pieces(TARGETS[name], error)) / slide)
              for name, slides in SLIDES.items() for error, slide in zip(ERRORS, slides)]
    assert np.abs(ratios).mean() < 0.06


def test_tangents_of_one_peak_with_two_and_three_shifts():
    logistic = TARGETS["logistic"]
    for terms, error, count in ((1, 0.03, 7), (2, 0.01, 10), (2, 0.005, 13), (3, 0.01, 9),
                                (3, 0.005, 13), (3, 0.001, 29)):
        found = ls_pieces(logistic, error, light_slopes(terms))
        assert len(found) == count
        assert all(p.error <= error and p.low <= p.start <= p.high for p in found)
        assert found[0].low == -10 and found[-1].high == 12
        assert all(b.low <= a.high + 2.0**-10 for a, b in zip(found, found[1:]))


@pytest.mark.parametrize("call, message", [
    (lambda: ls_pieces(TARGETS["logistic"], 0.01, light_slopes()),
     "logistic: the tangents leave a gap at x = -1.297 for an error of 0.01"),
    (lambda: ls_pieces(TARGETS["eq2"], 0.01, light_slopes(2)), "several peaks"),
    (lambda: fit_segments(TARGETS["logistic"], 0), "error must be above 0"),
    (lambda: fit_segments(TARGETS["logistic"], 1e-5), "takes more than 256 segments"),
    (lambda: fit_segments(tabulated("jump", [0, 1e-6, 1], [0, 1, 1]), 0.1),
     "jump jumps by more than an error of 0.1"),
])
def test_lines_that_cannot_be(call, message):
    with pytest.raises(FormatError, match=re.escape(message)):
        call()
