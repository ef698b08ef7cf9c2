"""What `check` says of an operator, against numbers worked out another way."""

import dataclasses
import itertools
import math
import re
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from helpers.small_formats import OWN
from oracles import exact as oracle
from oracles.delta import DIGITS

from fxp.format import Fixed, FormatError
from lnsarith.catalogue import real
from lnsarith.catalogue.bench.bench import COUNTS, Bench
from lnsarith.catalogue.bench.operands import choices, every, sampled, special
from lnsarith.catalogue.bench.report import check
from lnsarith.catalogue.operators import OPERATORS, find
from lnsarith.lns.format import Lns

TINY = Lns(5, 1)


@cache
def log2(x: Decimal) -> float:
    """Return log2 of x in units of TINY's log."""
    with localcontext(DIGITS):
        return float(x.ln() / Decimal(2).ln() * 2**TINY.frac)


def tally_by_hand(underflow):
    """Return counts and errors of lns-add with lut over all words of TINY: 60 digits."""
    counts, errors, relative = dict.fromkeys(COUNTS, 0), [], []
    more = 1 + Decimal("1e-20")  # decimals of an equal number may be a digit off
    top, least = oracle.lns_to_real(7, 5, 1), oracle.lns_to_real(9, 5, 1)
    for x, y in itertools.product(range(-16, 16), repeat=2):
        word = oracle.lns_add(x, y, 5, lambda gap, opposite: oracle.delta_lut(
            gap, opposite, 1, Fraction(1, 2), 10), underflow)
        result = oracle.lns_to_real(word, 5, 1)
        with localcontext(DIGITS):
            truth = oracle.lns_to_real(x, 5, 1) + oracle.lns_to_real(y, 5, 1)
        size, reached = truth.copy_abs(), result.copy_abs()
        if truth == 0 or result == 0:
            counts["both_zero" if truth == result else "zeroed" if truth else "nonzero"] += 1
            counts["cancelled"] += result == 0 and size * more >= least
        elif size > top * more and reached == top:
            counts["saturated"] += 1
        elif size * more < least and reached == least:
            counts["raised"] += 1
        else:
            assert truth * result > 0
            counts["compared"] += 1
            errors.append(log2(reached) - log2(size))
            relative.append(float(result / truth - 1))
    return counts, np.array(errors), np.array(relative)


@pytest.mark.parametrize("underflow, present", [("zero", "zeroed"), ("smallest", "raised")])
def test_the_report_of_a_small_sum_is_the_one_worked_out_with_sixty_digits(underflow, present):
    report = check("lns-add", TINY, {"underflow": underflow, "delta": "lut:dmax=10"})
    counts, errors, relative = tally_by_hand(underflow)
    assert report.exhaustive and report.count == 2**10
    assert report.counts == counts and counts["saturated"] > 0 and counts[present] > 0
    assert [report.max_ulp, report.mean_ulp, report.rms_ulp, report.bias_ulp] == pytest.approx(
        [abs(errors).max(), abs(errors).mean(), (errors**2).mean() ** 0.5, errors.mean()])
    assert [report.max_relative, report.mean_relative, report.rms_relative,
            report.bias_relative] == pytest.approx([
                abs(relative).max(), abs(relative).mean(), (relative**2).mean() ** 0.5,
                relative.mean()])


def test_the_largest_error_of_the_published_table_is_where_it_leaves_its_first_cell():
    report = check("lns-add", Lns(12, 6), samples=1 << 16)
    # D-(1/2) rounded, in place of D-(1/4).
    assert report.max_ulp == pytest.approx(-113 - 64 * math.log2(1 - 2**-0.25))
    worst = report.worst
    assert oracle.lns_to_real(worst.words["x"], 12, 6) == pytest.approx(Decimal(worst.values["x"]))
    assert worst.error_ulp == pytest.approx(report.max_ulp)
    assert worst.result / worst.truth - 1 == pytest.approx(worst.relative)


def test_the_exact_table_is_off_by_half_a_unit_at_most():
    report = check("lns-add", Lns(10, 4), {"delta": "exact"}, samples=1 << 16)
    assert 0.49 < report.max_ulp <= 0.5
    assert report.counts["cancelled"] == report.counts["wrong_sign"] == 0


