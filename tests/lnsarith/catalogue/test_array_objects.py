"""What arrays are besides arithmetic: containers, copies, texts, formats, backends."""

import copy
import os
import pickle
import subprocess
import sys
import textwrap
from fractions import Fraction

import numpy as np
import pytest
from oracles import exact as oracle

from fxp.arrays.array import FixedArray, limits
from fxp.format import Fixed, FormatError
from fxp.run import backend as run
from lnsarith.catalogue.array import LnsArray
from lnsarith.delta.methods import Interp, Lut
from lnsarith.lns import convert
from lnsarith.lns.format import Lns

F, L = Fixed(8, 3), Lns(8, 3)
BOTH = pytest.mark.parametrize("kind, f", [(FixedArray, F), (LnsArray, L)])
BACKENDS = pytest.mark.parametrize("backend", run.BACKENDS)


def numbers(kind, f, shape=(2, 3), **options):
    words = np.random.default_rng(0).integers(*f.words, shape, endpoint=True)
    return kind(words, f, **options)


@BOTH
def test_containers_index_iterate_and_reshape_like_their_words(kind, f):
    x = numbers(kind, f)
    w = x.words
    assert w.dtype == f.dtype
    assert (x.shape, x.ndim, x.size, len(x)) == ((2, 3), 2, 6, 2)
    for key in (0, -1, (1, 2), slice(None, None, -1), ..., None, [1, 0], w > 0, (0, [1, 2])):
        assert type(x[key]) is kind and x[key].f == f
        assert np.array_equal(x[key].words, w[key])
    assert [row.words.tolist() for row in x] == w.tolist()
    assert np.array_equal(x.T.words, w.T)
    assert np.array_equal(x.reshape(3, -1).words, w.reshape(3, 2))
    assert x[0, 0].shape == () and float(x[0, 0]) == x.to_float()[0, 0]
    with pytest.raises(TypeError, match="unsized"):
        len(x[0, 0])
    with pytest.raises(IndexError):
        x[2]


@BOTH
def test_items_are_assigned_words_of_the_same_format_or_numbers(kind, f):
    x = numbers(kind, f)
    x[0] = x[1]
    assert np.array_equal(x.words[0], x.words[1])
    x[:, 1] = 2
    assert x.to_float()[:, 1].tolist() == [2.0, 2.0]
    x[x < 0] = -1.0
    assert x.to_float().min() >= -1
    with pytest.raises(TypeError, match="takes one of its kind or a number, got list"):
        x[0] = [1, 2, 3]


@BOTH
def test_slices_share_words_and_copies_do_not(kind, f):
    x = numbers(kind, f)
    shared, own = x[0], [x.copy(), copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))]
    before = x.words.copy()
    shared[:] = 1
    assert (x[0] == 1).all()
    for other in own:
        assert np.array_equal(other.words, before)
    assert kind(before, f).words is before


@pytest.mark.parametrize("x", [
    FixedArray([[1, -2], [3, 4]], F), FixedArray(5, F, rounding="down", kind="limited"),
    FixedArray([], Fixed(8, 3, False)), LnsArray([[]], L), FixedArray.zeros((0, 3), F),
    LnsArray([0, -128], L, Interp(Fraction(1, 8)), guard=2, order="tree"),
    LnsArray(np.arange(-100, 100).reshape(4, 50).T, L, underflow="smallest")], ids=repr)
def test_pickles_and_texts_are_the_same_arrays(x):
    for other in (pickle.loads(pickle.dumps(x)), eval(repr(x), globals())):
        assert other.is_identical(x) and x.is_identical(other)
        assert other.options == x.options
        assert (other + x if x.size else x).options == x.options


def test_the_text_begins_with_the_words_and_leaves_out_defaults():
    assert repr(FixedArray([8, -12], F, overflow="wrap")) == (
        "FixedArray([  8, -12], Fixed(bits=8, frac=3, signed=True), overflow='wrap')")
    assert len(repr(FixedArray.zeros(10**5, F))) < 200


