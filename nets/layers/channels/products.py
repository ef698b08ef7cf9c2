"""The loops over channels, as text that goes on that of `nets.layers.lanes.common`.

A tile is some positions of a row, or some weights, times the vectors of a group of channels; its
sums lie in registers. Room around an image makes every window `taps` runs of numbers that follow
each other: columns and channels of one of its rows.
"""

__all__ = ["PRODUCTS"]

PRODUCTS = '''

def tiled(emit, sizes, **moving):
    """Return the intrinsic of tiles of these sizes, the widest first.

    It takes how many positions or weights there are and what emit names, addresses and numbers,
    strides in bytes; moving tells by which stride, or how many bytes, which addresses go on.
    """
    names = ["count", *inspect.getfullargspec(emit).args[2:]]

    @intrinsic
    def run(typingctx, args):
        def generate(context, builder, signature, values):
            given = {n: builder.extract_value(values[0], i) for i, n in enumerate(names)}
            begin, count = WORD(0), given.pop("count")
            for size in sizes:
                end = builder.sub(count, builder.urem(builder.sub(count, begin), WORD(size)))
                with cgutils.for_range_slice(builder, begin, end, WORD(size), WORD) as (n, _):
                    moved = {k: behind(builder, given[k], n, given.get(stride, stride))
                             for k, stride in moving.items()}
                    emit(builder, size, **{**given, **moved})
                begin = end
            return context.get_dummy_value()

        return types.void(args), generate

    return run


def emit_sums(builder, size, x, x_step, x_row, taps, run, weights, bias, y, y_step):
    """Emit the sums of so many positions of a row, in the order of the taps, then the bias."""
    sums = zeros(builder, size)
    with cgutils.for_range(builder, taps) as tap:
        row = behind(builder, x, tap.index, x_row)
        starts = [behind(builder, row, n, x_step) for n in range(size)]
        here = behind(builder, weights, builder.mul(tap.index, run), 4 * GROUP)
        with cgutils.for_range(builder, run) as loop:
            numbers = [behind(builder, start, loop.index, 4) for start in starts]
            add_products(builder, sums, numbers, behind(builder, here, loop.index, 4 * GROUP))
    add_to(builder, sums, [bias] * size, [behind(builder, y, n, y_step) for n in range(size)])


def emit_weights(builder, size, x, x_step, x_row, rows, columns, dy, dy_step, dy_row, dw, dw_step):
    """Emit what an image adds to so many weights of each output: row by row."""
    sums = zeros(builder, size)
    with cgutils.for_range(builder, rows) as row, cgutils.for_range(builder, columns) as column:
        here, above = (
            behind(builder, behind(builder, start, row.index, of_row), column.index, step)
            for start, of_row, step in ((x, x_row, x_step), (dy, dy_row, dy_step)))
        add_products(builder, sums, [behind(builder, here, n, 4) for n in range(size)], above)
    places = [behind(builder, dw, n, dw_step) for n in range(size)]
    add_to(builder, sums, places, places)


def zeros(builder, size):
    """Return places for the sums of a tile, which LLVM puts into registers."""
    vector = ir.VectorType(REAL, WIDTH)
    sums = [[cgutils.alloca_once(builder, vector) for _ in range(VECTORS)] for _ in range(size)]
    for place in sum(sums, []):
        builder.store(ir.Constant(vector, [0.0] * WIDTH), place)
    return sums


def group_at(builder, address):
    """Return the vectors of a group of channels."""
    return [load(builder, ir.VectorType(REAL, WIDTH), address, i) for i in range(VECTORS)]


def add_products(builder, sums, numbers, address):
    """Add to each row of sums a number times a group of channels, all given by addresses."""
    group = group_at(builder, address)
    for row, place in zip(sums, numbers):
        number = everywhere(builder, group[0].type, place, 0)
        for pointer, of_channels in zip(row, group):
            builder.store(add(builder, builder.load(pointer), number, of_channels), pointer)


def add_to(builder, sums, starts, places):
    """Store what starts hold plus the sums, both by rows."""
    for row, start, place in zip(sums, starts, places):
        for i, (pointer, value) in enumerate(zip(row, group_at(builder, start))):
            store(builder, builder.fadd(builder.load(pointer), value), place, i)


row_of_sums = tiled(emit_sums, POSITIONS, x="x_step", y="y_step")
run_of_weights = tiled(emit_weights, WEIGHTS, x=4, dw="dw_step")


@njit(cache=True, nogil=True)
def put(image, canvas, top, left):
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            canvas[top + i, left + j] = image[i, j]


@njit(cache=True, nogil=True)
def multiply(x, canvas, place, windows, weights, bias, y):
    for image in range(x.shape[0]):
        put(x[image], canvas, place[0], place[1])
        for k in range(windows.shape[0]):
            row, column, down, across, taps, run, begin = windows[k, :7]
            y_row, y_column, y_down, y_across, rows, columns = windows[k, 7:]
            for g in range(bias.size // GROUP):
                here = weights[begin + g * taps * run * GROUP:].ctypes.data
                for i in range(rows):
                    row_of_sums((
                        columns, canvas[row + i * down, column:].ctypes.data, 4 * across,
                        canvas.strides[0], taps, run, here, bias[g * GROUP:].ctypes.data,
                        y[image, y_row + i * y_down, y_column + g * GROUP:].ctypes.data,
                        4 * y_across))


@njit(cache=True, nogil=True)
def multiply_weights(x, canvas, place, down, across, dy, dw, size, first, last):
    run, channels = dw.shape[0] // size, dw.shape[1]
    for image in range(x.shape[0]):
        put(x[image], canvas, place[0], place[1])
        for k in range(first, last):
            tap, begin = divmod(k * WEIGHTS[0], -(-run // WEIGHTS[0]) * WEIGHTS[0])
            for f in range(0, channels, GROUP):
                run_of_weights((
                    min(WEIGHTS[0], run - begin), canvas[tap, begin:].ctypes.data, 4 * across,
                    down * canvas.strides[0], dy.shape[1], dy.shape[2] // channels,
                    dy[image, 0, f:].ctypes.data, 4 * channels, dy.strides[1],
                    dw[tap * run + begin, f:].ctypes.data, dw.strides[0]))
'''
