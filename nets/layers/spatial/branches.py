"""Where branches meet: the sum of two tensors, and the mean of each channel of an image."""

from __future__ import annotations

from nets.arithmetic.registers import copying
from nets.layers.dense import Layer
from nets.layers.spatial.pool import AveragePool
from nets.layers.window import Shape, Window, shown

__all__ = ["Add", "GlobalAverage"]


class Add(Layer):
    """y = a + b, one sum of the arithmetic for each number; `shape` is that of all three.

    Its inputs are two, and so are the gradients that backward gives: dy itself, twice.
    """

    def __init__(self, shape: Shape, name: str = "add"):
        self.shape, self.name = shape, name

    def forward(self, ar, x):
        a, b = x
        if a.columns != b.columns:
            raise ValueError(f"{self.name}: adds tensors of one size, got {a.columns} and "
                             f"{b.columns} numbers")
        y = ar.empty(a.rows, a.columns, "activations")
        return y, [ar.formula("plus", y, a, b)]

    def backward(self, ar, x, dy, wanted):
        return (dy, dy), []


class GlobalAverage(AveragePool):
    """The mean of each channel over the whole image, which must be square.

    Of words it is what batch normalisation takes as a mean: in fixed point exact and rounded
    once, in logarithms a mean of means, for long sums in sequence lose what comes late.
    """

    def __init__(self, name: str, shape: Shape):
        if shape[0] != shape[1]:
            raise ValueError(f"{name}: averages square images, got {shown(shape)}")
        super().__init__(Window(name, shape, shape[0], shape[0]))

    def forward(self, ar, x):
        y = self.output(ar, x)
        channels, positions = self.shape[2], self.window.size**2
        rows = ar.empty(positions, x.rows * channels, "activations")
        mean = ar.empty(1, x.rows * channels, "activations")
        form = (x.rows, positions, channels)
        fill = copying(ar, [(v[:, : rows.columns].reshape(positions, x.rows, channels),
                             x.fields[k][:, : x.columns].reshape(form).transpose(1, 0, 2))
                            for k, v in rows.fields.items()])
        take = copying(ar, [(v[:, :channels],
                             mean.fields[k][:, : mean.columns].reshape(-1, channels))
                            for k, v in y.fields.items()])
        return y, [fill, ar.mean_of_rows(rows, mean), take]

