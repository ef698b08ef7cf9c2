"""Loops of min-selector layers over float32, compiled at their first use.

Everything lies as features x batch: a lane is an image. A layer is told by `places`,
positions x depth: the rows of x that the inputs of each position are. So windows need
neither copies nor padding (zeros around an image are one row of zeros), and a dense
layer is one position.
"""

from __future__ import annotations

from nets.minselect_gradients import GRADIENTS

__all__ = ["LANES", "OUTPUTS", "kernels"]

LANES = 16  # batches are padded to a multiple
OUTPUTS = 4  # outputs taken at a time; packed weights, scales and biases are padded to a multiple


def kernels():
    """Return the module of the loops.

    turn(a, out)                                 out[:, :rows of a] = a transposed
    pack(w, ratio, weights)                      a = ratio |w| and sgn(w), OUTPUTS together;
                                                 where a is 0, the least number and 0
    select(x, places, weights, scale, bias, y, outputs)
        y = scale sum sgn(w) clamp(x, -a, a) + bias, a = ratio |w|, for each output. y has
        OUTPUTS more rows than outputs, for what padding writes
    differentiate(x, places, weights, dy, dx, dw, outputs)
        adds the sub-gradients to dx (rows as x) and dw (depth x outputs, padded to
        OUTPUTS): sgn(w) dy to dx where |x| < a, sgn(x) dy to dw elsewhere. dy has OUTPUTS
        more rows than outputs. The sums have one order on every processor
    spread(patches, places, dx)                  adds rows of patches where they came from
    """
    from fxp.compile import compile_module
    from fxp.target import target

    width = target().lanes(32)
    head = (f"WIDTH, VECTORS = {width}, {4 if width == 16 else 2}\n"
            f"LANES, OUTPUTS = {LANES}, {OUTPUTS}\n")
    return compile_module("minselect", head + _TEXT + GRADIENTS)


