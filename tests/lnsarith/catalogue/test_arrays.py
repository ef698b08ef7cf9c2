"""Arrays of words do what the specs say, on every backend and through every door."""

import operator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from oracles import exact as oracle

from fxp import spec as fixed_spec
from fxp.arrays.array import FixedArray
from fxp.format import Fixed, FormatError
from fxp.run import backend as run
from fxp.trace.circuit import trace
from fxp.trace.graph import SpecError
from lnsarith.catalogue.array import LnsArray
from lnsarith.delta import methods as delta
from lnsarith.lns import spec as lns_spec
from lnsarith.lns.format import Lns

F, U, L = Fixed(6, 3), Fixed(5, 2, False), Lns(6, 2)
F16, L16 = Fixed(16, 11), Lns(16, 10)
LUT = delta.Lut()
BINARY = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
          "least": lambda x, y: x.minimum(y), "greatest": lambda x, y: x.maximum(y)}
UNARY = {"neg": operator.neg, "absolute": abs, "sqrt": lambda x: x.sqrt()}
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.matmul]
BOTH = pytest.mark.parametrize("kind, f", [(FixedArray, F16), (LnsArray, L16)])
BACKENDS = pytest.mark.parametrize("backend", run.BACKENDS)


def on_ints(name, f, *words):
    """Return the word that the spec of an operator gives for ints."""
    given = {"delta": LUT.at(f.frac, -(1 << (f.bits - 1)))} if isinstance(f, Lns) and (
        name in ("add", "sub")) else {}
    unformatted = isinstance(f, Fixed) and name in ("least", "greatest", "compare")
    return getattr(spec_of(f), name)(*words, **given, **({} if unformatted else {"f": f}))


def spec_of(f):
    return lns_spec if isinstance(f, Lns) else fixed_spec


def array(words, f, **options):
    return (LnsArray if isinstance(f, Lns) else FixedArray)(words, f, **options)


def random_array(f, shape, seed=0, **options):
    words = np.random.default_rng(seed).integers(*f.words, shape, endpoint=True)
    return array(words, f, **options)


@BACKENDS
@pytest.mark.parametrize("f", [F, U, L], ids=str)
def test_operators_give_the_spec_of_every_pair(f, backend):
    every = list(range(f.words[0], f.words[1] + 1))
    x, y = array(every, f).reshape(-1, 1), array(every, f)
    with run.backend(backend):
        for name, apply in BINARY.items():
            if hasattr(spec_of(f), name):
                words = [[on_ints(name, f, a, b) for b in every] for a in every]
                assert apply(x, y).words.tolist() == words, name
        for name, apply in UNARY.items():
            if hasattr(spec_of(f), name):
                assert apply(y).words.tolist() == [on_ints(name, f, a) for a in every], name
        order = np.array([[on_ints("compare", f, a, b) for b in every] for a in every])
        for holds in COMPARISONS:
            assert holds(x, y).dtype == bool
            assert np.array_equal(holds(x, y), holds(order, 0)), holds


@pytest.mark.parametrize("f", [F16, Fixed(32, 16), Fixed(16, 8, False), L16, Lns(32, 20)], ids=str)
@pytest.mark.parametrize("name", ["add", "mul", "least"])
def test_backends_agree_on_wide_words(f, name, monkeypatch):
    monkeypatch.setattr(run, "BLOCK", 1000)
    x, y = random_array(f, 3001), random_array(f, 3001, seed=1)
    results = []
    for backend in run.BACKENDS:
        with run.backend(backend):
            results.append(BINARY[name](x, y).words)
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])
    ints = [on_ints(name, f, a, b) for a, b in zip(x.words.tolist()[:200], y.words.tolist())]
    assert results[0].tolist()[:200] == ints


@BOTH
@pytest.mark.parametrize("apply", ARITHMETIC)
@pytest.mark.parametrize("other", [np.ones(2), np.ones(2, np.int16), np.array(1.0)], ids=repr)
def test_an_ndarray_on_either_side_raises(kind, f, apply, other):
    numbers = kind.from_float([1.0, 2.0], f)
    for sides in ((numbers, other), (other, numbers)):
        with pytest.raises(TypeError, match="from_float|no division"):
            apply(*sides)
    with pytest.raises(TypeError):
        np.add(numbers, other)
    with pytest.raises(TypeError, match="from_float"):
        numbers[0] = other


@BOTH
def test_lists_and_other_objects_raise(kind, f):
    numbers = kind.from_float([1.0, 2.0], f)
    for other in ([1.0, 2.0], "1", None, 1j, True):
        for apply in (operator.add, operator.mul, operator.matmul, operator.lt):
            if apply is operator.lt and other == [1.0, 2.0]:
                continue
            for sides in ((numbers, other), (other, numbers)):
                with pytest.raises(TypeError):
                    apply(*sides)
        with pytest.raises(TypeError, match="takes one of its kind|real numbers|truth value"):
            numbers.minimum(other)
    assert numbers != "1" and (numbers == "1") is False


