"""Convolutions of words by spans: fast, and to the bit what `nets.layers.spatial.gather` states.

An operand that is zero is met once and left out. Each other one is multiplied with whole
spans, the window's columns and channels side by side, into registers in memory. A
number's products come in the same order as in a gathered sum.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fxp.run.convolve import Loops, Place, bind_spans
from fxp.run.execute import together
from fxp.trace.plans import MatmulPlan, span_plan
from nets.arithmetic.integer import IntegerArithmetic
from nets.arithmetic.registers import copying, map_over, registers, summing, zeroing
from nets.arithmetic.tensor import Tensor, padded
from nets.layers.window import Window, as_images

__all__ = ["convolve", "convolve_gradient", "descend", "fits"]

Calls = list[Callable[[], None]]


def fits(ar) -> bool:
    """Whether these kernels serve an arithmetic: over words, compiled, sums in sequence."""
    return (isinstance(ar, IntegerArithmetic) and ar.backend == "vector"
            and ar.settings.order != "tree")


def convolve(ar, window: Window, x: Tensor, w: Tensor, b: Tensor, y: Tensor) -> Calls:
    """y = the windows of x times w, plus b; w is depth x channels of y. The stride is 1."""
    size, channels = window.size, w.columns
    top, left = (size - 1 - n for n in window.before)
    canvas = _Canvas(ar._affine, y, window.out, window.shape[1] + size - 1, channels, size)
    spans, turn = _weights(ar, window, w, flipped=True)
    loops = Loops(size, channels, (-top, -left), window.out, split="image")
    steps = bind_spans(span_plan(ar._affine), _named("a", as_images(x, window.shape)),
                       Place(_named("b", spans), (0, 0, 0, size * canvas.lanes, canvas.lanes)),
                       canvas.place(1), loops, ar.threads)
    return [turn, *canvas.start(ar, b), steps, *canvas.finish(ar, left)]


def convolve_gradient(ar, window: Window, dy: Tensor, w: Tensor, dx: Tensor) -> Calls:
    """dx = dy spread through w."""
    size, (height, width, channels) = window.size, window.shape
    top, left = window.before
    canvas = _Canvas(ar._input_gradient, dx, (height, width), window.reach()[1], channels, size)
    spans, turn = _weights(ar, window, w, flipped=False)
    loops = Loops(size, channels, (-top, -left), (height, width), window.stride, "image")
    steps = bind_spans(span_plan(ar._input_gradient),
                       _named("a", as_images(dy, (*window.out, w.columns))),
                       Place(_named("b", spans), (0, 0, 0, size * canvas.lanes, canvas.lanes)),
                       canvas.place(window.stride), loops, ar.threads)
    zero = ar.empty(1, channels, "gradients")
    return [turn, *canvas.start(ar, zero, fixed=True), steps, *canvas.finish(ar, left)]


def descend(ar, window: Window, w: Tensor, b: Tensor, x: Tensor, dy: Tensor) -> Calls:
    """Take the step of w and b against their gradients."""
    depth = dy.rows * int(np.prod(window.out))
    by_input = np.prod(window.shape) * padded(window.size * w.columns) < (
        np.prod(window.out) * w.columns * padded(window.size * window.shape[2]))
    gradient = _by_input if by_input and window.stride == 1 else _by_output
    plan = ar.update_over(depth)
    registers, (*before, steps) = gradient(ar, depth, window, w, x, dy)
    after = _update(ar, plan, registers, w)
    if (rows := _side_by_side(window, dy, w.columns)) is not None:  # one long row: no parts
        bias = ar.descend_bias(b, rows, dy.rows)
        return [*before, together([bias, steps], ar.threads), *after]
    sums, more = _bias_sums(ar, plan, window, dy, w.columns)
    return [*before, steps, *after, *more, *_update(ar, plan, sums, b)]


class _Canvas:
    """Registers of every output of a batch, with room left and right of each row."""

    def __init__(self, plan: MatmulPlan, out: Tensor, rows, columns: int, channels: int,
                 size: int):
        self.plan = plan
        self.out = out
        self.form = (*rows, channels)
        self.row = columns * channels
        self.columns = columns
        self.lanes = padded(size * channels)
        self.image = padded(rows[0] * self.row + self.lanes)
        self.state = registers(plan, (out.rows, self.image))

    def place(self, stride: int) -> Place:
        """Return the registers as what is added to."""
        return Place(self.state, (self.image, self.row, stride * self.form[2], 0, self.row))

    def start(self, ar, init: Tensor, fixed: bool = False) -> Calls:
        """Return the calls that put the one row of init, which may stay as it is, everywhere."""
        first = registers(self.plan, (1, padded(self.form[2])))
        begin = map_over(ar, self.plan.start, self.plan.state, {**init.named("i"), **first})
        line = registers(self.plan, (self.image,))
        places = self.form[0] * self.columns
        tiles = [(line[k][: places * self.form[2]].reshape(places, -1),
                  first[k][0, : self.form[2]]) for k in line]
        make = [begin, copying(ar, tiles)]
        every = copying(ar, [(self.state[k], line[k]) for k in line])
        if not fixed:
            return [*make, every]
        for call in make:
            call()
        return [every]

    def finish(self, ar, left: int) -> Calls:
        """Return the calls that round the registers to words and cut the room away."""
        words, calls = self._words(ar)
        form = (self.out.rows, self.form[0], self.columns, self.form[2])
        pairs = [(to, words[k][:, : self.form[0] * self.row].reshape(form)
                  [:, :, left : left + self.form[1]])
                 for k, to in _named("o", as_images(self.out, self.form)).items()]
        return [*calls, copying(ar, pairs)]

    def _words(self, ar):
        """Return the words of the registers, which may be the registers, and their calls."""
        if same := self.plan.words_of_state():
            return {word: self.state[part] for word, part in same.items()}, []
        words = {k: np.empty((self.out.rows, self.image), v.dtype)
                 for k, v in self.out.named("o").items()}
        return words, [map_over(ar, self.plan.finish, (), {**self.state, **words})]


def _by_output(ar, depth: int, window: Window, w: Tensor, x: Tensor, dy: Tensor):
    """Sum each non-zero dy times the spans of x below it."""
    plan = ar.update_over(depth, turned=True)
    size, (height, width, channels) = window.size, window.shape
    (top, left), columns = window.before, window.reach()[1]
    lanes = padded(size * channels)
    spread, put = _spread(ar, x, window.shape, left, columns, lanes)
    row = columns * channels
    state, *steps = _sums(
        ar, plan, (w.columns, size, lanes), as_images(dy, (*window.out, w.columns)),
        Place(_named("b", spread), (height * row, row, window.stride * channels, 0, row)),
        (0, 0, 0, size * lanes, lanes),
        Loops(size, channels, (-top, -left), (height, width), window.stride, "channel"))
    views = {k: v[:, :, : size * channels].reshape(-1, size, size, channels).transpose(1, 2, 3, 0)
             for k, v in state.items()}
    return views, [put, *steps]


def _by_input(ar, depth: int, window: Window, w: Tensor, x: Tensor, dy: Tensor):
    """Sum each non-zero x times the spans of dy above it."""
    plan = ar.update_over(depth)
    size, channels, (height, width) = window.size, w.columns, window.out
    top, left = (size - 1 - n for n in window.before)
    lanes, columns = padded(size * channels), window.shape[1] + size - 1
    spread, put = _spread(ar, dy, (height, width, channels), left, columns, lanes)
    row = columns * channels
    state, *steps = _sums(
        ar, plan, (window.shape[2], size, lanes), as_images(x, window.shape),
        Place(_named("b", spread), (height * row, row, channels, 0, row)),
        (0, 0, 0, size * lanes, lanes),
        Loops(size, channels, (-top, -left), (height, width), 1, "channel"))
    views = {k: v[:, ::-1, : size * channels].reshape(-1, size, size, channels)[:, :, ::-1]
             .transpose(1, 2, 0, 3) for k, v in state.items()}
    return views, [put, *steps]


def _sums(ar, plan, shape, a: dict[str, np.ndarray], vectors: Place, strides, loops: Loops):
    """Return registers of a shape and the calls that sum up steps in them, over all images or,
    where sums begin anew with each, one after the other."""
    state, one = registers(plan, shape), ar.sums_by_images()
    sums = registers(plan, shape) if one else state
    steps = bind_spans(span_plan(plan), _named("a", a), vectors, Place(sums, strides),
                       loops._replace(each=one), ar.threads if loops.split else 1)
    if not one:
        return state, zeroing(ar, plan, state, "gradients"), steps
    images = len(next(iter(a.values())))
    return state, summing(ar, plan, state, sums,
                          lambda image: steps(image=image, images=image + 1), images)


def _side_by_side(window: Window, dy: Tensor, channels: int) -> Tensor | None:
    """Return dy as a row for each place of each image, where all of them follow each other."""
    places = int(np.prod(window.out))
    if any(v.strides != (places * channels * v.itemsize, v.itemsize)
           for v in dy.fields.values()):
        return None
    shape = dy.rows * places, padded(channels)
    rows = {k: np.lib.stride_tricks.as_strided(v, shape, (channels * v.itemsize, v.itemsize),
                                               writeable=False)
            for k, v in dy.fields.items()}
    return Tensor(rows, channels, dy.role)


def _bias_sums(ar, plan, window: Window, dy: Tensor, channels: int):
    """Sum dy over images, rows and columns."""
    height, width = window.out
    ones = {k: np.broadcast_to(v[:1, :1], (dy.rows, height, width, 1))
            for k, v in ar.one.fields.items()}
    image = next(iter(dy.fields.values())).shape[1]
    state, *steps = _sums(ar, plan, (1, padded(channels)), ones,
                          Place(dy.named("b"), (image, width * channels, channels, 0, 0)),
                          (0, 0, 0, 0, 0), Loops(1, channels, (0, 0), (height, width)))
    return {k: v[:, :channels] for k, v in state.items()}, steps


def _update(ar, plan, views: dict[str, np.ndarray], t: Tensor) -> Calls:
    """Return the calls that finish sums, seen in the order of t's numbers, as a step of t."""
    sums = registers(plan, next(iter(t.fields.values())).shape)
    zeroing(ar, plan, sums, "gradients")()
    pairs = [(sums[k][:, : t.columns].reshape(v.shape), v) for k, v in views.items()]
    finish = map_over(ar, plan.finish, (), {**sums, **ar.operands(t), **ar.results(t)})
    return [copying(ar, pairs), ar.settled(t, finish, plan)]


