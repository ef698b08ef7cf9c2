"""A perceptron and a convolutional network of 4 bits in Brevitas, trained on the digits."""

from __future__ import annotations

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.quant import Int8ActPerTensorFloat, Int32Bias
from torch import nn

__all__ = ["NETWORKS", "trained"]

BITS = 4
EPOCHS = 20


def _entry() -> nn.Module:
    return qnn.QuantIdentity(Int8ActPerTensorFloat, return_quant_tensor=True)


def _active() -> nn.Module:
    return qnn.QuantReLU(bit_width=BITS, return_quant_tensor=True)


def _perceptron() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), _entry(), qnn.QuantLinear(64, 48, True, weight_bit_width=BITS),
        nn.BatchNorm1d(48), _active(), qnn.QuantLinear(48, 32, True, weight_bit_width=BITS),
        _active(), qnn.QuantLinear(32, 10, True, weight_bit_width=BITS, bias_quant=Int32Bias))


def _convolutional() -> nn.Module:
    return nn.Sequential(
        _entry(), qnn.QuantConv2d(1, 12, 3, padding=1, bias=False, weight_bit_width=BITS),
        nn.BatchNorm2d(12), _active(), nn.MaxPool2d(2),
        qnn.QuantConv2d(12, 12, 3, padding=1, groups=12, bias=False, weight_bit_width=BITS),
        nn.BatchNorm2d(12), _active(),
        qnn.QuantConv2d(12, 24, 1, bias=True, weight_bit_width=BITS), _active(),
        qnn.TruncAvgPool2d(4, bit_width=8), nn.Flatten(),
        qnn.QuantLinear(24, 10, True, weight_bit_width=BITS))


NETWORKS = {"perceptron": _perceptron, "convolutional": _convolutional}


def trained(name: str) -> tuple[nn.Module, torch.Tensor, np.ndarray]:
    """Return a network for evaluation, the test images and their labels."""
    from nets.data.sets import load

    data = load("digits")
    x, test = (torch.from_numpy(v[:, None].astype(np.float32) / 255)
               for v in (data.train_images, data.test_images))
    y = torch.from_numpy(data.train_labels.astype(np.int64))
    torch.manual_seed(0)
    network = NETWORKS[name]()
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x)).split(64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
            optimiser.step()
    return network.eval(), test, data.test_labels
