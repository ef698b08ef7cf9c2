"""What a network of a graph is given: images and features as its file wants them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

__all__ = ["Preparation", "prepared"]


@dataclass(frozen=True)
class Preparation:
    """Pixels (v / 255) and features (as they are) less `mean`, times `scale`, each one number
    or one for each channel; `order` is that of the channels: rgb or bgr."""

    mean: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    order: str = "rgb"

    def __post_init__(self):
        if self.order not in ("rgb", "bgr"):
            raise ValueError(f"channel order must be rgb or bgr, got {self.order!r}")
        for name in ("mean", "scale"):
            values = getattr(self, name)
            if not values or not np.isfinite(values).all():
                raise ValueError(f"{name} must be finite numbers, got {values}")

    def as_dict(self) -> dict:
        """Return plain data for JSON."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def prepared(values: np.ndarray, shape: tuple[int, ...], how: Preparation) -> np.ndarray:
    """Return float32 inputs of a shape for a number of images (uint8; h x w or h x w x 3) or of
    arrays of floats.

    A shape of three numbers may have the channels first or last; one of one number takes
    an image's pixels in a row. ValueError where sizes do not fit.
    """
    x = values.astype(np.float32)
    if values.dtype == np.uint8:
        x /= 255
        if x.ndim == 3 and len(shape) == 3:
            x = x[..., None]
    places = _places(x.shape[1:], shape)
    channels = _channels(x.shape[1:], shape)
    if how.order == "bgr" and channels is not None and x.shape[channels] == 3:
        x = np.flip(x, channels)
    x = (x - _spread(how.mean, x, channels)) * _spread(how.scale, x, channels)
    return np.ascontiguousarray(x.transpose(0, *places).reshape(-1, *shape), np.float32)


def _places(given: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the order of axes that turns what is given into the shape."""
    same = tuple(range(1, len(given) + 1))
    if given == shape or (len(shape) == 1 and int(np.prod(given)) == shape[0]):
        return same
    if len(given) == 3 and (given[2], *given[:2]) == shape:
        return (3, 1, 2)
    if int(np.prod(given)) == int(np.prod(shape)) and (1 in shape or len(given) == 1):
        return same
    raise ValueError(f"the network takes inputs of {_told(shape)}, got {_told(given)}")


def _channels(given, shape) -> int | None:
    """Return the axis of the channels in what is given, None without one."""
    if len(given) != 3:
        return None
    return 1 if given == shape and given[0] < given[2] else 3


def _spread(values: tuple[float, ...], x: np.ndarray, channels: int | None) -> np.ndarray:
    if len(values) == 1:
        return np.float32(values[0])  # type: ignore[return-value]
    axis = x.ndim - 1 if channels is None else channels
    if x.shape[axis] != len(values):
        raise ValueError(f"{len(values)} numbers for mean or scale do not fit {x.shape[axis]} "
                         "channels")
    return np.array(values, np.float32).reshape([-1 if i == axis else 1 for i in range(x.ndim)])


def _told(shape) -> str:
    return " x ".join(map(str, shape))
