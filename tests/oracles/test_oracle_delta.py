"""Entries worked out by hand, and laws of D+ and D-."""

from fractions import Fraction
from math import log, pi

import pytest
from oracles import exact as oracle
from oracles.delta import mean


def test_exact_delta_is_the_nearest_unit():
    def word(gap, opposite):
        return oracle.delta_exact(gap, opposite, 2)

    assert [word(g, False) for g in (0, 4, 8, 12, 13, 15)] == [4, 2, 1, 1, 1, 0]
    assert [word(g, True) for g in (0, 1, 4, 8)] == [None, -11, -4, -2]
    for gap in range(1, 60):  # 2**D+ and 2**D- add up to 2, to within rounding
        plus, minus = (oracle.delta_exact(gap, side, 4) for side in (False, True))
        assert abs(2 ** (plus / 16) + 2 ** (minus / 16) - 2) < 0.07
    # D+ vanishes beyond F + 1.53.
    assert [oracle.delta_exact(g, False, 6) for g in (481, 482)] == [1, 0]
    assert [oracle.delta_exact(g, False, 10) for g in (11805, 11806)] == [1, 0]


def test_cell_means_add_up_to_the_whole_integral():
    cells = [(Fraction(k, 2), Fraction(k + 1, 2)) for k in range(40)]
    for opposite, integral in ((False, pi**2 / 12), (True, -(pi**2) / 6)):
        total = sum(mean(*cell, opposite) for cell in cells) / 2
        assert float(total) == pytest.approx(integral / log(2) ** 2, rel=1e-5)


def test_the_mean_of_a_cell_is_that_of_its_halves_to_25_digits():
    for opposite in (False, True):
        halves = mean(Fraction(0), Fraction(1, 2), opposite) + mean(
            Fraction(1, 2), Fraction(1), opposite)
        assert abs(halves / 2 - mean(Fraction(0), Fraction(1), opposite)) < 1e-25


def test_tables_sample_the_edge_the_middle_or_the_mean_of_a_cell():
    def entries(index, sample, opposite, gaps=(1, 3, 4, 12, 15, 16)):
        return [oracle.delta_lut(g, opposite, 4, 0.5, 1, index, sample) for g in gaps]

    # Two cells of 8 units: edges 0 and 1/2, middles 1/4 and 3/4.
    assert entries("truncate", "edge", False) == [16, 16, 16, 12, 12, 0]
    assert entries("truncate", "edge", True) == [None, None, None, -28, -28, 0]
    assert entries("round", "edge", False) == [16, 16, 12, 0, 0, 0]
    assert entries("truncate", "mid", True) == [-42, -42, -42, -21, -21, 0]
    assert entries("truncate", "mean", True) == [-50, -50, -50, -21, -21, 0]
    assert entries("round", "mean", True) == [-65, -65, -29, 0, 0, 0]
    assert entries("round", "mean", True, [0]) == [None]
    # Cells are never narrower than a unit.
    assert oracle.delta_lut(3, True, 2, 0.125, 8) == oracle.delta_exact(3, True, 2)


def test_shifts_and_mitchell_by_hand():
    gaps = (0, 1, 7, 8, 9, 16, 40)
    assert [oracle.delta_bitshift(g, False, 3) for g in gaps] == [8, 8, 8, 4, 4, 2, 0]
    assert [oracle.delta_bitshift(g, True, 3) for g in gaps] == [
        None, -12, -12, -6, -6, -3, 0]
    assert [oracle.delta_mitchell(g, False, 3) for g in gaps] == [8, 7, 4, 4, 3, 2, 0]
    assert [oracle.delta_mitchell(g, True, 5) for g in (0, 1, 2, 4, 8, 16, 2**40)] == [
        None, -62 - 128, -62 - 96, -60 - 64, -56 - 32, -48, 0]


def test_the_steps_of_mitchell_end_at_a_sixteenth_an_eighth_a_quarter_a_half():
    def steps(gap):
        same, opposite = (oracle.delta_mitchell(gap, o, 9) for o in (False, True))
        return -(opposite + 2 * same) / 2**9

    assert [steps(gap) for gap in (31, 32, 63, 64, 127, 128, 255, 256, 600)] == [
        4, 3, 3, 2, 2, 1, 1, 0, 0]


def test_interpolation_meets_the_edges_and_halves_the_way_between_them():
    def word(gap, opposite):
        return oracle.delta_interp(gap, opposite, 4, 0.5, 1.5)

    # Edges, exact: D+ 16, 12, 9, D- -, -28, -16; then zero from 1.5 on.
    assert [word(g, False) for g in (0, 4, 5, 8, 12, 16, 20, 23, 24)] == [
        16, 14, 14, 12, 11, 9, 5, 1, 0]
    assert [word(g, True) for g in (8, 9, 12, 16, 18, 24)] == [
        -28, -26, -22, -16, -12, 0]
    for gap in range(8):
        assert word(gap, True) == oracle.delta_exact(gap, True, 4)
