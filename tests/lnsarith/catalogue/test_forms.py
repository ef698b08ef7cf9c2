"""Forms of sums: numbers in one word, zero far below; the same sums, proved and run."""

from dataclasses import replace

import numpy as np
import pytest

from fxp.compile.cache import gains
from fxp.compile.machine.target import target
from fxp.run.execute import FormMatmul, bind_matmul, levels_of
from fxp.run.integers import NumpyMatmul
from fxp.trace.circuit import evaluate, trace
from lnsarith.catalogue.kernels import Accumulator
from lnsarith.delta.methods import parse
from lnsarith.lns import spec
from lnsarith.lns.apart import Apart, apart_for, shifts_of
from lnsarith.lns.format import Lns
from lnsarith.lns.joined import Joined, JoinedApart, joined_apart_for, joined_for
from lnsarith.lns.spec import Number
from verilog.prove.smt import Formula, constant
from verilog.prove.solving.solvers import solve

SIGN = (-1, 0)
MAKERS = {Joined: joined_for, JoinedApart: joined_apart_for, Apart: apart_for}


def made(kind, f, delta="lut"):
    shifts = shifts_of(f, parse(delta).at(f.frac, spec.zero_level(f)))
    return MAKERS[kind](f, shifts)


def ports_of(f):
    levels = spec.level_range(f)
    return {"level": levels, "sign": SIGN, "b_level": levels, "b_sign": SIGN,
            "a_level": (levels[0] + 1, levels[1]), "a_sign": SIGN, "least": levels,
            "most": levels}


def words_hold(f, joined):
    """Return the circuit that gives 1 where a step of words is that of level and sign, and its
    result below the same bound, for operands that fit it."""
    delta = parse("lut").at(f.frac, spec.zero_level(f))

    def holds(level, sign, b_level, b_sign, a_level, a_sign, least, most):
        n, b, a = Number(level, sign), Number(b_level, b_sign), Number(a_level, a_sign)
        log_a = a_level - spec.one_level(f)
        fits = (level <= most) & (b_level + joined.reach <= most) & (
            b_level + log_a + joined.reach <= most)
        found = joined.number(joined.step(joined.join(n), joined.join(b), a, True))
        true = spec.total(n, spec.product(b, a, f), delta, f)
        zero = true.level == spec.zero_level(f)
        same = (found.level == true.level) & ((found.sign == true.sign) | zero)
        return (fits == 0) | (same & (found.level <= most))

    return trace(holds, ports_of(f), outputs=("holds",))


def apart_holds(f, form):
    """Return the circuit that gives 1 where a step of a form with zero apart is that of level
    and sign: its result zero and far below, or between the bounds that operands fit."""
    delta = parse("lut").at(f.frac, spec.zero_level(f))
    zero, joined = spec.zero_level(f), isinstance(form, JoinedApart)
    window = form.top - form.bottom + 1 << (form.up if joined else 0)

    def holds(level, sign, b_level, b_sign, a_level, a_sign, least, most, low):
        n, b, a = Number(level, sign), Number(b_level, b_sign), Number(a_level, a_sign)
        product = b_level + a_level - spec.one_level(f)
        fits = ((b_level != zero) & (form.bottom <= least) & (most <= form.top)
                & (least <= product - form.shifts.fall) & (product + form.shifts.rise <= most)
                & ((level == zero) | ((least <= level) & (level <= most))))
        if joined:
            before = (level == zero) * low + (level != zero) * form.start(n)
            place = form.step(before, form.join(b), a)
            found = form.number(place)
        else:
            before = (level == zero) * low + (level != zero) * form.put(n).level
            after = form.step(Number(before, sign), b, a)
            place, found = after.level, form.number(after)
        true = spec.total(n, spec.product(b, a, f), delta, f)
        nothing = true.level == zero
        alike = (found.sign == true.sign) | (nothing if joined else 0)
        inside = (nothing & (place < window)) | (
            (nothing == 0) & (least <= true.level) & (true.level <= most))
        return (fits == 0) | ((found.level == true.level) & alike & inside)

    return trace(holds, {**ports_of(f), "low": (0, window - 1)}, outputs=("holds",))


