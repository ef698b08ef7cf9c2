"""Convolutions and pooling: kernels against sums taken by hand, and against each other."""

import numpy as np
import pytest
from helpers.small_convolutions import (
    SHAPE,
    assert_same,
    batch,
    many_channels,
    network,
    plain,
    steps,
    strided,
)

import fxp.run.convolve
import nets.layers.spatial.spans
from fxp.spec import round_nearest_even
from lnsarith.delta import methods as delta
from lnsarith.lns import spec
from nets.arithmetic.choose import make_arithmetic
from nets.layers.dense import LeakyReLU
from nets.layers.spatial.conv import Conv2d
from nets.layers.spatial.pool import AveragePool, MaxPool
from nets.layers.window import Window
from nets.network.models import Builder, make_network
from nets.settings.settings import Settings

ARITHMETICS = {
    "lns16": {},
    "lns12": {"arith": "lns12"},
    "balanced": {"delta": "balanced"},
    "guard bits": {"arith": "lns12", "guard": 3},
    "tree": {"order": "tree"},
    "images": {"order": "images"},
    "images, guard": {"arith": "lns12", "guard": 4, "order": "images", "momentum": "0.5"},
    "smallest": {"underflow": "smallest"},
    "stochastic": {"arith": "lns12", "update": "stochastic"},
    "mixed": {"weights": "lns16", "activations": "lns12", "gradients": "lns13.7"},
    "level decay": {"decay": "level", "weight_decay": "0.5", "lr": "0.01"},
    "fixed16": {"arith": "fixed16"},
    "fixed12": {"arith": "fixed12"},
    "fixed nearest": {"arith": "fixed16", "update": "nearest", "lr": "0.01"},
    "fixed limited": {"arith": "fixed12", "accumulator": "limited24"},
    "fixed each": {"arith": "fixed16", "accumulator": "each"},
}


@pytest.mark.parametrize("name", ARITHMETICS)
def test_a_compiled_step_writes_the_words_of_numpy_integers(name):
    compiled = steps(network(ARITHMETICS[name]))
    assert_same(compiled, steps(network(ARITHMETICS[name], backend="numpy")))


@pytest.mark.parametrize("make", [strided, many_channels])
@pytest.mark.parametrize("name", ["lns16", "fixed16"])
def test_strides_and_many_channels_write_the_words_of_numpy_integers(make, name):
    options = {**ARITHMETICS[name], "slope": -3}
    compiled = steps(network(options, make, activation=LeakyReLU))
    integers = steps(network(options, make, backend="numpy", activation=LeakyReLU))
    assert_same(compiled, integers)


@pytest.mark.parametrize("name", ["lns16", "images", "stochastic", "fixed12"])
def test_spans_write_the_words_of_gathered_products(name, monkeypatch):
    spans = steps(network(ARITHMETICS[name], many_channels))
    monkeypatch.setattr(nets.layers.spatial.spans, "fits", lambda ar: False)
    assert_same(spans, steps(network(ARITHMETICS[name], many_channels)))


@pytest.mark.parametrize("name", ["lns16", "images", "fixed16"])
def test_threads_do_not_change_words(name, monkeypatch):
    monkeypatch.setattr(fxp.run.convolve, "WORTH_A_THREAD", 1)
    one = steps(network(ARITHMETICS[name]), rows=13)
    for threads in (2, 3, 40):
        assert_same(one, steps(network(ARITHMETICS[name], threads=threads), rows=13))


@pytest.mark.parametrize("name", ["lns16", "guard bits", "fixed16"])
def test_lanes_of_any_width_write_the_same_words(name, monkeypatch):
    narrow = steps(network(ARITHMETICS[name]))
    import fxp.compile.cache
    import fxp.run.execute

    monkeypatch.setattr(fxp.run.execute, "_KERNELS", {})
    monkeypatch.setattr(fxp.compile.cache, "_width", lambda plan: 64)
    assert_same(narrow, steps(network(ARITHMETICS[name])))


def layer(options, window, channels=3):
    ar = make_arithmetic(Settings(dataset="digits", **options))
    return ar, Conv2d(ar, np.random.default_rng(1), window, channels, 0.3)


def run(ar, layer, pixels):
    x = ar.empty(len(pixels), int(np.prod(layer.window.shape)), "activations")
    ar.encode(x)(pixels.reshape(len(pixels), -1))
    y, calls = layer.forward(ar, x)
    for call in calls:
        call()
    return ar.words(x).reshape(-1, *layer.window.shape), ar.words(y).reshape(-1, *layer.shape)