@BOTH
def test_identical_means_format_shape_and_words(kind, f):
    x = numbers(kind, f)
    assert x.is_identical(kind(x.words.copy(), f))
    assert not x.is_identical(x.reshape(3, 2))
    assert not x.is_identical(x[:1])
    assert not x.is_identical(x.maximum(0))
    assert not x.is_identical(kind(x.words, type(f)(8, 4)))
    assert not x.is_identical(x.words)
    for meaningless in (lambda: hash(x), lambda: bool(x), lambda: bool(x[0, 0])):
        with pytest.raises(TypeError):
            meaningless()


@BOTH
def test_numpy_gets_copies_as_floats_where_a_type_of_floats_is_named(kind, f):
    x = numbers(kind, f)
    assert x.to_float().dtype == np.float64 and x[0, 0].to_float().shape == ()
    for dtype in (float, np.float32, "f2"):
        assert np.asarray(x, dtype).dtype == np.dtype(dtype)
        assert np.array_equal(np.array([x, x], dtype)[1], x.to_float().astype(dtype))
    with pytest.raises(ValueError, match=r"array\.words"):
        np.array(x, float, copy=False)
    for silent in (lambda: np.asarray(x), lambda: np.array(x, np.int64), lambda: np.array([x, x]),
                   lambda: x.__array__(), lambda: np.ones(3).dot(x.T), lambda: np.full(2, x)):
        with pytest.raises(TypeError, match=r"x\.to_float\(\) has the values"):
            silent()
    with pytest.raises(TypeError):
        np.exp(x)


@pytest.mark.parametrize("word", [40000, 1 << 63, -(10**30), 10**30])
def test_words_of_any_size_are_refused_by_their_range(word):
    with pytest.raises(FormatError, match=rf"words of fixed16.11 are -32768..32767, got {word}$"):
        FixedArray([0, word], Fixed(16, 11))
    with pytest.raises(TypeError, match="words are integers, got object"):
        FixedArray([Fraction(1, 2), 10**30], Fixed(16, 11))


def test_limits_are_values_of_the_format():
    assert limits(F) == (127 / 8, 1 / 8, 1 / 8, 0)
    assert limits(L) == (L.max, L.min, L.eps, L.zero)
    for kind, f in ((FixedArray, F), (LnsArray, L)):
        top, least, _, zero = limits(f)
        assert kind.from_float([1e9, top, least, 0], f).words.tolist()[1:] == [
            f.high if kind is FixedArray else f.high_log, 1 if kind is FixedArray else 65, zero]
        assert float(kind.from_float(1e9, f)) == top
        assert kind.zeros((2, 2), f).words.tolist() == [[zero] * 2] * 2


@pytest.mark.parametrize("to", [Fixed(6, 1), Fixed(12, 8), Fixed(7, 3, False)], ids=str)
@pytest.mark.parametrize("rounding", ["nearest-even", "toward-zero"])
@pytest.mark.parametrize("overflow", ["saturate", "wrap"])
def test_fixed_formats_convert_as_the_oracle_says(to, rounding, overflow):
    x = FixedArray(np.arange(-128, 128), F, rounding, overflow)
    assert x.astype(to).words.tolist() == [
        oracle.fixed_resize(w, 8, 3, True, to.bits, to.frac, to.signed, rounding, overflow)
        for w in range(-128, 128)]
    assert x.astype(to).options == x.options


@pytest.mark.parametrize("to", [Lns(6, 2), Lns(12, 6), Lns(8, 5)], ids=str)
@pytest.mark.parametrize("underflow", ["zero", "smallest"])
def test_lns_formats_convert_by_rounding_the_log(to, underflow):
    words = []
    for word in range(-128, 128):
        sign, log = oracle.lns_decode(word, 8)
        log = log if log is None else round(Fraction(log) * 2**to.frac / 2**L.frac)
        words.append(oracle.lns_encode(sign, log, to.bits, underflow))
    x = LnsArray(np.arange(-128, 128), L, underflow=underflow)
    assert x.astype(to).words.tolist() == words
    assert x.astype(to).options == x.options