def verdict(circuit):
    formula = Formula()
    term, width = formula.circuit(circuit)[0]["holds"]
    formula.require(f"(= {term} {constant(0, width)})")
    answer = solve(formula, 120)
    return answer.verdict, answer.model


def refuted(circuit):
    found, model = verdict(circuit)
    return found == "refuted" and not evaluate(circuit, **{k: model[k] for k in circuit.inputs})


@pytest.mark.parametrize("f", [Lns(8, 3), Lns(12, 6)], ids=str)
def test_a_step_of_words_is_a_mac(f):
    joined = made(Joined, f)
    assert verdict(words_hold(f, joined))[0] == "proved"
    close = replace(joined, reach=joined.reach - 1)  # a sum comes as far as that
    assert refuted(words_hold(f, close))


@pytest.mark.parametrize("kind, f", [(Apart, Lns(8, 3)), (Apart, Lns(12, 6)), (Apart, Lns(16, 10)),
                                     (JoinedApart, Lns(8, 3)), (JoinedApart, Lns(12, 6))],
                         ids=lambda v: getattr(v, "__name__", str(v)))
def test_a_step_with_zero_apart_is_a_mac(kind, f):
    form = made(kind, f)
    assert verdict(apart_holds(f, form))[0] == "proved"
    for changes in ({"rise": form.shifts.rise - 1}, {"fall": form.shifts.fall - 1}):
        assert refuted(apart_holds(f, replace(form, shifts=form.shifts._replace(**changes))))


def test_a_register_without_room_has_no_such_words():
    assert made(Joined, Lns(16, 10)) is None
    assert made(Joined, Lns(14, 8)).up == 2 and made(Joined, Lns(15, 9)) is None


@pytest.mark.parametrize("delta", ["exact", "pwl", "lut:index=truncate,sample=mid"])
def test_heights_go_by_few_cells_of_one_width(delta):
    assert made(Apart, Lns(16, 10), delta) is None


@pytest.mark.skipif(target().level != "avx512", reason="other processors read the table slower")
@pytest.mark.parametrize("f, delta, number", [
    (Lns(12, 6), "lut", 2), (Lns(12, 6), "exact", 0), (Lns(12, 6), "pwl", 0),
    (Lns(16, 10), "lut", 1), (Lns(16, 10), "exact", 0)], ids=str)
def test_tables_that_two_registers_hold_are_worth_it(f, delta, number):
    assert sum(map(gains, Accumulator(f, parse(delta)).plan().forms())) == number


def test_wide_registers_have_no_forms():
    assert Accumulator(Lns(32, 20), parse("bitshift")).plan().forms() == ()
    assert Accumulator(Lns(12, 6), order="tree").plan().forms() == ()
    assert Accumulator(Lns(12, 6), underflow="smallest").plan().forms() == ()


def operands(rng, f, shape, low, top, zeros):
    """Return levels and signs, some of them the lowest, and some zero."""
    zero = spec.zero_level(f)
    level = rng.integers(max(low, zero + 1), top, shape, endpoint=True)
    level[rng.random(shape) < 0.1] = low
    if zeros:
        level[rng.random(shape) < 0.1] = zero
    return [level.astype(f.dtype), rng.integers(-1, 1, shape).astype(f.dtype)]


