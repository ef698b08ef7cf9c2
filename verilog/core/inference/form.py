"""The form of a layer: a product of each window of an image with weights, pooled or not."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Form", "dense_form"]


@dataclass(frozen=True)
class Form:
    """A convolution of stride 1 over height x width x channels numbers, with `outputs`
    channels at each of `out` positions; before are rows above and columns left of the image
    that are zero. pool is the side of the windows that pooling takes, the greatest number of
    each or, with average, the mean. A dense layer has one position and a window of one."""

    channels: int
    outputs: int
    height: int = 1
    width: int = 1
    size: int = 1
    before: tuple[int, int] = (0, 0)
    out: tuple[int, int] = (1, 1)
    pool: int = 1
    average: bool = False

    @property
    def inputs(self) -> int:
        """Words of an image that the layer takes."""
        return self.height * self.width * self.channels

    @property
    def depth(self) -> int:
        """Products of a sum."""
        return self.size**2 * self.channels

    @property
    def pooled(self) -> tuple[int, int]:
        """Rows and columns of windows of pooling."""
        return self.out[0] // self.pool, self.out[1] // self.pool

    @property
    def positions(self) -> int:
        """Positions of which a word is written, for each channel."""
        return self.pooled[0] * self.pooled[1]

    @property
    def turns(self) -> int:
        """How often the tiles of the layer run: once at each position that counts."""
        return self.positions * self.pool**2

    @property
    def plain(self) -> bool:
        """Whether this is a dense layer."""
        return self.turns == 1 and self.size == 1 and self.height == self.width == 1


def dense_form(inputs: int, outputs: int) -> Form:
    """Return the form of a dense layer."""
    return Form(inputs, outputs)
