"""Numbers in one word: the same sums as of level and sign, proved and run."""

import numpy as np
import pytest

from fxp.compile.cache import gains_joined
from fxp.compile.machine.target import target
from fxp.run.execute import JoinedMatmul, NumpyMatmul, bind_matmul
from fxp.trace.circuit import evaluate, trace
from lnsarith.catalogue.kernels import Accumulator
from lnsarith.delta.methods import parse
from lnsarith.lns import spec
from lnsarith.lns.format import Lns
from lnsarith.lns.joined import Joined, joined_for
from lnsarith.lns.spec import Number
from verilog.prove.smt import Formula, constant
from verilog.prove.solving.solvers import solve

SIGN = (-1, 0)


def joined_of(f, delta="lut"):
    return joined_for(f, parse(delta).at(f.frac, spec.zero_level(f)))


def question(f, joined):
    """Return the circuit that gives 1 where a step of words is that of level and sign, and its
    result below the same bound, for operands that fit it."""
    delta = parse("lut").at(f.frac, spec.zero_level(f))
    levels = spec.level_range(f)

    def holds(level, sign, b_level, b_sign, a_level, a_sign, bound):
        n, b, a = Number(level, sign), Number(b_level, b_sign), Number(a_level, a_sign)
        log_a = a_level - spec.one_level(f)
        fits = (level <= bound) & (b_level + joined.reach <= bound) & (
            b_level + log_a + joined.reach <= bound)
        found = joined.number(joined.step(joined.join(n), joined.join(b), a, True))
        true = spec.total(n, spec.product(b, a, f), delta, f)
        zero = true.level == spec.zero_level(f)
        same = (found.level == true.level) & ((found.sign == true.sign) | zero)
        return (fits == 0) | (same & (found.level <= bound))

    ports = {"level": levels, "sign": SIGN, "b_level": levels, "b_sign": SIGN,
             "a_level": (levels[0] + 1, levels[1]), "a_sign": SIGN, "bound": levels}
    return trace(holds, ports, outputs=("holds",))


def verdict(circuit):
    formula = Formula()
    term, width = formula.circuit(circuit)[0]["holds"]
    formula.require(f"(= {term} {constant(0, width)})")
    answer = solve(formula, 120)
    return answer.verdict, answer.model


@pytest.mark.parametrize("f", [Lns(8, 3), Lns(12, 6)], ids=str)
def test_a_step_of_words_is_a_mac(f):
    joined = joined_of(f)
    assert verdict(question(f, joined))[0] == "proved"
    close = Joined(f, joined.up, joined.table, joined.reach - 1)  # a sum comes as far as that
    circuit = question(f, close)
    found, model = verdict(circuit)
    assert found == "refuted" and not evaluate(circuit, **{k: model[k] for k in circuit.inputs})


def test_a_register_without_room_has_no_such_words():
    assert joined_of(Lns(16, 10)) is None
    assert joined_of(Lns(14, 8)).up == 2 and joined_of(Lns(15, 9)) is None


@pytest.mark.skipif(target().level != "avx512", reason="other processors read the table slower")
@pytest.mark.parametrize("delta, gains", [("lut", True), ("exact", False), ("pwl", False)])
def test_tables_that_two_registers_hold_are_worth_it(delta, gains):
    assert gains_joined(Accumulator(Lns(12, 6), parse(delta)).plan()) is gains


def test_wide_registers_are_refused_at_once():
    assert joined_of(Lns(32, 20)) is None  # whose gaps nobody could list


def operands(rng, f, shape, top):
    """Return levels and signs, some of them zero or the smallest, up to a level."""
    zero = spec.zero_level(f)
    level = rng.integers(zero, top, shape, endpoint=True)
    level[rng.random(shape) < 0.1] = zero + 1
    level[rng.random(shape) < 0.1] = zero
    return [level.astype(f.dtype), rng.integers(-1, 1, shape).astype(f.dtype)]


@pytest.mark.parametrize("guard, delta", [(0, "lut"), (1, "lut"), (0, "lut:r=1/4,dmax=7"),
                                          (2, "lut")], ids=str)
@pytest.mark.parametrize("top", [-1, -900, -1900])
@pytest.mark.parametrize("shape", [(40, 37, 300), (33, 1, 32), (32, 5, 96)], ids=str)
def test_products_by_words_are_those_of_the_plan(guard, delta, top, shape):
    f = Lns(12, 6)
    plan = Accumulator(f, parse(delta), guard).plan()
    assert plan.joined() is not None
    rng = np.random.default_rng(1)
    rows, depth, columns = shape
    width = -(-columns // 32) * 32
    a = dict(zip(("a_level", "a_sign"), operands(rng, f, (rows, depth), min(-1, top + 100))))
    b = dict(zip(("b_level", "b_sign"), operands(rng, f, (depth, width), top)))
    init = dict(zip(("i_level", "i_sign"), operands(rng, f, (rows, width), top)))
    wanted, found = ({k: np.zeros((rows, width), f.dtype) for k in ("o_level", "o_sign")}
                     for _ in range(2))
    NumpyMatmul(plan, a, b, init, wanted, {}, 1)()
    call = JoinedMatmul(plan, a, b, init, found, {}, 2, columns)
    call()
    words = [np.asarray(spec.pack(Number(o["o_level"].astype(int), o["o_sign"].astype(int)), f))
             for o in (wanted, found)]
    assert np.array_equal(words[0][:, :columns], words[1][:, :columns])
    assert ("general" in vars(call)) == (top == -1)  # only those that may reach the top


@pytest.mark.parametrize("packed", [False, True])
def test_only_results_that_become_words_may_lose_the_sign_of_a_zero(packed):
    plan = Accumulator(Lns(12, 6)).plan()
    rows, depth, columns = 64, 1024, 64
    a, b, init, out = ({f"{n}_{k}": np.zeros(shape, np.int16) for k in ("level", "sign")}
                       for n, shape in zip("abio", ((rows, depth), (depth, columns),
                                                    (rows, columns), (rows, columns))))
    call = bind_matmul(plan, a, b, init, out, packed=packed)
    assert isinstance(call, JoinedMatmul) is (packed and gains_joined(plan))
