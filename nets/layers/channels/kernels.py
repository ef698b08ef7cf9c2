"""The loops over channels, compiled at their first use."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from fxp.compile.loading import compiler
from nets.layers.channels.products import PRODUCTS
from nets.layers.lanes.common import COMMON

__all__ = ["CHANNELS", "Tiles", "kernels", "tiles_of"]

CHANNELS = 16  # go into whole vectors on every processor


class Tiles(NamedTuple):
    """What registers hold the sums of: channels together, and of these some positions or some
    weights, the most first."""

    group: int
    positions: tuple[int, ...]
    weights: tuple[int, ...]


def tiles_of(channels: int) -> Tiles:
    """Return the tiles for a multiple of CHANNELS."""
    width = compiler().target().lanes(32)
    if width < CHANNELS:
        return Tiles(CHANNELS, *[(width // 2, 1)] * 2)
    if channels % (2 * CHANNELS):
        return Tiles(CHANNELS, (8, 4, 2, 1), (16, 8, 1))
    return Tiles(2 * CHANNELS, (8, 4, 2, 1), (8, 4, 1))


@lru_cache
def kernels(tiles: Tiles):
    """Return the module of the loops.

    Images are x rows x numbers of a row, the same for y and dy; a canvas is one image with room
    around it, whose first number is at a place, row and number of that. All are contiguous along
    their rows.

    multiply(x, canvas, place, windows, weights, bias, y)
        y = sum w x + bias, for each of the windows: where in the canvas the first one lies, row
        and number, how far it goes down and across to the next one; its taps, the run of each,
        where its weights begin; the same of y; the rows and columns of positions. Weights are
        groups x taps x run x channels of a group, in a row.
    multiply_weights(x, canvas, place, down, across, dy, dw, size, first, last)
        dw += sum x dy, image by image, of windows that size runs go into; of the parts
        first..last alone, which are tiles of each run.
    """
    width = compiler().target().lanes(32)
    head = (f"WIDTH, GROUP, VECTORS = {width}, {tiles.group}, {tiles.group // width}\n"
            f"POSITIONS, WEIGHTS, LANES = {tiles.positions}, {tiles.weights}, {CHANNELS}\n")
    return compiler().compile_module("channels", head + COMMON + PRODUCTS)