def test_families_convert_into_each_other():
    lns, fixed = (kind(np.arange(-128, 128), f) for kind, f in ((LnsArray, L), (FixedArray, F)))
    words = range(-128, 128)
    assert lns.astype(F).words.tolist() == [convert.to_fixed(w, L, F) for w in words]
    assert fixed.astype(L).words.tolist() == [convert.from_fixed(w, F, L) for w in words]
    assert lns.astype(F, rounding="down").options["rounding"] == "down"
    assert fixed.astype(L, delta=Lut(Fraction(1, 4))).options["delta"] == Lut(Fraction(1, 4))
    for to in ("posit8", "float32", float, np.float64, None, 16):
        for x in (lns, fixed):
            with pytest.raises(FormatError, match=f"no array class for {to!r} .*to_float()"):
                x.astype(to)


@BACKENDS
@BOTH
def test_shapes_empty_zero_dimensional_strided_and_broadcast(kind, f, backend):
    x = numbers(kind, f, (4, 6))
    row, column, point = x[0], x[:, :1], x[0, 0]
    with run.backend(backend):
        assert (x + row).is_identical(x + kind(np.tile(row.words, (4, 1)), f))
        assert (column + row).is_identical(column + kind(np.tile(row.words, (4, 1)), f))
        assert (point + point).shape == () and (point + x)[0, 0].is_identical(point + point)
        assert (x.T + x.T).is_identical((x + x).T)
        assert (x[::2, ::-3] + 1).is_identical((x + 1)[::2, ::-3])
        assert (x.T[:3] @ x[:, 1:]).is_identical(x.T.copy()[:3] @ x[:, 1:].copy())
        assert (x[:0] + x[:0]).shape == (0, 6) and (x[:0] == 1).shape == (0, 6)
        assert (x[:0] @ x.T).shape == (0, 4) and (x @ x.T[:, :0]).shape == (4, 0)
        assert (x[:, :0] @ x.T[:0]).is_identical(kind.zeros((4, 4), f))
        assert x[:0].sum(0).is_identical(kind.zeros(6, f)) and x[:0].sum(1).shape == (0,)
        with pytest.raises(ValueError, match="broadcast"):
            x + x[:, :2]


def test_an_unknown_backend_is_named():
    names = "backend must be one of vector, scalar, numpy, got 'fast'"
    with pytest.raises(ValueError, match=names):
        run.set_backend("fast")
    with pytest.raises(ValueError, match=names), run.backend("fast"):
        pass
    assert run.current_backend() == "vector"
    told = fresh("FixedArray([1], f) + 1", LNSARITH_BACKEND="fast")
    assert names in told.stderr


def test_the_numpy_backend_never_imports_numba():
    told = fresh("""
        for x in (FixedArray([[1, 2]], f), LnsArray([[1, 2]], Lns(8, 3))):
            x + 1, x.T @ x, x.sum(), x < x, x.astype(f), x.astype(Lns(6, 2))
        assert "numba" not in sys.modules
        FixedArray([1], f) + 1
        with run.backend("vector"):
            FixedArray([1], f) + 1
        assert "numba" in sys.modules
        print("done")""", LNSARITH_BACKEND="numpy")
    assert told.stdout == "done\n", told.stderr


def test_the_backend_comes_back_after_a_with_statement_that_fails():
    with pytest.raises(KeyError), run.backend("numpy"):
        assert run.current_backend() == "numpy"
        raise KeyError
    assert run.current_backend() == "vector"


def fresh(body: str, **environment):
    """Return what a new interpreter says to a program."""
    head = """
        import sys
        from fxp.run import backend as run
        from fxp.arrays.array import FixedArray
        from fxp.format import Fixed
        from lnsarith.catalogue.array import LnsArray
        from lnsarith.lns.format import Lns
        f = Fixed(8, 3)
        """
    program = textwrap.dedent(head) + textwrap.dedent(body)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=False, env={**os.environ, **environment})
