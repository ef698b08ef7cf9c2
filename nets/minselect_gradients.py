"""The loop of the sub-gradients of min-selectors; its text goes on that of
nets.minselect_kernels, which says what it does.

For OUTPUTS outputs at one position the slopes dy stay in registers, the loop goes over the
inputs below them. Each number of x (a lane is an image) is compared with each output's limit
a = ratio |w|, which decides whether dy goes to dx or to dw. The sign of x is taken as 1
or -1: a zero is below every limit, as limits of zero are packed as the least number, and
adds nothing, as their weights' signs are packed as 0.
"""

__all__ = ["GRADIENTS"]

# Vectors have 16 lanes on every processor (LLVM splits them), added up in one order.
GRADIENTS = '''

def emit_slopes(builder, vectors, x, dx, x_stride, places, weights, depth, dy, dy_stride,
                dw, dw_stride):
    """Emit the sub-gradients of OUTPUTS outputs."""
    vector = ir.VectorType(ir.FloatType(), LANES)
    get, spread = partial(at, builder), partial(everywhere, builder, vector)

    def load(address, i):
        return builder.load(get(address, vector, 4 * LANES * i), align=4)

    slopes = [[load(builder.add(dy, builder.mul(dy_stride, WORD(f))), i)
               for i in range(vectors)] for f in range(OUTPUTS)]
    before, loop, after = (builder.block, builder.append_basic_block(),
                           builder.append_basic_block())
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(WORD)
    k.add_incoming(WORD(0), before)
    row = builder.mul(builder.load(get(places, WORD, builder.mul(k, WORD(8)))), x_stride)
    here = builder.add(weights, builder.mul(k, WORD(8 * OUTPUTS)))
    limits = [spread(here, 4 * f) for f in range(OUTPUTS)]
    signs = [spread(here, 4 * (OUTPUTS + f)) for f in range(OUTPUTS)]
    totals = [ir.Constant(vector, [0.0] * LANES)] * OUTPUTS
    for i in range(vectors):
        number, address = load(builder.add(x, row), i), builder.add(dx, row)
        size, sign = parts(builder, number)
        sum_x = load(address, i)
        for f in range(OUTPUTS):
            below = builder.fcmp_ordered("<", size, limits[f])
            more = add(builder, sum_x, signs[f], slopes[f][i])
            sum_x = builder.select(below, more, sum_x)
            more = add(builder, totals[f], sign, slopes[f][i])
            totals[f] = builder.select(below, totals[f], more)
        builder.store(sum_x, get(address, vector, 4 * LANES * i), align=4)
    sums = across(builder, totals)
    place = get(builder.add(dw, builder.mul(k, dw_stride)), sums.type, 0)
    builder.store(builder.fadd(builder.load(place, align=4), sums), place, align=4)
    following = builder.add(k, WORD(1))
    k.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
    builder.position_at_end(after)


def parts(builder, number):
    """Return the size and the sign, 1 or -1, of each number of a vector."""
    words = ir.VectorType(ir.IntType(32), number.type.count)

    def constant(value):
        return ir.Constant(words, [value] * words.count)

    bits = builder.bitcast(number, words)
    size = builder.and_(bits, constant(0x7FFFFFFF))
    sign = builder.or_(builder.and_(bits, constant(0x80000000)), constant(0x3F800000))
    return builder.bitcast(size, number.type), builder.bitcast(sign, number.type)


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


wide, narrow = block(emit_slopes, 4), block(emit_slopes, 1)


@njit(cache=True, nogil=True)
def differentiate(x, places, weights, dy, dx, dw, outputs):
    blocks, depth = weights.shape[:2]
    lanes, stride = x.shape[1], 4 * x.shape[1]
    for p in range(places.shape[0]):
        at = places[p].ctypes.data
        for b in range(blocks):
            row = dy.ctypes.data + (p * outputs + b * OUTPUTS) * stride
            first, second = x.ctypes.data, dx.ctypes.data
            rest = (stride, at, weights[b].ctypes.data, depth)
            sums = (dw.ctypes.data + 4 * b * OUTPUTS, 4 * dw.shape[1])
            n = 0
            while n + 4 * LANES <= lanes:
                wide((first + 4 * n, second + 4 * n, *rest, row + 4 * n, stride, *sums))
                n += 4 * LANES
            while n < lanes:
                narrow((first + 4 * n, second + 4 * n, *rest, row + 4 * n, stride, *sums))
                n += LANES
'''
