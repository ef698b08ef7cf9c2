"""The loops of exact products over lanes, as text that goes on that of common.py."""

__all__ = ["PRODUCTS"]

PRODUCTS = '''

@njit(cache=True, nogil=True)
def pack(w, weights):
    depth, outputs = w.shape
    for f in range(outputs):
        for k in range(depth):
            weights[f // OUTPUTS, k, f % OUTPUTS] = w[k, f]


def emit_product(builder, vectors, x, x_stride, places, weights, depth, y, y_stride, bias):
    spread = partial(everywhere, builder, ir.VectorType(REAL, WIDTH))

    def term(f, here):
        weight = spread(here, f)
        return lambda total, number: add(builder, total, weight, number)

    sums = summed(builder, vectors, 4 * OUTPUTS, term, x, x_stride, places, weights, depth)
    for f in range(OUTPUTS):
        start = spread(bias, f)
        for i in range(vectors):
            store(builder, builder.fadd(sums[f][i], start), behind(builder, y, f, y_stride), i)


def emit_back(builder, vectors, dx, x_stride, places, weights, depth, dy, dy_stride):
    slopes = upstream(builder, vectors, dy, dy_stride)
    vector = slopes[0][0].type
    with inputs(builder, places, x_stride, depth) as (k, row):
        here, address = behind(builder, weights, k, 4 * OUTPUTS), builder.add(dx, row)
        factors = [everywhere(builder, vector, here, f) for f in range(OUTPUTS)]
        for i in range(vectors):
            total = load(builder, vector, address, i)
            for f in range(OUTPUTS):
                total = add(builder, total, factors[f], slopes[f][i])
            store(builder, total, address, i)


def emit_weights(builder, vectors, x, x_stride, places, dw, dw_stride, depth, dy, dy_stride):
    slopes = upstream(builder, vectors, dy, dy_stride)
    vector = slopes[0][0].type
    with inputs(builder, places, x_stride, depth) as (k, row):
        totals = [ir.Constant(vector, [0.0] * LANES)] * OUTPUTS
        for i in range(vectors):
            number = load(builder, vector, builder.add(x, row), i)
            totals = [add(builder, totals[f], number, slopes[f][i]) for f in range(OUTPUTS)]
        accumulate(builder, across(builder, totals), behind(builder, dw, k, dw_stride))


sum_products = swept(emit_product, VECTORS, WIDTH)
sum_back, sum_weights = swept(emit_back, 4, LANES), swept(emit_weights, 4, LANES)


@njit(cache=True, nogil=True)
def multiply(x, places, weights, bias, y, outputs, first, last):
    stride, here = 4 * x.shape[1], x.ctypes.data + 4 * first
    for p in range(places.shape[0]):
        for b in range(weights.shape[0]):
            f = b * OUTPUTS
            row = y.ctypes.data + 4 * first + (p * outputs + f) * stride
            sum_products((last - first, here, stride, places[p].ctypes.data,
                          weights[b].ctypes.data, weights.shape[1], row, stride,
                          bias.ctypes.data + 4 * f))


@njit(cache=True, nogil=True)
def multiply_back(dx, places, weights, dy, outputs, first, last):
    stride, here = 4 * dx.shape[1], dx.ctypes.data + 4 * first
    for p in range(places.shape[0]):
        for b in range(weights.shape[0]):
            row = dy.ctypes.data + 4 * first + (p * outputs + b * OUTPUTS) * stride
            sum_back((last - first, here, stride, places[p].ctypes.data,
                      weights[b].ctypes.data, weights.shape[1], row, stride))


@njit(cache=True, nogil=True)
def multiply_weights(x, places, dw, dy, outputs, first, last):
    depth, columns = dw.shape
    lanes, stride = x.shape[1], 4 * x.shape[1]
    for p in range(places.shape[0]):
        for f in range(first, last, OUTPUTS):
            row = dy.ctypes.data + (p * outputs + f) * stride
            sum_weights((lanes, x.ctypes.data, stride, places[p].ctypes.data,
                         dw.ctypes.data + 4 * f, 4 * columns, depth, row, stride))
'''
