"""NumPy's functions give the right words of arrays of numbers, or say what to use."""

import contextlib
import io
import itertools
import warnings

import numpy as np
import pytest

from fxp.arrays.array import FixedArray
from fxp.arrays.joining import concatenate, stack, where
from fxp.format import Fixed, FormatError
from lnsarith.catalogue.array import LnsArray
from lnsarith.lns.format import Lns

BOTH = pytest.mark.parametrize("kind, f", [(FixedArray, Fixed(16, 8)), (LnsArray, Lns(16, 10))])
# These write files, print, change how NumPy works, or answer with what else they are given.
APART = {"test", "show_config", "show_runtime", "info", "seterr", "seterrcall", "setbufsize",
         "set_printoptions", "printoptions", "errstate", "save", "savez", "savez_compressed",
         "savetxt", "get_include", "bmat", "real_if_close", "tri"}
TYPES = {name for name, kind in vars(np).items()
         if isinstance(kind, type) and issubclass(kind, np.floating)}
MODULES = (np, np.linalg, np.fft, np.emath, np.strings, np.lib.stride_tricks)


def numbers(kind, f, shape=(2, 3), seed=0):
    rng = np.random.default_rng(seed)
    return kind.from_float(rng.integers(-20, 20, shape) / 4, f)


def has_floats(found) -> bool:
    if isinstance(found, np.ndarray):
        return found.dtype.kind in "fcO" and bool(found.size)
    if isinstance(found, (tuple, list)):
        return any(map(has_floats, found))
    return isinstance(found, (float, complex, np.inexact))


def calls(x):
    """Return arguments of which an array of numbers is one of the data."""
    return [(x,), (x, x), ([x, x],), ([x[0], x[1]],), (x > 0, x, x), (x, 1), (2, x), (x, x, x),
            (x[0],), (np.ones(3), x), (x, np.ones(3)), ([1, 0], x), (x, [0, 1]), ((2, 2), x)]


@BOTH
def test_no_function_turns_words_into_floats_unseen(kind, f):
    tried = 0
    for module, shape in itertools.product(MODULES, [(3,), (2, 2)]):
        for name, function in list(vars(module).items()):
            if name.startswith("_") or not callable(function) or name in APART | TYPES or (
                    isinstance(function, type) and issubclass(function, BaseException)):
                continue
            for args in calls(numbers(kind, f, shape)):
                with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        found = function(*args)
                        found = list(found) if hasattr(found, "__next__") else found
                    except Exception:
                        continue
                tried += 1
                assert not has_floats(found), (module.__name__, name, args)
    assert tried > 300  # calls that gave an answer


@BOTH
@pytest.mark.parametrize("call, says", [
    (lambda x: np.allclose(x, x), r"np\.allclose is not defined .*x\.is_identical"),
    (lambda x: np.exp(x), r"np\.exp .*x\.to_float\(\)"),
    (lambda x: np.linalg.norm(x), r"np\.linalg\.norm .*x\.to_float\(\)"),
    (lambda x: np.add.reduce(x), r"np\.add\.reduce .*x\.sum\(axis\)"),
    (lambda x: np.sum(x, dtype=float), r"np\.sum with dtype"),
    (lambda x: np.mean(x, keepdims=True), r"np\.mean with keepdims"),
    (lambda x: np.add(x, x, out=np.zeros((2, 3))), r"np\.add with out"),
    (lambda x: np.add(np.zeros((2, 3)), 1, out=(x,)), r"np\.add with out"),
    (lambda x: np.take(x, [0], out=x), r"np\.take"),
    (lambda x: np.stack([x, x], dtype=float), r"np\.stack"),
    (lambda x: np.std(x), r"np\.std"), (lambda x: np.where(x), r"np\.where"),
    (lambda x: np.ma.asarray(x), r"x\.to_float\(\) has the values"),
    (lambda x: np.sum([x, x]), r"x\.to_float\(\) has the values"),
    (lambda x: np.mean([x[0], x[1]]), r"x\.to_float\(\) has the values"),
    (lambda x: np.random.default_rng(0).choice(x), r"x\.to_float\(\) has the values"),
    (lambda x: np.concatenate([x, np.zeros((2, 3))]), "ndarray does not mix with .*from_float"),
    (lambda x: np.maximum(x, np.zeros(3)), "does not mix"),
    (lambda x: np.clip(np.zeros(3), x, None), "does not mix"),
    (lambda x: np.dot(np.zeros((2, 2)), x), "does not mix"),
    (lambda x: np.zeros(3).__iadd__(x), r"np\.add with out"),
    (lambda x: np.reshape(np.zeros(6), x), "x|int")], ids=range(22))
def test_what_is_not_defined_names_what_to_use(kind, f, call, says):
    with pytest.raises(TypeError, match=says):
        call(numbers(kind, f))