def product(f, guard, delta, shape, ranges):
    """Return the words of a product by its forms and by NumPy, and which form was taken."""
    plan = Accumulator(f, parse(delta), guard).plan()
    rng = np.random.default_rng(1)
    rows, depth, columns = shape
    width = -(-columns // 32) * 32
    shapes = (rows, depth), (depth, width), (rows, width)
    a, b, init = (dict(zip((f"{n}_level", f"{n}_sign"), operands(rng, f, size, *limits)))
                  for n, size, limits in zip("abi", shapes, ranges))
    wanted, found = ({k: np.zeros((rows, width), f.dtype) for k in ("o_level", "o_sign")}
                     for _ in range(2))
    NumpyMatmul(plan, a, b, init, wanted, {}, 1)()
    call = FormMatmul(plan, a, b, init, found, {}, 2, columns)
    call.forms = list(plan.forms())  # whether they are worth it or not
    call()
    words = [np.asarray(spec.pack(Number(o["o_level"].astype(int), o["o_sign"].astype(int)), f))
             for o in (wanted, found)]
    (taken,) = call.calls
    assert np.array_equal(words[0][:, :columns], words[1][:, :columns])
    return 0 if taken is None else call.forms.index(taken) - len(call.forms)


SHAPES = [(40, 37, 300), (33, 1, 32), (32, 5, 96), (8, 20, 230)]


@pytest.mark.parametrize("guard, delta", [(0, "lut"), (1, "lut"), (0, "lut:r=1/4,dmax=7"),
                                          (2, "lut")], ids=str)
@pytest.mark.parametrize("top, zeros, taken", [(-1, True, 0), (-900, True, -1), (-1900, True, -1),
                                               (-1000, False, -2)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_by_words_are_those_of_the_plan(guard, delta, top, zeros, taken, shape):
    low = -2048 if zeros else -1200
    limits = [(low, min(-1, top + 100), True), (low, top, zeros), (low, top, True)]
    found = product(Lns(12, 6), guard, delta, shape, limits)
    assert found == taken or taken == -2 and found in (-1, -2)


@pytest.mark.parametrize("delta", ["lut", "lut:r=1/8,dmax=3", "lut:index=truncate"])
@pytest.mark.parametrize("low, top, zeros, taken", [
    (-5, 0, False, -1), (-5, 2, False, -1), (-5, 0, True, 0), (-8, 1, False, 0),
    (-1, 5, False, 0)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_with_zero_apart_are_those_of_the_plan(delta, low, top, zeros, taken, shape):
    f = Lns(16, 10)
    low, top = (spec.one_level(f) + (octave << f.frac) for octave in (low, top))
    limits = [(low, top, True), (low, top, zeros), (low, top, True)]
    assert product(f, 0, delta, shape, limits) == taken or delta != "lut"


@pytest.mark.parametrize("delta", ["lut", "lut:r=1/4,dmax=6", "exact"])
@pytest.mark.parametrize("low, top, taken", [(-128, -100, -3), (-100, -62, -3), (-128, -1, 0)])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products_by_bytes_are_those_of_the_plan(delta, low, top, taken, shape):
    limits = [(low, top, True)] * 3
    assert product(Lns(8, 3), 0, delta, shape, limits) == taken or delta != "lut"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("f", [Lns(12, 6), Lns(16, 10)], ids=str)
def test_only_results_that_become_words_may_lose_the_sign_of_a_zero(f, packed):
    plan = Accumulator(f).plan()
    rows, depth, columns = 64, 1024, 64
    a, b, init, out = ({f"{n}_{k}": np.zeros(shape, np.int16) for k in ("level", "sign")}
                       for n, shape in zip("abio", ((rows, depth), (depth, columns),
                                                    (rows, columns), (rows, columns))))
    call = bind_matmul(plan, a, b, init, out, packed=packed)
    assert isinstance(call, FormMatmul) is (packed and any(map(gains, plan.forms())))


def test_levels_of_operands_leave_zero_out():
    levels = np.array([[-32768, -5], [-300, -7]], np.int16)
    assert levels_of(levels, -32768) == (-300, -5, True)
    assert levels_of(levels[1:], -32768) == (-300, -7, False)
    assert levels_of(levels, -32769) == (-32768, -5, False)
    least, greatest, zeros = levels_of(levels[:1, :1], -32768)
    assert zeros and least > greatest
    assert levels_of(np.broadcast_to(levels[:1], (9, 2)), -32768) == (-5, -5, True)
