"""pwl:error=...: the error that was asked for, kept; the fewest segments, no more."""

from fractions import Fraction

import numpy as np
import pytest
from oracles.delta import gauss

from fxp.format import FormatError
from lnsarith.cli import main
from lnsarith.delta import gauss as gauss_module
from lnsarith.delta.gauss import gauss_words
from lnsarith.delta.methods import parse
from lnsarith.delta.pwl import fit_segments, fit_within


@pytest.mark.parametrize("frac, step", [(0, 1), (3, 1), (10, 64), (14, 999)])
@pytest.mark.parametrize("opposite", [False, True])
def test_tables_made_at_once_are_those_made_entry_by_entry(frac, step, opposite):
    gaps = range(step if opposite else 0, 20 << frac, step)
    one_by_one = [round(gauss(Fraction(g, 1 << frac), opposite) * (1 << frac)) for g in gaps]
    assert gauss_words(gaps, opposite, frac) == one_by_one


def test_a_table_s_entry_near_a_tie_is_decided_by_decimals(monkeypatch):
    asked = []
    monkeypatch.setattr(gauss_module, "gauss", lambda *given: asked.append(given) or 7)
    monkeypatch.setattr(gauss_module.np, "log2", lambda x: np.full_like(x, -0.5 + 1e-7))
    assert gauss_words(range(2, 4), True, 0) == [7, 7]
    assert asked == [(Fraction(2), True, 0), (Fraction(3), True, 0)]


@pytest.mark.parametrize("frac, error", [(3, "0.5"), (4, "1/16"), (4, "1/32"), (6, "0.02"),
                                         (6, "1/40"), (10, "0.05")])
@pytest.mark.parametrize("opposite", [False, True])
def test_every_gap_is_within_the_error(frac, error, opposite):
    spec = parse(f"pwl:error={error}").at(frac, -(1 << 20))
    gaps = np.arange(int(opposite), 14 << frac, 1 if frac < 10 else 7)
    words = spec(gaps, np.full_like(gaps, -int(opposite)))
    worst = max(abs(Fraction(int(w), 1 << frac) - Fraction(gauss(Fraction(int(g), 1 << frac),
                                                                 opposite)))
                for g, w in zip(gaps, words))
    assert worst <= Fraction(error)


@pytest.mark.parametrize("opposite", [False, True])
def test_no_segment_could_be_longer_and_none_is_spare(opposite):
    """Each segment's gaps and the next one fit no slope, tried one by one."""
    frac, error = 4, Fraction(1, 16)
    parts = fit_within(frac, opposite, error)
    assert len(parts) < len(fit_within(frac, opposite, error / 2))
    for (start, _, _), (end, _, _) in zip(parts, parts[1:-1]):
        gaps = range(start, end + 1)
        wanted = [Fraction(gauss(Fraction(g, 1 << frac), opposite)) * 16 for g in gaps]
        for shift in range(-frac, 13):
            rises = [(g - start) >> shift if shift >= 0 else (g - start) << -shift for g in gaps]
            rests = [w - (r if opposite else -r) for w, r in zip(wanted, rises)]
            middle = (max(rests) + min(rests)) / 2
            assert all(max(abs(r - round(middle) - k) for r in rests) > error * 16
                       for k in (-1, 0, 1))


def test_fewer_segments_than_asked_for_by_number_reach_the_same_error():
    """Where words are fine, 16 segments have some error, and that error 16 or fewer."""
    for opposite in (False, True):
        parts = fit_segments(10, opposite, 16)
        gaps = np.arange(int(opposite), 14 << 10)
        words = parse("pwl").at(10, -(1 << 20))(gaps, np.full_like(gaps, -int(opposite)))
        real = np.log2(1 - (-1) ** (not opposite) * 2.0 ** -(gaps / 1024))
        error = Fraction(float(np.abs(words / 1024 - real).max()) + 1e-9)
        assert len(fit_within(10, opposite, error)) <= len(parts)


@pytest.mark.parametrize("text, message", [
    ("pwl:error=0.001", "6 fraction bits round by 2\\^-7, more than error = 0.001"),
    ("pwl:error=2", "error must be above 0 and below 1"),
    ("pwl:error=0.1,segments=8", "segments or error, not both")])
def test_errors_that_cannot_be_are_refused(text, message):
    with pytest.raises(FormatError, match=message):
        parse(text).at(6, -1)
    assert str(parse("pwl:error=0.05")) == "pwl:error=1/20"
    assert parse("pwl:error=1/20") == parse("pwl:error=0.05")


@pytest.mark.parametrize("text", ["pwl", "pwl:error=1/8"])
def test_fractions_too_fine_to_look_at_every_gap_are_refused_at_once(text, capsys):
    with pytest.raises(FormatError, match="of at most 18 fraction bits, not of 19; use delta"):
        parse(text).at(19, -(1 << 30))
    assert main(["check", "add", "--arith", "lns32", "--delta", text]) == 2
    assert "not of" in capsys.readouterr().err


def test_the_command_line_takes_it(capsys):
    assert main(["check", "lns-add", "--arith", "lns9.4", "--delta", "pwl:error=0.1"]) == 0
    assert "error" in capsys.readouterr().out
    assert main(["spindle", "fit", "--function", "delta-plus", "--error", "0.1",
                 "--step", "2^-3", "--finest", "2^-4"]) == 0
    assert "delta-plus from 0 to 16" in capsys.readouterr().out