def by_hand(window, x, w, b, start, mac, finish):
    """Sum each window by row, column and channel, one product after the other."""
    (rows, columns), (top, left), size = window.out, window.before, window.size
    height, width, channels = window.shape
    out = np.zeros((len(x), rows, columns, w.shape[1]), np.int64)
    for n, i, j, m in np.ndindex(out.shape):
        acc = start(int(b[0, m]))
        for ky, kx, c in np.ndindex(size, size, channels):
            y, z = i * window.stride + ky - top, j * window.stride + kx - left
            if 0 <= y < height and 0 <= z < width:
                weight = int(w[(ky * size + kx) * channels + c, m])
                acc = mac(acc, int(x[n, y, z, c]), weight)
        out[n, i, j, m] = finish(acc)
    return out


WINDOWS = [Window("conv1", (5, 6, 2), 3), Window("conv1", (5, 6, 2), 3, 1, "same"),
           Window("conv1", (6, 5, 1), 2, 2, "same"), Window("conv1", (4, 4, 2), 4)]


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_an_lns_convolution_is_one_mac_of_words_after_the_other(window):
    ar, conv = layer({}, window)
    x, y = run(ar, conv, batch(2, shape=window.shape)[0])
    f, method = ar.formats["weights"], delta.parse("lut")
    table = method.at(f.frac, spec.zero_level(f))

    def mac(acc, a, b):
        return int(spec.mac(acc, a, b, f, table))

    expected = by_hand(window, x, ar.words(conv.w), ar.words(conv.b), int, mac, int)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("window", WINDOWS[:3], ids=str)
def test_a_fixed_point_convolution_is_the_exact_sum_rounded_once(window):
    ar, conv = layer({"arith": "fixed16"}, window)
    x, y = run(ar, conv, batch(2, shape=window.shape)[0])

    def finish(acc):
        return max(-(1 << 15), min((1 << 15) - 1, round_nearest_even(acc, 11)))

    expected = by_hand(window, x, ar.words(conv.w), ar.words(conv.b), lambda b: b << 11,
                       lambda acc, a, b: acc + a * b, finish)
    np.testing.assert_array_equal(y, expected)


def gradients(net, rows=6):
    """Return parameters, their gradients by finite differences of the float64 loss in
    some places, and the loss."""
    w = {k: net.ar.reals(t).copy() for k, t in net.parameters().items()}
    pixels, labels = batch(rows, 0)

    def loss(values):
        x = (pixels / 255).reshape(rows, *SHAPE)
        for i, part in enumerate(net.layers):
            x = real(part, x, values.get(f"{i}.w"), values.get(f"{i}.b"))
        shifted = x - x.max(axis=1, keepdims=True)
        return (np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(rows), labels]).mean()

    rng, found = np.random.default_rng(0), {}
    for name, values in w.items():
        for place in rng.integers(0, values.size, 10):
            up, down = ({**w, name: values.copy()} for _ in range(2))
            up[name].flat[place] += 1e-6
            down[name].flat[place] -= 1e-6
            found[name, int(place)] = (loss(up) - loss(down)) / 2e-6
    return w, found, loss(w)


def real(part, x, w, b):
    """Apply a layer in float64, window by window."""
    if isinstance(part, Conv2d | MaxPool | AveragePool):
        window = part.window
        (rows, columns), (top, left), size = window.out, window.before, window.size
        padded = np.pad(x, ((0, 0), (top, 2 * size), (left, 2 * size), (0, 0)))
        out = np.empty((len(x), *part.shape))
        for i, j in np.ndindex(rows, columns):
            y, z = i * window.stride, j * window.stride
            cut = padded[:, y : y + size, z : z + size]
            if isinstance(part, Conv2d):
                out[:, i, j] = cut.reshape(len(x), -1) @ w + b
            else:
                out[:, i, j] = (cut.max if isinstance(part, MaxPool) else cut.mean)((1, 2))
        return out
    if w is not None:
        return x.reshape(len(x), -1) @ w + b
    return np.where(x < 0, 0.0, x)