def test_fixed_point_products_by_plain_integers():
    products = [Fraction(x * y, 8) for x, y in itertools.product(range(-128, 128), repeat=2)]
    report = check("fixed-mul", Fixed(8, 3), {"rounding": "down"})
    inside = [p for p in products if -128 <= p <= 127]
    errors = [math.floor(p) - p for p in inside]
    assert report.counts["compared"] == len(inside)
    assert report.counts["saturated"] == 65536 - len(inside)
    assert report.counts["zeroed"] == sum(0 < p < 1 for p in inside)
    assert report.counts["both_zero"] == 511
    assert report.max_ulp == 7 / 8
    assert report.bias_ulp == pytest.approx(float(sum(errors) / len(errors)))
    wrapped = check("fixed-mul", Fixed(8, 3), {"rounding": "down", "overflow": "wrap"})
    assert wrapped.counts["wrapped"] + wrapped.counts["saturated"] == 65536 - len(inside)
    assert wrapped.max_ulp == 7 / 8


def test_an_unsigned_difference_below_zero_counts_as_saturated():
    counts = check("fixed-sub", Fixed(6, 2, False)).counts
    assert (counts["saturated"], counts["zeroed"], counts["both_zero"]) == (64 * 63 // 2, 0, 64)


def test_logarithmic_products_saturate_and_vanish_as_their_logs_say():
    logs = [p + q for p, q in itertools.product(range(-7, 8), repeat=2)]
    counts = check("lns-mul", TINY).counts
    assert counts["saturated"] == 4 * sum(log > 7 for log in logs)
    assert counts["zeroed"] == 4 * sum(log < -7 for log in logs)
    assert (counts["cancelled"], counts["both_zero"]) == (0, 4 * 31)
    raised = check("lns-mul", TINY, {"underflow": "smallest"}).counts
    assert (raised["zeroed"], raised["raised"]) == (0, counts["zeroed"])


def test_what_the_reals_leave_open_is_undefined():
    assert check("lns-div", TINY).counts["undefined"] == 4  # 0 / 0, two words each
    assert check("lns-sqrt", TINY).counts["undefined"] == 15


def test_stochastic_rounding_has_no_bias_over_all_random_words():
    report = check("fixed-mul", Fixed(6, 3), {"rounding": "stochastic"})
    assert report.count == 2**15
    assert report.max_ulp == 7 / 8 and abs(report.bias_ulp) < 1e-12
    assert check("fixed-mul", Fixed(6, 3), {"rounding": "down"}).bias_ulp < -0.2


def test_conversions_are_within_their_promised_error():
    assert check("lns-to-fixed", Lns(12, 6)).max_ulp < 0.6
    assert check("lns-from-fixed", Lns(12, 6)).max_ulp < 0.6


def test_a_wrong_real_function_or_a_wrong_spec_shows():
    add = find("fixed-add")
    assert check(add, Fixed(8, 3)).max_ulp == 0
    wrong = dataclasses.replace(add, real=lambda x, y: x - y)
    assert check(wrong, Fixed(8, 3)).max_ulp > 100
    wrong = dataclasses.replace(add, spec=lambda x, y, f, mode: find("fixed-sub").spec(x, y, f))
    assert check(wrong, Fixed(8, 3)).max_ulp > 100
    flipped = dataclasses.replace(find("lns-mul"), real=lambda x, y: -(x * y))
    assert check(flipped, TINY).counts["wrong_sign"] > 500


@pytest.mark.parametrize("name", OPERATORS)
def test_counts_add_up_and_compiled_words_are_the_circuit_s(name):
    usual = {"fixed": Fixed(7, 3, False), "lns": Lns(7, 3)}[OPERATORS[name].family]
    f = OWN[name][1] if name in OWN else usual
    report = check(name, f, samples=3000, seed=3)
    parts = {"compared", "saturated", "wrapped", "undefined"}
    if report.output.startswith("lns"):
        parts |= {"zeroed", "raised", "both_zero", "nonzero", "wrong_sign"}
    assert sum(report.counts[p] for p in parts) == report.count <= 3000
    bench = Bench(name, f, {})
    words = next(sampled(bench.ports, 3000, 7))
    assert (bench.run(words) == bench.circuit(**words)).all()


@pytest.mark.parametrize("name", ["fixed-min", "fixed-compare", "fixed-sub"])
def test_unsigned_words_of_a_whole_lane_run_exactly(name):
    bench = Bench(name, Fixed(16, 8, False), {})
    words = next(sampled(bench.ports, 3000, 7))
    assert words["x"].max() > 60000
    assert (bench.run(words) == bench.circuit(**words)).all()


@pytest.mark.parametrize("name", [n for n in OPERATORS if n != "fixed-xnor-popcount"])
def test_every_operator_does_what_its_real_function_says(name):
    """Small operands, for which nothing saturates, at the most exact options."""
    operator = find(name)
    lns = operator.family == "lns"
    options = {"delta": "exact"} if "delta" in operator.settings({}) else {}
    bench = Bench(name, Lns(10, 4) if lns else Fixed(10, 4), options)
    words = {n: np.arange(-20, 21) if isinstance(form, Fixed) else
             np.concatenate([np.arange(-20, 21) & 511, (np.arange(-20, 21) & 511) - 512])
             for n, form in bench.formats.items()}
    grid = np.meshgrid(*words.values())
    judged = bench.judge({n: g.ravel() for n, g in zip(words, grid)})
    assert np.abs(judged.error).max() < 0.6
    assert not judged.masks["wrong_sign"].any()
    assert judged.masks["compared"].mean() > (0.45 if name == "lns-sqrt" else 0.9)


def test_truth_of_neighbours_difference_keeps_its_digits_in_wide_formats():
    f = Lns(32, 26)
    x, y = (real.decode(np.array([w]), f) for w in (1000, 999))
    with localcontext(DIGITS):
        exact = log2(abs(oracle.lns_to_real(1000, 32, 26) - oracle.lns_to_real(999, 32, 26)))
    assert (x - y).log[0] * 2**TINY.frac == pytest.approx(exact, abs=1e-12)
    assert (x - y).sign[0] == 1 and (x - x).sign[0] == 0
    huge = real.decode(np.array([2**30 - 1]), Lns(32, 0))
    assert (huge * huge / huge).log[0] == 2**30 - 1


def test_all_words_come_once_and_samples_as_many_as_asked():
    ports = {"x": (-4, 3), "y": (0, 15)}
    [chunk] = every(ports)
    assert choices(ports) == 128
    assert set(zip(*(c.tolist() for c in chunk.values()))) == set(
        itertools.product(range(-4, 4), range(16)))
    wide = {"x": (-2**31, 2**31 - 1), "y": (0, 2**32 - 1)}
    for count in (1, 1000, 40000):
        chunks = list(sampled(wide, count, 1))
        assert sum(c["x"].size for c in chunks) == count
        assert all(c["y"].min() >= 0 and c["y"].max() < 2**32 for c in chunks)


def test_special_words_hold_both_ends_zero_and_their_neighbours():
    assert {-128, -127, -65, -64, -1, 0, 1, 63, 64, 126, 127, 85, -86} <= set(special(-128, 127))
    assert set(special(0, 3)) == {0, 1, 2, 3}
    words = special(-2**31, 2**31 - 1)
    assert len(words) == len(set(words)) < 300 and max(map(abs, words)) == 2**31


def test_reports_repeat_with_their_seed_and_change_with_another():
    first, again, other = (check("lns-add", Lns(16, 10), samples=5000, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first.mean_ulp != other.mean_ulp and first.count == other.count == 5000
    assert not first.exhaustive


@pytest.mark.parametrize("arguments, message", [
    ({"exhaustive": True}, "has 2**32 combinations of words in lns16.10, more than 2**28; "
     "use --samples N"),
    ({"exhaustive": True, "samples": 5}, "not both"),
    ({"samples": 0}, "samples must be 1.."),
    ({"seed": -1}, "seed must be 0.."),
    ({"options": {"delta": "nope"}}, "unknown delta method 'nope'"),
])
def test_messages_of_check(arguments, message):
    with pytest.raises(FormatError, match=re.escape(message)):
        check("lns-add", Lns(16, 10), **arguments)
