"""The loops of min-selectors over lanes, as text that goes on that of common.py.

In the loop of sub-gradients each number of x is compared with each output's limit
a = ratio |w|, which decides whether dy goes to dx or to dw. The sign of x is taken as 1
or -1: a zero is below every limit, as limits of zero are packed as the least number, and
adds nothing, as their weights' signs are packed as 0. So products with signs are exact,
and the bits the same on every processor.
"""

__all__ = ["SELECTORS"]

SELECTORS = '''

LEAST = np.float32(2.0 ** -149)


@njit(cache=True, nogil=True)
def pack_limits(w, ratio, weights):
    depth, outputs = w.shape
    for f in range(outputs):
        b, j = f // OUTPUTS, f % OUTPUTS
        for k in range(depth):
            v = w[k, f]
            a = abs(v) * ratio[f]
            if a == ZERO:
                weights[b, k, 0, j], weights[b, k, 1, j] = LEAST, ZERO
            else:
                weights[b, k, 0, j], weights[b, k, 1, j] = a, ONE if v > ZERO else -ONE


def emit_select(builder, vectors, x, x_stride, places, weights, depth, y, y_stride, scale, bias):
    spread = partial(everywhere, builder, ir.VectorType(REAL, WIDTH))

    def term(f, here):
        limit, sign = spread(here, f), spread(here, OUTPUTS + f)
        return lambda total, number: add(builder, total, sign, clamp(builder, number, limit))

    sums = summed(builder, vectors, 8 * OUTPUTS, term, x, x_stride, places, weights, depth)
    for f in range(OUTPUTS):
        factor, start = spread(scale, f), spread(bias, f)
        for i in range(vectors):
            value = builder.fadd(builder.fmul(sums[f][i], factor), start)
            store(builder, value, behind(builder, y, f, y_stride), i)


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


def emit_slopes(builder, vectors, x, dx, x_stride, places, weights, depth, dy, dy_stride,
                dw, dw_stride):
    slopes = upstream(builder, vectors, dy, dy_stride)
    vector = slopes[0][0].type
    with inputs(builder, places, x_stride, depth) as (k, row):
        here, address = behind(builder, weights, k, 8 * OUTPUTS), builder.add(dx, row)
        limits = [everywhere(builder, vector, here, f) for f in range(OUTPUTS)]
        signs = [everywhere(builder, vector, here, OUTPUTS + f) for f in range(OUTPUTS)]
        totals = [ir.Constant(vector, [0.0] * LANES)] * OUTPUTS
        for i in range(vectors):
            size, sign = parts(builder, load(builder, vector, builder.add(x, row), i))
            total = load(builder, vector, address, i)
            for f in range(OUTPUTS):
                below = builder.fcmp_ordered("<", size, limits[f])
                more = add(builder, total, signs[f], slopes[f][i])
                total = builder.select(below, more, total)
                more = add(builder, totals[f], sign, slopes[f][i])
                totals[f] = builder.select(below, totals[f], more)
            store(builder, total, address, i)
        accumulate(builder, across(builder, totals), behind(builder, dw, k, dw_stride))


def parts(builder, number):
    """Return the size and the sign, 1 or -1, of each number of a vector."""
    words = ir.VectorType(ir.IntType(32), number.type.count)

    def constant(value):
        return ir.Constant(words, [value] * words.count)

    bits = builder.bitcast(number, words)
    size = builder.and_(bits, constant(0x7FFFFFFF))
    sign = builder.or_(builder.and_(bits, constant(0x80000000)), constant(0x3F800000))
    return builder.bitcast(size, number.type), builder.bitcast(sign, number.type)


sum_selected = swept(emit_select, VECTORS, WIDTH)
sum_slopes = swept(emit_slopes, 4, LANES)


@njit(cache=True, nogil=True)
def select(x, places, weights, scale, bias, y, outputs):
    lanes, stride = x.shape[1], 4 * x.shape[1]
    for p in range(places.shape[0]):
        for b in range(weights.shape[0]):
            f = b * OUTPUTS
            row = y.ctypes.data + (p * outputs + f) * stride
            sum_selected((lanes, x.ctypes.data, stride, places[p].ctypes.data,
                          weights[b].ctypes.data, weights.shape[1], row, stride,
                          scale.ctypes.data + 4 * f, bias.ctypes.data + 4 * f))


@njit(cache=True, nogil=True)
def differentiate(x, places, weights, dy, dx, dw, outputs):
    lanes, stride = x.shape[1], 4 * x.shape[1]
    for p in range(places.shape[0]):
        for b in range(weights.shape[0]):
            f = b * OUTPUTS
            row = dy.ctypes.data + (p * outputs + f) * stride
            sum_slopes((lanes, x.ctypes.data, dx.ctypes.data, stride, places[p].ctypes.data,
                        weights[b].ctypes.data, weights.shape[1], row, stride,
                        dw.ctypes.data + 4 * f, 4 * dw.shape[1]))
'''