@BOTH
def test_functions_of_arithmetic_are_the_operators(kind, f):
    x, y = numbers(kind, f), numbers(kind, f, seed=1)
    pairs = [(np.add(x, y), x + y), (np.add(2, x), 2 + x), (np.subtract(1.5, x), 1.5 - x),
             (np.multiply(np.float32(0.5), x), 0.5 * x), (np.negative(x), -x), (np.abs(x), abs(x)),
             (np.power(x, 2), x**2), (np.maximum(x, y), x.maximum(y)),
             (np.minimum(1, x), x.minimum(1)),
             (np.matmul(x, y.T), x @ y.T), (np.dot(x, y.T), x @ y.T), (np.sum(x), x.sum()),
             (np.sum(x, axis=1), x.sum(1)), (np.sum(x, 0), x.sum(0)), (np.mean(x, 0), x.mean(0)),
             (np.max(x, axis=1), x.max(1)), (np.amin(x), x.min()), (x.abs(), abs(x)),
             (np.clip(x, -1, 2), x.maximum(-1).minimum(2)), (np.clip(x, None, y), x.minimum(y)),
             (np.clip(2, x, y), x.maximum(2).minimum(y))]
    for found, right in pairs:
        assert found.is_identical(right)
    assert np.array_equal(np.less(x, y), x < y) and np.array_equal(np.ones(3) <= x, x >= 1)
    assert np.array_equal(np.equal(1, x), x == 1) and np.array_equal(np.not_equal(x, y), x != y)
    assert np.array_equal(x, x.copy()) is True and np.array_equal(x, y) is False
    assert np.array_equal(x, x.to_float()) is (kind is FixedArray) and not np.array_equal(x, x[0])
    if kind is LnsArray:
        assert np.sqrt(x).is_identical(x.sqrt()) and np.divide(1, x).is_identical(1 / x)
    else:
        with pytest.raises(TypeError, match="no division"):
            np.divide(1, x)


@BOTH
def test_functions_that_move_words_move_them_as_numpy_does(kind, f):
    x, y = numbers(kind, f), numbers(kind, f, seed=1)
    for move in (np.ravel, np.transpose, np.copy, np.flip, np.squeeze,
                 lambda a: np.reshape(a, (3, 2)),
                 lambda a: np.roll(a, 1, axis=1), lambda a: np.take(a, [2, 0], axis=1),
                 lambda a: np.moveaxis(a, 0, 1), lambda a: np.broadcast_to(a, (4, 2, 3)),
                 lambda a: np.tile(a, 2), lambda a: np.repeat(a, 2, 0), np.rot90, np.diagonal,
                 lambda a: np.expand_dims(a, 1), lambda a: np.swapaxes(a, 0, 1), np.atleast_2d):
        assert move(x).is_identical(kind(move(x.words), f))
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)
    joins = {np.concatenate: concatenate, np.stack: stack}
    for join, own in joins.items():
        for axis in (0, 1, -1):
            right = kind(join([x.words, y.words], axis=axis), f)
            assert join([x, y], axis=axis).is_identical(right)
            assert own([x, y], axis).is_identical(right)
    for join in (np.vstack, np.hstack, np.dstack, np.column_stack):
        assert join([x, y]).is_identical(kind(join([x.words, y.words]), f))
    mask = x > y
    right = kind(np.where(mask, x.words, y.words), f)
    assert where(mask, x, y).is_identical(right) and np.where(mask, x, y).is_identical(right)
    assert where(mask, x, 0.5).is_identical(where(~mask, 0.5, x))
    assert where(x[:, :1] > 0, x, 0).is_identical(kind(
        np.where((x > 0)[:, :1], x.words, kind.zeros((), f).words), f))


@BOTH
def test_joining_wants_one_format_and_booleans(kind, f):
    x = numbers(kind, f)
    other = kind.from_float([[1.0, 2.0, 3.0]], type(f)(12, 4))
    changed = kind(x.words, f, **({"rounding": "down"} if kind is FixedArray else {"guard": 1}))
    for y, named in ((other, "do not mix"), (changed, "does not mix")):
        for join in (lambda y=y: concatenate([x, y]), lambda y=y: np.vstack([x, y]),
                     lambda y=y: where(x > 0, x, y)):
            with pytest.raises(FormatError, match=named):
                join()
    for join in (lambda: concatenate([np.ones(3)]), lambda: where([True], 1, 2),
                 lambda: where([1, 0, 1], x, 0), lambda: where(x, x, x),
                 lambda: stack([x, [[1.0]]]), lambda: concatenate([])):
        with pytest.raises(TypeError, match="arrays? of numbers|does not mix|booleans"):
            join()
