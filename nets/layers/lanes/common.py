"""What the loops over lanes share. It is text: Numba keeps a module's machine code by its file.

The loops are emitted as LLVM code, as Numba's own keeps no sums in registers, nor does it
use those of 512 bits.
"""

__all__ = ["COMMON"]

COMMON = '''\
import inspect
from contextlib import contextmanager
from functools import partial

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fxp.compile.cache import njit

ZERO, ONE = np.float32(0), np.float32(1)
WORD, REAL = ir.IntType(64), ir.FloatType()
MOVING = ("x", "dx", "y", "dy")


def swept(emit, vectors, width):
    """Return the intrinsic for OUTPUTS outputs over all lanes, of which vectors of a width
    are taken at a time, then one.

    It takes the lanes and what emit names: addresses, strides in bytes, and the depth;
    x, dx, y and dy move along the lanes.
    """
    names = ["lanes", *inspect.getfullargspec(emit).args[2:]]

    @intrinsic
    def run(typingctx, args):
        def generate(context, builder, signature, values):
            given = {n: builder.extract_value(values[0], i) for i, n in enumerate(names)}
            lanes = given.pop("lanes")
            whole = builder.and_(lanes, WORD(-vectors * width))
            for first, end, count in ((WORD(0), whole, vectors), (whole, lanes, 1)):
                with cgutils.for_range_slice(builder, first, end, WORD(count * width), WORD) as (
                        n, _):
                    along = {k: behind(builder, v, n, 4) if k in MOVING else v
                             for k, v in given.items()}
                    emit(builder, count, **along)
            return context.get_dummy_value()

        return types.void(args), generate

    return run


def at(builder, kind, address, offset=0):
    """Return the pointer to a kind of value so many bytes behind an address."""
    offset = WORD(offset) if isinstance(offset, int) else offset
    return builder.inttoptr(builder.add(address, offset), kind.as_pointer())


def load(builder, vector, address, i):
    """Return the vector number i behind an address."""
    return builder.load(at(builder, vector, address, 4 * vector.count * i), align=4)


def store(builder, value, address, i):
    """Store a vector as number i behind an address."""
    builder.store(value, at(builder, value.type, address, 4 * value.type.count * i), align=4)


def everywhere(builder, vector, address, i):
    """Return a vector of the number i behind an address."""
    one = builder.load(at(builder, REAL, address, 4 * i))
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), one, WORD(0))
    return mixed(builder, first, first, [0] * vector.count)


def mixed(builder, a, b, chosen):
    """Return the numbers of two vectors, chosen by their places in both."""
    kind = ir.VectorType(ir.IntType(32), len(chosen))
    return builder.shuffle_vector(a, b, ir.Constant(kind, chosen))


def emit_tile(builder, vectors, a, a_stride, out, out_stride):
    """Emit the transposition of a tile, 16 x 16: blocks of 8, 4, 2, 1 change places."""
    vector = ir.VectorType(REAL, 16)
    rows = [load(builder, vector, behind(builder, a, i, a_stride), 0) for i in range(16)]
    for size in (8, 4, 2, 1):
        low = [16 + n - size if n & size else n for n in range(16)]
        high = [16 + n if n & size else n + size for n in range(16)]
        for i in range(16):
            if not i & size:
                first, second = rows[i], rows[i + size]
                rows[i] = mixed(builder, first, second, low)
                rows[i + size] = mixed(builder, first, second, high)
    for i, row in enumerate(rows):
        store(builder, row, behind(builder, out, i, out_stride), 0)


turn_tile = swept(emit_tile, 1, 1)  # of "one lane": nothing moves


@njit(cache=True, nogil=True)
def turn(a, out):
    rows, columns = a.shape
    for i0 in range(0, rows, 16):
        for j0 in range(0, columns, 16):
            if i0 + 16 <= rows and j0 + 16 <= columns:
                turn_tile((1, a[i0, j0:].ctypes.data, a.strides[0],
                           out[j0, i0:].ctypes.data, out.strides[0]))
            else:
                for j in range(j0, min(j0 + 16, columns)):
                    for i in range(i0, min(i0 + 16, rows)):
                        out[j, i] = a[i, j]


def add(builder, total, a, b):
    """Return total + a * b, rounded once where processors do that."""
    if WIDTH == 4:
        return builder.fadd(total, builder.fmul(a, b))
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(total.type, [total.type] * 3),
        f"llvm.fma.v{total.type.count}f32")
    return builder.call(function, [a, b, total])


@contextmanager
def inputs(builder, places, x_stride, depth):
    """Emit a loop over the inputs of a position: their numbers, and where their rows begin."""
    with cgutils.for_range(builder, depth) as loop:
        row = builder.load(at(builder, WORD, places, builder.mul(loop.index, WORD(8))))
        yield loop.index, builder.mul(row, x_stride)


def behind(builder, address, number, stride):
    """Return the address so many strides behind one."""
    stride = WORD(stride) if isinstance(stride, int) else stride
    number = WORD(number) if isinstance(number, int) else number
    return builder.add(address, builder.mul(number, stride))


def summed(builder, vectors, size, term, x, x_stride, places, weights, depth):
    """Emit the sums of each output's terms, in the order of depth; return them.

    size is that of the packed weights of an input; term(f, here) returns what makes a
    sum of output f and a vector of numbers the next sum.
    """
    vector = ir.VectorType(REAL, WIDTH)
    sums = [[cgutils.alloca_once(builder, vector) for _ in range(vectors)]
            for _ in range(OUTPUTS)]
    for pointer in sum(sums, []):
        builder.store(ir.Constant(vector, [0.0] * WIDTH), pointer)
    with inputs(builder, places, x_stride, depth) as (k, row):
        here = behind(builder, weights, k, size)
        numbers = [load(builder, vector, builder.add(x, row), i) for i in range(vectors)]
        for f in range(OUTPUTS):
            following = term(f, here)
            for pointer, number in zip(sums[f], numbers):
                builder.store(following(builder.load(pointer), number), pointer)
    return [[builder.load(pointer) for pointer in row] for row in sums]


def upstream(builder, vectors, dy, dy_stride):
    """Return the slopes of OUTPUTS outputs, to be kept in registers.

    Vectors have LANES lanes on every processor (LLVM splits them): one order of sums.
    """
    vector = ir.VectorType(REAL, LANES)
    return [[load(builder, vector, behind(builder, dy, f, dy_stride), i)
             for i in range(vectors)] for f in range(OUTPUTS)]


def across(builder, totals):
    """Return the sums of the lanes of OUTPUTS = 4 vectors of LANES = 16, in one vector."""
    def halves(a, b, low, high):
        return builder.fadd(mixed(builder, a, b, low), mixed(builder, a, b, high))

    low, high = [*range(8), *range(16, 24)], [*range(8, 16), *range(24, 32)]
    a, b = halves(*totals[:2], low, high), halves(*totals[2:], low, high)
    quarters = [8 * i + j for i in range(4) for j in range(4)]
    four = halves(a, b, quarters, [n + 4 for n in quarters])
    for step in (2, 1):
        four = builder.fadd(four, mixed(builder, four, four, [n ^ step for n in range(LANES)]))
    return mixed(builder, four, four, [0, 4, 8, 12])


def accumulate(builder, values, address):
    """Add a vector to the numbers at an address."""
    store(builder, builder.fadd(load(builder, values.type, address, 0), values), address, 0)
'''