@BOTH
@pytest.mark.parametrize("number", [2, 0.5, np.float32(0.5), np.int16(2)], ids=repr)
def test_numbers_become_the_nearest_word_on_either_side(kind, f, number):
    x, y = kind.from_float([1.0, -3.0], f), kind.from_float(number, f)
    arithmetic = ARITHMETIC[: 4 if kind is LnsArray else 3]
    for apply in (*arithmetic, *COMPARISONS):
        for mixed, pure in ((apply(x, number), apply(x, y)), (apply(number, x), apply(y, x))):
            assert type(mixed) is (kind if apply in arithmetic else np.ndarray)
            assert np.array_equal(mixed, pure)
    assert np.array_equal(x.maximum(number), np.maximum([1.0, -3.0], number))


@pytest.mark.parametrize("one, other, named", [
    (FixedArray([1], F), FixedArray([1], U), "fixed6.3 and ufixed5.2"),
    (FixedArray([1], F), LnsArray([1], L), "fixed6.3 and lns6.2"),
    (LnsArray([1], L), LnsArray([1], L16), "lns6.2 and lns16.10"),
    (LnsArray([1], L), LnsArray([1], L, delta.Exact()), "delta=lut.*delta=exact"),
    (FixedArray([1], F), FixedArray([1], F, overflow="wrap"), "overflow=saturate.*=wrap")])
def test_mixed_arithmetic_raises_and_names_both(one, other, named):
    for apply in (operator.add, operator.mul, operator.matmul, lambda x, y: x.maximum(y)):
        with pytest.raises(FormatError, match=named):
            apply(one, other)
    if one.f != other.f:
        with pytest.raises(FormatError, match=named):
            one[0] = other[0]
        with pytest.raises(FormatError, match=named):
            operator.eq(one, other)


def test_fixed_point_division_raises():
    for sides in ((FixedArray([1], F), 2), (2, FixedArray([1], F))):
        with pytest.raises(TypeError, match="fixed-point arrays have no division"):
            operator.truediv(*sides)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 14))
@example(5.615871821078958e+21, 1)  # log2 in float64 is a tie, the log is not
@example(1.2183820920117507e-70, 1)
@example(-5e-324, 3)
@example(0.0625, 3)
@example(0.1875, 3)
def test_from_float_gives_the_nearest_word(x, frac):
    fixed, lns = Fixed(16, frac), Lns(16, frac)
    assert int(FixedArray.from_float(x, fixed).words) == oracle.fixed_quantise(x, 16, frac)
    assert int(LnsArray.from_float(x, lns).words) == oracle.lns_from_real(x, 16, frac)


def test_from_float_of_almost_nothing_is_the_smallest_number_on_request():
    tiny = LnsArray.from_float([-1e-300, 0.0], L16, underflow="smallest")
    assert tiny.to_float().tolist() == [-L16.min, 0.0]


@BOTH
def test_words_come_back_from_their_values(kind, f):
    words = np.arange(f.words[0], f.words[1] + 1)
    back = kind.from_float(kind(words, f), f).words
    assert np.array_equal(back, np.where(words == -(1 << 14), 1 << 14, words)
                          if kind is LnsArray else words)
    assert all(oracle.fixed_value(w, 16, 11) == Fraction(v) for w, v in zip(
        range(-20, 20), FixedArray(range(-20, 20), F16).to_float().tolist()))


@BOTH
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_nan_and_infinity_have_no_word(kind, f, value):
    for give in (lambda x: kind.from_float([[1.0, x]], f), lambda x: kind([1], f) + x):
        with pytest.raises(ValueError, match=f"{f} has no word for {value}"):
            give(float(value))


@pytest.mark.parametrize("words, error, says", [
    ([1.0], TypeError, "integers"), ([True], TypeError, "integers"),
    ([[3], [True]], TypeError, "truth value"), (np.array([True]), TypeError, "integers"),
    (np.ma.array([1, 2], mask=[0, 1]), TypeError, "masked array"),
    ([32], FormatError, "-32..31, got 32"), (np.array([32], F.dtype), FormatError, "got 32"),
    (np.array([[0, -33]]), FormatError, "got -33")])
def test_words_are_integers_of_the_format(words, error, says):
    with pytest.raises(error, match=says):
        FixedArray(words, F)
    with pytest.raises(FormatError, match="must be a Fixed, got Lns"):
        FixedArray([1], L)


@BACKENDS
def test_power_is_the_spec_with_an_exact_exponent(backend):
    words = list(range(-32, 32))
    with run.backend(backend):
        assert LnsArray(words, L).power(-1.5).words.tolist() == [
            lns_spec.power(w, -384, L, 8) for w in words]
        assert LnsArray(words, L).power(FixedArray(3, F)).words.tolist() == [
            lns_spec.power(w, 3, L, 3) for w in words]
    with pytest.raises(FormatError, match="exponent 0.3 is no multiple of 1/256"):
        LnsArray(words, L).power(0.3)


def test_elementwise_wants_integers_for_every_port():
    circuit = trace(fixed_spec.add, {"x": F.words, "y": F.words}, f=F)
    word = np.array([3])
    assert run.elementwise(circuit, {"y": word, "x": word}).tolist() == [6]
    with pytest.raises(SpecError, match="add takes .'x', 'y'., got .'x'."):
        run.elementwise(circuit, {"x": word})
    with pytest.raises(TypeError, match="y must hold integers, got float64"):
        run.elementwise(circuit, {"x": word, "y": word * 1.0})