@pytest.mark.parametrize("make", [plain, strided, many_channels])
@pytest.mark.parametrize(("options", "tolerance"), [
    ({"arith": "float32"}, 3e-3),
    ({"arith": "lns26.18", "delta": "interp:r=1/64,dmax=20",
      "softmax_delta": "lut:r=1/4096,dmax=12,index=truncate,sample=mid"}, 5e-3),
    ({"arith": "fixed26.20", "gradients": "fixed26.24", "update": "nearest"}, 2e-2),
])
def test_gradients_are_those_of_the_real_loss(options, tolerance, make):
    net = network({**options, "lr": "1", "weight_decay": "0"}, make)
    for name, b in net.parameters().items():
        if name.endswith("b"):  # at zero a ReLU of an empty window has no derivative
            drawn = net.ar.normal(np.random.default_rng(b.columns), 1, b.columns, 0.1)
            net.ar.set_words(b, net.ar.words(drawn))
    before, expected, loss = gradients(net)
    program = net.program(6, True)
    program.run(*batch(6, 0))
    assert program.stats[0] / 6 / 2**net.ar.frac * np.log(2) == pytest.approx(loss, rel=1e-2)
    scale = max(abs(g) for g in expected.values())
    for (name, place), gradient in expected.items():
        moved = net.ar.reals(net.parameters()[name]).flat[place] - before[name].flat[place]
        assert -moved == pytest.approx(gradient, rel=tolerance, abs=tolerance * scale)


def test_max_pooling_takes_the_first_of_equal_numbers_and_gives_it_the_gradient():
    for options in ({}, {"arith": "fixed12"}, {"arith": "float32"}):
        for backend in ("vector", "numpy"):
            ar = make_arithmetic(Settings(**options), 1, backend)
            pool = MaxPool(Window("pool1", (3, 4, 1), 2, 2))
            x = ar.empty(1, 12, "activations")
            pixels = np.array([[9, 9, 1, 2, 9, 0, 4, 4, *4 * [7]]])
            ar.encode(x)(pixels.astype(np.uint8))
            y, forward = pool.forward(ar, x)
            dy = ar.empty(1, 2, "gradients")
            ar.set_words(dy, ar.words(y).copy())
            dx, (backward,) = pool.backward(ar, x, dy, True)
            for step in forward:
                step()
            ar.set_words(dy, ar.words(y).astype(ar.words(dy).dtype))
            backward()
            expected = ar.words(ar.empty(1, 12, "gradients")).copy()
            expected[0, [0, 6]] = ar.words(dy)[0]
            np.testing.assert_array_equal(ar.words(y), ar.words(x)[:, [0, 6]])
            np.testing.assert_array_equal(ar.words(dx), expected)


@pytest.mark.parametrize(("size", "channels"), [(2, 1), (2, 6), (3, 40)])
def test_max_pooling_of_floats_is_numpys_with_not_a_number_the_greatest(size, channels):
    rng = np.random.default_rng(0)
    values = rng.integers(-3, 4, (5, 7, 8, channels)).astype(np.float32)
    values[rng.random(values.shape) < 0.05] = np.nan
    values[rng.random(values.shape) < 0.05] = -np.inf
    ar = make_arithmetic(Settings(arith="float32"))
    pool = MaxPool(Window("pool1", (7, 8, channels), size, size))
    x = ar.empty(5, values[0].size, "activations")
    x.fields["value"][...] = values.reshape(5, -1)
    y, (forward,) = pool.forward(ar, x)
    dy = ar.empty(5, y.columns, "gradients")
    dy.fields["value"][...] = rng.standard_normal((5, y.columns))
    dx, (backward,) = pool.backward(ar, x, dy, True)
    forward(), backward()
    expected = np.zeros_like(values)
    slopes = iter(dy.fields["value"].ravel())
    rows, columns = 7 // size, 8 // size
    for n, i, j, c in np.ndindex(5, rows, columns, channels):
        part = (n, slice(i * size, (i + 1) * size), slice(j * size, (j + 1) * size), c)
        place = np.unravel_index(values[part].argmax(), (size, size))
        expected[part][place] = next(slopes)
        given = y.fields["value"].reshape(5, rows, columns, channels)[n, i, j, c]
        np.testing.assert_equal(given, values[part][place])
    np.testing.assert_array_equal(dx.fields["value"].reshape(values.shape), expected)


@pytest.mark.parametrize(("make", "words"), [
    (lambda b: b.conv(4, 10), "conv1: a window of 10 x 10 does not fit into 9 x 8 x 2"),
    (lambda b: b.max_pool(4).conv(3, 3), "conv1: a window of 3 x 3 does not fit into 2 x 2 x 2"),
    (lambda b: b.conv(4, 3).dense(5), "dense1: takes one row, got 7 x 6 x 4; flatten it first"),
    (lambda b: b.conv(4, 3, padding="full"), "conv1: padding must be valid or same, got 'full'"),
    (lambda b: b.conv(4, 3, 0), "conv1: size and stride must be 1 or more, got 3 and 0"),
])
def test_what_does_not_fit_is_refused_with_the_layer_and_the_shapes(make, words):
    ar = make_arithmetic(Settings())
    with pytest.raises(ValueError) as caught:
        make(Builder(ar, np.random.default_rng(0), SHAPE, lambda n, _: 0.1))
    assert words in str(caught.value)