# The loops of select and differentiate are emitted as LLVM code: Numba's own keeps no sums
# in registers, nor does it use those of 512 bits. Terms are taken in one order on every
# processor: select's in that of depth.
_TEXT = '''\
import inspect
from functools import partial

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

ZERO, ONE = np.float32(0), np.float32(1)
TINY = np.float32(2.0 ** -149)
WORD = ir.IntType(64)


@njit(cache=True, nogil=True)
def turn(a, out):
    rows, columns = a.shape
    for i0 in range(0, rows, 16):
        for j0 in range(0, columns, 16):
            for j in range(j0, min(j0 + 16, columns)):
                for i in range(i0, min(i0 + 16, rows)):
                    out[j, i] = a[i, j]


def block(emit, vectors):
    """Return the intrinsic for OUTPUTS outputs and so many vectors of lanes.

    It takes what emit names: addresses, strides in bytes, and the depth.
    """
    names = inspect.getfullargspec(emit).args[2:]

    @intrinsic
    def run(typingctx, args):
        def generate(context, builder, signature, values):
            emit(builder, vectors, **{n: builder.extract_value(values[0], i)
                                      for i, n in enumerate(names)})
            return context.get_dummy_value()

        return types.void(args), generate

    return run


def at(builder, address, kind, offset):
    """Return the pointer to a kind of value so many bytes behind an address."""
    offset = WORD(offset) if isinstance(offset, int) else offset
    return builder.inttoptr(builder.add(address, offset), kind.as_pointer())


def everywhere(builder, vector, address, offset):
    """Return a vector of the one number at an address."""
    one = builder.load(at(builder, address, vector.element, offset))
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), one, WORD(0))
    return mixed(builder, first, first, [0] * vector.count)


def mixed(builder, a, b, chosen):
    """Return the numbers of two vectors, chosen by their places in both."""
    kind = ir.VectorType(ir.IntType(32), len(chosen))
    return builder.shuffle_vector(a, b, ir.Constant(kind, chosen))


def emit_sums(builder, vectors, x, x_stride, places, weights, depth, y, y_stride, scale, bias):
    """Emit the sums of windows, kept in registers."""
    vector = ir.VectorType(ir.FloatType(), WIDTH)
    get, spread = partial(at, builder), partial(everywhere, builder, vector)
    before, loop, after = builder.block, builder.append_basic_block(), (
        builder.append_basic_block())
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(WORD)
    k.add_incoming(WORD(0), before)
    sums = [[builder.phi(vector) for _ in range(vectors)] for _ in range(OUTPUTS)]
    row = builder.load(get(places, WORD, builder.mul(k, WORD(8))))
    row = builder.add(x, builder.mul(row, x_stride))
    numbers = [builder.load(get(row, vector, 4 * WIDTH * i), align=4) for i in range(vectors)]
    here = builder.add(weights, builder.mul(k, WORD(8 * OUTPUTS)))
    for f in range(OUTPUTS):
        limit, sign = spread(here, 4 * f), spread(here, 4 * (OUTPUTS + f))
        for i in range(vectors):
            size = clamp(builder, numbers[i], limit)
            total = add(builder, sums[f][i], sign, size)
            sums[f][i].add_incoming(ir.Constant(vector, [0.0] * WIDTH), before)
            sums[f][i].add_incoming(total, loop)
            sums[f][i] = total
    following = builder.add(k, WORD(1))
    k.add_incoming(following, loop)
    builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
    builder.position_at_end(after)
    for f in range(OUTPUTS):
        factor, start = spread(scale, 4 * f), spread(bias, 4 * f)
        row = builder.add(y, builder.mul(y_stride, WORD(f)))
        for i in range(vectors):
            value = builder.fadd(builder.fmul(sums[f][i], factor), start)
            builder.store(value, get(row, vector, 4 * WIDTH * i), align=4)


def add(builder, total, sign, size):
    """Return total + sign * size, the same bits fused or not: sign is -1, 0 or 1."""
    if WIDTH == 4:
        return builder.fadd(total, builder.fmul(sign, size))
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(total.type, [total.type] * 3),
        f"llvm.fma.v{total.type.count}f32")
    return builder.call(function, [sign, size, total])


def clamp(builder, x, limit):
    """Return the sign of x with the smaller of |x| and limit."""
    kind = x.type
    if WIDTH == 16:  # one instruction: the smaller magnitude, the sign of the first
        i32, i16 = ir.IntType(32), ir.IntType(16)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind, kind, i32, kind, i16, i32]),
            "llvm.x86.avx512.mask.range.ps.512")
        return builder.call(function, [x, limit, i32(2), x, i16(-1), i32(4)])
    low = builder.fneg(limit)
    x = builder.select(builder.fcmp_ordered("<", low, x), x, low)
    return builder.select(builder.fcmp_ordered("<", x, limit), x, limit)


many, one = block(emit_sums, VECTORS), block(emit_sums, 1)


@njit(cache=True, nogil=True)
def pack(w, ratio, weights):
    depth, outputs = w.shape
    for b in range(weights.shape[0]):
        for k in range(depth):
            for f in range(b * OUTPUTS, min((b + 1) * OUTPUTS, outputs)):
                v, j = w[k, f], f - b * OUTPUTS
                a = abs(v) * ratio[f]
                if a == ZERO:
                    weights[b, k, 0, j], weights[b, k, 1, j] = TINY, ZERO
                else:
                    weights[b, k, 0, j], weights[b, k, 1, j] = a, ONE if v > ZERO else -ONE


@njit(cache=True, nogil=True)
def select(x, places, weights, scale, bias, y, outputs):
    blocks, depth = weights.shape[:2]
    lanes, stride = x.shape[1], 4 * x.shape[1]
    for p in range(places.shape[0]):
        at = places[p].ctypes.data
        for b in range(blocks):
            packed, f = weights[b].ctypes.data, b * OUTPUTS
            row = y.ctypes.data + (p * outputs + f) * stride
            rest = (scale.ctypes.data + 4 * f, bias.ctypes.data + 4 * f)
            n = 0
            while n + VECTORS * WIDTH <= lanes:
                many((x.ctypes.data + 4 * n, stride, at, packed, depth, row + 4 * n, stride, *rest))
                n += VECTORS * WIDTH
            while n < lanes:
                one((x.ctypes.data + 4 * n, stride, at, packed, depth, row + 4 * n, stride, *rest))
                n += WIDTH


@njit(cache=True, nogil=True)
def spread(patches, places, dx):
    for k in range(patches.shape[0]):
        for p in range(patches.shape[1]):
            row, part = dx[places[p, k]], patches[k, p]
            for n in range(row.size):
                row[n] += part[n]
'''
