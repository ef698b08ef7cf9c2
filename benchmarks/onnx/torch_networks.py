"""Four networks in PyTorch, with weights of a seed and running statistics that are not the usual
ones, for its exporters."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["NETWORKS", "seeded"]


class Residual(nn.Module):
    """Two convolutions beside a shorter way, each with batch norm."""

    def __init__(self, before: int, maps: int, stride: int):
        super().__init__()
        self.long = nn.Sequential(
            nn.Conv2d(before, maps, 3, stride, 1, bias=False), nn.BatchNorm2d(maps), nn.ReLU(),
            nn.Conv2d(maps, maps, 3, 1, 1, bias=False), nn.BatchNorm2d(maps))
        self.short = nn.Identity() if stride == 1 else nn.Sequential(
            nn.Conv2d(before, maps, 1, stride, bias=False), nn.BatchNorm2d(maps))

    def forward(self, x):
        return torch.relu(self.long(x) + self.short(x))


class Bottleneck(nn.Module):
    """MobileNet v3's: wider, depthwise, squeezed and excited, narrower, beside a short way."""

    def __init__(self, maps: int, wide: int, size: int, active: type[nn.Module]):
        super().__init__()
        self.entry = nn.Sequential(
            nn.Conv2d(maps, wide, 1, bias=False), nn.BatchNorm2d(wide), active(),
            nn.Conv2d(wide, wide, size, 1, size // 2, groups=wide, bias=False),
            nn.BatchNorm2d(wide), active())
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, wide // 4, 1), nn.ReLU(),
            nn.Conv2d(wide // 4, wide, 1), nn.Hardsigmoid())
        self.exit = nn.Sequential(nn.Conv2d(wide, maps, 1, bias=False), nn.BatchNorm2d(maps))

    def forward(self, x):
        y = self.entry(x)
        return x + self.exit(y * self.scale(y))


def _perceptron() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 40),
                         nn.Tanh(), nn.Linear(40, 10))


def _lenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84),
        nn.ReLU(), nn.Dropout(), nn.Linear(84, 10))


def _residual() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), Residual(16, 16, 1),
        Residual(16, 32, 2), Residual(32, 64, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(64, 10))


def _mobile() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish(),
        Bottleneck(16, 48, 3, nn.Hardswish), Bottleneck(16, 64, 5, nn.ReLU6),
        nn.Conv2d(16, 32, 3, 2, (2, 1), dilation=2, groups=4), nn.ReLU6(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(32, 48), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(48, 10))


NETWORKS = {"perceptron": (_perceptron, (1, 28, 28)), "LeNet": (_lenet, (1, 28, 28)),
            "residual, batch norm": (_residual, (3, 32, 32)),
            "depthwise, hard-swish": (_mobile, (3, 32, 32))}


def seeded(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """Return a network for evaluation, and the shape of its input."""
    make, shape = NETWORKS[name]
    torch.manual_seed(0)
    network = make().train()
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.weight.uniform_(0.5, 1.5)
                part.bias.normal_()
        for _ in range(20):
            network(torch.rand(16, *shape))
    return network.eval(), shape
