"""A binary network's layers, completed: scales of sums, the range of pixels."""

from __future__ import annotations

from nets.layers.binary.layers import Product, Scale, Sign
from nets.layers.dense import Layer
from nets.layers.norm import BatchNorm

__all__ = ["completed"]

LARGEST = 1 << 24  # float32 holds all integers up to it


def completed(ar, layers: list[Layer]) -> list[Layer]:
    """Return layers with a scale before each sign without batch norm, and at the end.

    ValueError for a product of more numbers than float32 sums up exactly.
    """
    products = [layer for layer in layers if isinstance(layer, Product)]
    products[0].peak = (1 << ar.planes) - 1
    for product in products:
        if product.w.rows * product.peak > LARGEST:
            raise ValueError(f"{product.name}: sums of {product.w.rows:,} numbers up to "
                             f"{product.peak} need more than {LARGEST:,}, up to which float32 "
                             "holds all integers")
    made: list[Layer] = []
    product, before = products[0], layers[0]
    for layer in layers:
        product = layer if isinstance(layer, Product) else product
        if isinstance(layer, Sign) and not isinstance(before, BatchNorm):
            made.append(Scale(ar, product))
        made.append(layer)
        before = layer
    return [*made, Scale(ar, product)]