def _weights(ar, window: Window, w: Tensor, flipped: bool):
    """Return the weights as spans, and the call that fills them: for each channel and row of
    the window its columns and the other channels, zeros behind."""
    size, channels = window.size, (window.shape[2], w.columns)
    here, there = channels if flipped else channels[::-1]
    lanes = padded(size * there)
    spans = ar.empty(1, here * size * lanes, "weights")
    pairs = []
    for k, v in w.fields.items():
        to = spans.fields[k].reshape(here, size, lanes)[:, :, : size * there]
        of = v[:, : w.columns].reshape(size, size, *channels)
        of = of[::-1, ::-1].transpose(2, 0, 1, 3) if flipped else of.transpose(3, 0, 1, 2)
        pairs.append((to.reshape(here, size, size, there), of))
    return {k: v for k, v in spans.fields.items()}, copying(ar, pairs)


def _spread(ar, t: Tensor, shape, left: int, columns: int, lanes: int):
    """Return copies of images with room left and right of each row, and the call."""
    height, width, channels = shape
    size = t.rows * height * columns * channels
    whole = ar.empty(1, size + lanes, t.role).fields
    form = (t.rows, height, columns, channels)
    views = {k: v[0, :size].reshape(form)[:, :, left : left + width] for k, v in whole.items()}
    of = as_images(t, shape)
    return whole, copying(ar, [(v, of[k]) for k, v in views.items()])


def _named(prefix: str, fields: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return Tensor(fields, 0).named(prefix)
