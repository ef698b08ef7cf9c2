"""Products, sums and random bits of arrays are what loops over ints say."""

import os
import subprocess
import sys
from functools import reduce

import numpy as np
import pytest

from fxp import spec as fixed_spec
from fxp.arrays.array import FixedArray
from fxp.format import Fixed, FormatError
from fxp.run import backend as run
from fxp.run import kernels as fixed_kernels
from lnsarith.catalogue import kernels as lns_kernels
from lnsarith.catalogue.array import LnsArray
from lnsarith.delta import methods as delta
from lnsarith.lns import spec as lns_spec
from lnsarith.lns.format import Lns

F, U, L = Fixed(6, 3), Fixed(5, 2, False), Lns(6, 2)
F16, L16 = Fixed(16, 11), Lns(16, 10)
BACKENDS = pytest.mark.parametrize("backend", run.BACKENDS)


def random_array(f, shape, seed=0, **options):
    words = np.random.default_rng(seed).integers(*f.words, shape, endpoint=True)
    return (LnsArray if isinstance(f, Lns) else FixedArray)(words, f, **options)


def int_product(a, b, start, leaf, combine, finish, tree=False):
    """Return finish of the sums of leaves, by loops over ints."""
    def total(leaves):
        if not tree:
            for n in leaves[1:]:
                leaves[0] = combine(leaves[0], n)
            return leaves[0]
        size = 1 << (len(leaves).bit_length() - 1)
        if size == len(leaves):
            return leaves[0] if size == 1 else combine(total(leaves[: size // 2]),
                                                       total(leaves[size // 2 :]))
        return combine(total(leaves[:size]), total(leaves[size:]))

    return [[finish(total([start, *(leaf(row[k], b[k][n]) for k in range(len(b)))]))
             for n in range(len(b[0]))] for row in a]


@BACKENDS
@pytest.mark.parametrize("options", [
    {}, {"guard": 3}, {"order": "tree", "delta": delta.Exact()},
    {"underflow": "smallest"}], ids=str)
@pytest.mark.parametrize("rows, columns", [(3, 5), (40, 3)])  # the second is less work turned
def test_lns_products_are_the_loop_over_ints(backend, options, rows, columns):
    f = Lns(10, 4)
    x, y, i = (random_array(f, shape, seed, **options)
               for seed, shape in enumerate([(rows, 13), (13, columns), columns]))
    x[0] = 0
    acc = lns_kernels.Accumulator(f, **options)

    def number(word):
        return lns_spec.unpack(word, f)

    def words(init):
        return int_product(x.words.tolist(), y.words.tolist(), acc.start(number(init)),
                           lambda a, b: acc.product(number(b), number(a)), acc.total,
                           lambda n: lns_spec.pack(acc.finish(n), f), acc.order == "tree")

    with run.backend(backend):
        assert (x @ y).words.tolist() == words(f.zero)
        product = x.matmul(y, i).words
        for n, init in enumerate(i.words.tolist()):
            assert product[:, n].tolist() == [row[n] for row in words(init)]


@BACKENDS
@pytest.mark.parametrize("options", [
    {}, {"kind": "limited", "bits": 18, "rounding": "down"},
    {"kind": "each", "overflow": "wrap", "rounding": "nearest-up"}], ids=str)
def test_fixed_products_are_the_loop_over_ints(backend, options):
    f = Fixed(10, 6)
    x, y = random_array(f, (3, 11), **options), random_array(f, (11, 5), 1, **options)
    acc = fixed_kernels.Accumulator(f, f, f, **options)
    words = int_product(x.words.tolist(), y.words.tolist(), 0, lambda a, b: (a, b),
                        lambda register, ab: acc.step(register, *ab), acc.finish)
    with run.backend(backend):
        assert (x @ y).words.tolist() == words


@BACKENDS
def test_a_limited_register_saturates_from_the_start(backend):
    f = Fixed(16, 11)
    x, y = (FixedArray(np.full(shape, 1), f, kind="limited", bits=20) for shape in ((1, 4), (4, 3)))
    start = FixedArray([32767, -5, -32768], f, kind="limited", bits=20)
    with run.backend(backend):
        for right in (y, FixedArray.zeros((4, 3), f, kind="limited", bits=20)):
            assert x.matmul(right, start).words.tolist() == [[256, -5, -256]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
def test_threads_work_in_a_forked_process():
    program = """
import os, signal
from fxp.run import backend as run
from fxp.run import execute
from fxp.arrays.array import FixedArray
from fxp.format import Fixed
execute.WORTH_A_THREAD = 1
run.set_threads(2)
x = FixedArray.zeros((8, 4), Fixed(8, 4))
x @ x.T
child = os.fork()
signal.alarm(20)
x @ x.T
os._exit(os.waitpid(child, 0)[1] if child else 0)
"""
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=False)
    assert run.returncode == 0


@pytest.mark.parametrize("f, options", [(F16, {}), (L16, {}), (L16, {"order": "tree"})], ids=str)
def test_threads_and_the_side_taken_change_no_word(f, options, monkeypatch):
    x = random_array(f, (37, 300), **options)
    y = random_array(f, (300, 150), seed=1, **options)
    sparse = x.copy()
    sparse[:, 1::2] = 0
    monkeypatch.setattr("fxp.run.execute.WORTH_A_THREAD", 1)
    results = []
    for threads in (1, 2, 5):
        run.set_threads(threads)
        results += [(x @ y).words, (y.T @ x.T).words.T]
    run.set_threads(None)
    assert all(np.array_equal(results[0], words) for words in results)
    assert (sparse @ y).is_identical((y.T @ sparse.T).T)
    with pytest.raises(ValueError, match="threads must be 1 or more, got 0"):
        run.set_threads(0)


@BACKENDS
@pytest.mark.parametrize("f", [F, L], ids=str)
def test_sums_go_from_the_first_to_the_last(f, backend):
    x = random_array(f, (5, 3, 4))

    def total(words):
        if isinstance(f, Fixed):
            return fixed_spec.overflow(sum(words), f)
        d = delta.Lut().at(f.frac, lns_spec.zero_level(f))
        return reduce(lambda acc, word: lns_spec.add(acc, word, f, d), words, f.zero)

    with run.backend(backend):
        for axis in (0, 1, -1):
            assert np.array_equal(x.sum(axis).words,
                                  np.apply_along_axis(lambda w: total(w.tolist()), axis, x.words))
        assert int(x.sum().words) == total(x.words.reshape(-1).tolist())


def test_sums_of_sparse_wide_words_keep_every_bit():
    x = FixedArray(np.diag(np.arange(1, 65) << 24), Fixed(32, 16))
    assert x.sum(0).words.tolist() == x.sum(1).words.tolist() == x.words.diagonal().tolist()


def test_one_long_sum_is_the_same_on_every_backend():
    x = random_array(Lns(8, 3), run.LONG + 5)
    results = []
    for backend in run.BACKENDS:
        with run.backend(backend):
            results += [int(x.sum().words), int((x[:64] @ x[64:128]).words)]
    assert results[:2] * 3 == results


def test_products_of_vectors_and_stacks_have_numpys_shapes():
    for shapes in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((5, 2, 3), (3, 4))]:
        x, y = (random_array(F16, shape) for shape in shapes)
        assert (x @ y).shape == (np.ones(shapes[0]) @ np.ones(shapes[1])).shape
    for shapes in [((2, 3), (2, 3)), ((), ()), ((2, 3), (2, 3, 3))]:
        x, y = (random_array(F16, shape) for shape in shapes)
        with pytest.raises(ValueError, match="no product of shapes"):
            x @ y


def test_exact_sums_beyond_64_bits_are_refused():
    f = Fixed(32, 16)
    x = FixedArray([1 << 16, 3 << 16], f)
    with pytest.raises(FormatError, match="fixed32.16 leaves 64 bits; take kind=limited"):
        x @ x
    x = FixedArray(x.words, f, kind="limited", bits=60)
    assert float(x @ x) == 10


@BACKENDS
def test_wide_words_take_wide_random_bits(backend):
    f = Fixed(32, 20)
    x, y = (random_array(f, 50, seed, rounding="stochastic") for seed in (0, 1))
    bits = np.random.default_rng(2).integers(0, 1 << 20, 50)
    with run.backend(backend):
        assert x.mul(y, random=bits).words.tolist() == [
            fixed_spec.mul(a, b, f, "stochastic", random=r)
            for a, b, r in zip(x.words.tolist(), y.words.tolist(), bits.tolist())]


@BACKENDS
def test_stochastic_rounding_takes_its_bits_as_an_operand(backend):
    f = Fixed(8, 5)
    x, y = (random_array(f, 50, seed, rounding="stochastic") for seed in (0, 1))
    bits = np.random.default_rng(2).integers(-(1 << 40), 1 << 40, 50)
    low = (bits % 32).tolist()
    triples = list(zip(x.words.tolist(), y.words.tolist(), low))
    narrow = Fixed(6, 2)
    with run.backend(backend):
        assert x.mul(y, random=bits).words.tolist() == [
            fixed_spec.mul(a, b, f, "stochastic", random=r) for a, b, r in triples]
        assert x.astype(narrow, random=bits).words.tolist() == [
            fixed_spec.resize(a, f, narrow, "stochastic", random=r) for a, _, r in triples]
        assert int(x.matmul(y, random=bits[0]).words) == fixed_spec.overflow(
            sum(a * b for a, b, _ in triples) + low[0] >> 5, f)
        assert x.mul(y, rounding="down").words.tolist() == [
            fixed_spec.mul(a, b, f, "down") for a, b, _ in triples]
        assert x.astype(Fixed(16, 8)).words.tolist() == [8 * a for a, _, _ in triples]


def test_random_bits_and_stochastic_rounding_want_each_other():
    x = FixedArray([1, 2], F, rounding="stochastic")
    for give in (lambda: x * x, lambda: x @ x, lambda: x.astype(U), lambda: x.mul(x, random=0.5)):
        with pytest.raises(TypeError, match="random"):
            give()
    plain = FixedArray([1, 2], F)
    for give in (lambda: plain.mul(plain, random=3), lambda: plain.matmul(plain, random=3),
                 lambda: LnsArray([1], L).matmul(LnsArray([1], L), random=3)):
        with pytest.raises(TypeError, match="not"):
            give()
    with pytest.raises(FormatError, match="rounding must be one of down.*got 'up'"):
        plain.mul(plain, rounding="up")
    with pytest.raises(FormatError, match="kind=each rounds every product"):
        each = FixedArray([1, 2], F, "stochastic", kind="each")
        each.matmul(each, random=1)