def test_an_input_of_another_size_is_refused():
    ar, conv = layer({}, WINDOWS[0])
    with pytest.raises(ValueError, match="conv1: takes 5 x 6 x 2 = 60 numbers, got 61"):
        conv.forward(ar, ar.empty(1, 61, "activations"))


def test_a_model_too_deep_for_its_images_is_refused():
    settings = Settings(dataset="digits", model="lenet5", activation="relu")
    with pytest.raises(ValueError, match="lenet5 cannot be made for images of 8 x 8 x 1: conv2: "):
        make_network(make_arithmetic(settings), np.random.default_rng(0), settings, (8, 8), 10)


def test_lenets_have_the_published_sizes():
    sizes = {"lenet5": [25 * 6, 150 * 16, 400 * 120, 120 * 84, 84 * 10],
             "lenet-wide": [25 * 20, 500 * 50, 800 * 500, 500 * 10]}
    for model, expected in sizes.items():
        settings = Settings(model=model, activation="relu")
        net = make_network(make_arithmetic(settings), np.random.default_rng(0), settings,
                           (28, 28), 10)
        found = [net.ar.words(t).size for n, t in net.parameters().items() if n.endswith("w")]
        assert found == expected


@pytest.mark.parametrize("name", ["lns16", "guard bits", "fixed12"])
def test_an_image_gives_the_same_words_in_any_company(name):
    net = network(ARITHMETICS[name], strided)
    pixels, labels = batch(9)
    whole, single = net.program(9, False), net.program(1, False)
    whole.run(pixels, labels)
    for i in range(9):
        single.run(pixels[i : i + 1], labels[i : i + 1])
        for together, alone in zip(whole.values, single.values, strict=True):
            np.testing.assert_array_equal(net.ar.words(together)[i], net.ar.words(alone)[0])


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_gradients_by_images_are_those_of_each_image_added_in_order(padding):
    window, images = Window("conv1", (5, 4, 2), 3, 1, padding), 6

    def stepped(order, part):
        """Return 0 - the gradients of w and b, in words, of some images."""
        ar = make_arithmetic(Settings(order=order, lr="1", weight_decay="0"))
        rng = np.random.default_rng(5)
        layer = Conv2d(ar, rng, window, 3, 0.3)
        x, dy = (ar.normal(rng, images, int(np.prod(shape)), 1)
                 for shape in (window.shape, layer.shape))
        x, dy = (type(t)({k: v[part].copy() for k, v in t.fields.items()}, t.columns, role)
                 for t, role in ((x, "activations"), (dy, "gradients")))
        for t in (layer.w, layer.b):
            ar.fill(t, 0)
        _, calls = layer.backward(ar, x, dy, False)
        for call in calls:
            call()
        return [ar.words(t).astype(int) for t in (layer.w, layer.b)]

    f = Settings().format("weights")
    method = delta.parse("lut").at(f.frac, spec.zero_level(f))
    expected = stepped("sequential", slice(1))
    for n in range(1, images):
        expected = [spec.add(total, each, f, method) for total, each in zip(
            expected, stepped("sequential", slice(n, n + 1)))]
    found, whole = (stepped(order, slice(None)) for order in ("images", "sequential"))
    for name, a, b, other in zip("wb", found, expected, whole):
        np.testing.assert_array_equal(a, b, err_msg=name)
        assert (a != other).any()


def test_gradients_by_images_are_nearer_to_exact_sums():
    window, images = Window("conv1", (32, 32, 2), 1), 32

    def error(order):
        ar = make_arithmetic(Settings(delta="interp", order=order, lr="1", weight_decay="0"))
        rng = np.random.default_rng(7)
        layer = Conv2d(ar, rng, window, 32, 0.3)
        x, dy = (ar.normal(rng, images, int(np.prod(shape)), 1)
                 for shape in (window.shape, layer.shape))
        x.fields["sign"][...] = 0
        ar.fill(layer.w, 0)
        exact = layer.weight_gradient(ar.reals(x), ar.reals(dy))
        for call in layer.backward(ar, x, dy, False)[1]:
            call()
        return np.sqrt(np.mean((ar.reals(layer.w) + exact) ** 2))

    assert error("images") < error("sequential") / 4
