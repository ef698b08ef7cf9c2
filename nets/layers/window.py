"""Where a window lies on an image: sizes, strides, padding, and views of tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nets.arithmetic.tensor import Tensor

__all__ = ["Shape", "Window", "as_images", "shown"]

Shape = tuple[int, int, int]  # height, width, channels


@dataclass(frozen=True)
class Window:
    """A square window that moves over images of height x width x channels.

    With padding `same` there are ceil(side / stride) positions along a side, and
    zeros around the image, the odd one behind; with `valid` the window stays inside.
    ValueError, naming the layer, where it does not fit.
    """

    layer: str
    shape: Shape
    size: int
    stride: int = 1
    padding: str = "valid"

    def __post_init__(self):
        if self.padding not in ("valid", "same"):
            raise ValueError(f"{self.layer}: padding must be valid or same, got {self.padding!r}")
        if self.size < 1 or self.stride < 1:
            raise ValueError(f"{self.layer}: size and stride must be 1 or more, "
                             f"got {self.size} and {self.stride}")
        if self.padding == "valid" and self.size > min(self.shape[:2]):
            raise ValueError(f"{self.layer}: a window of {self.size} x {self.size} does not fit "
                             f"into {shown(self.shape)}; give larger images or another model")

    @property
    def out(self) -> tuple[int, int]:
        """Rows and columns of positions."""
        height, width, _ = self.shape
        return self._positions(height), self._positions(width)

    @property
    def before(self) -> tuple[int, int]:
        """Rows of zeros above the image and columns of zeros left of it."""
        top, left = (max(0, (n - 1) * self.stride + self.size - side) // 2
                     for n, side in zip(self.out, self.shape))
        return (top, left) if self.padding == "same" else (0, 0)

    @property
    def depth(self) -> int:
        """Numbers in a window."""
        return self.size * self.size * self.shape[2]

    def reach(self) -> tuple[int, int]:
        """Return the rows and columns of the padded image that hold all positions."""
        return tuple(max((n - 1) * self.stride + self.size, first + side)  # type: ignore
                     for n, first, side in zip(self.out, self.before, self.shape))

    def check(self, x: Tensor) -> None:
        """Refuse a tensor of another size."""
        if x.columns != int(np.prod(self.shape)):
            raise ValueError(f"{self.layer}: takes {shown(self.shape)} = "
                             f"{int(np.prod(self.shape))} numbers, got {x.columns}")

    def _positions(self, side: int) -> int:
        if self.padding == "same":
            return -(-side // self.stride)
        return (side - self.size) // self.stride + 1


def as_images(t: Tensor, shape: Shape) -> dict[str, np.ndarray]:
    """Return each field of t as rows x height x width x channels, without a copy."""
    size = int(np.prod(shape))
    return {k: v[:, :size].reshape(v.shape[0], *shape) for k, v in t.fields.items()}


def shown(shape) -> str:
    """Return a shape as text: 28 x 28 x 1."""
    return " x ".join(map(str, shape))
