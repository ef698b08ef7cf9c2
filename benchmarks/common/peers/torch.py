"""PyTorch: float32 training of the same networks."""

from __future__ import annotations

import time

import numpy as np
import torch

__all__ = ["Residual", "Training"]

torch.set_num_threads(1)


class Training:
    """A multilayer perceptron with one hidden layer, or LeNet-5, and plain SGD."""

    def __init__(
        self, images: np.ndarray, labels: np.ndarray, batch: int, model: str = "mlp"
    ):
        torch.manual_seed(0)
        self.y = torch.from_numpy(labels)
        self.batch = batch
        self.shape = {"mlp": (images.shape[1],), "lenet5": (1, 28, 28)}[model]
        self.x = self._values(images)
        make = {"mlp": _perceptron, "lenet5": _lenet5}[model]
        self.model = make(images.shape[1], int(labels.max()) + 1)
        self.sgd = torch.optim.SGD(
            self.model.parameters(), lr=2.0**-6, weight_decay=2.0**-10
        )
        self.loss = torch.nn.CrossEntropyLoss()

    def epoch(self) -> float:
        """Train on every image once and return the seconds."""
        begin = time.perf_counter()
        for i in range(0, len(self.y), self.batch):
            rows = slice(i, i + self.batch)
            self.sgd.zero_grad()
            self.loss(self.model(self.x[rows]), self.y[rows]).backward()
            self.sgd.step()
        return time.perf_counter() - begin

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Return the share of images that are classified rightly."""
        with torch.no_grad():
            found = self.model(self._values(images)).argmax(dim=1).numpy()
        return float((found == labels).mean())

    def _values(self, images: np.ndarray) -> torch.Tensor:
        values = images.astype(np.float32) / np.float32(255)
        return torch.from_numpy(values).reshape(-1, *self.shape)


class Residual:
    """The residual network of MLPerf Tiny, its channels last, which is faster here; SGD with
    momentum."""

    def __init__(self, pixels: np.ndarray, labels: np.ndarray, shape):
        torch.manual_seed(0)
        images = torch.from_numpy(pixels.astype(np.float32) / np.float32(255))
        self.x = images.reshape(*pixels.shape[:2], *shape).permute(0, 1, 4, 2, 3)
        self.y = torch.from_numpy(labels)
        self.model = _residual().to(memory_format=torch.channels_last)
        self.sgd = torch.optim.SGD(self.model.parameters(), lr=2.0**-4, momentum=0.9,
                                   weight_decay=2.0**-10)
        self.loss = torch.nn.CrossEntropyLoss()

    def batches(self) -> float:
        """Train on every batch once and return the seconds."""
        begin = time.perf_counter()
        for x, y in zip(self.x, self.y):
            self.sgd.zero_grad()
            self.loss(self.model(x), y).backward()
            self.sgd.step()
        return time.perf_counter() - begin


class _Block(torch.nn.Module):
    """Two convolutions, and beside them what came in."""

    def __init__(self, before: int, maps: int, stride: int):
        super().__init__()
        nn = torch.nn
        self.long = nn.Sequential(
            nn.Conv2d(before, maps, 3, stride, 1), nn.BatchNorm2d(maps), nn.ReLU(),
            nn.Conv2d(maps, maps, 3, 1, 1), nn.BatchNorm2d(maps))
        self.short = nn.Identity() if stride == 1 else nn.Conv2d(before, maps, 1, stride)

    def forward(self, x):
        return torch.relu(self.long(x) + self.short(x))


def _residual() -> torch.nn.Module:
    nn = torch.nn
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 3, 1, 1), nn.BatchNorm2d(16), nn.ReLU()),
        *(_Block(16, 16, 1), _Block(16, 32, 2), _Block(32, 64, 2)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)),
    )


def _perceptron(inputs: int, classes: int) -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Linear(inputs, 100),
        torch.nn.LeakyReLU(2.0**-7),
        torch.nn.Linear(100, classes),
    )


def _lenet5(inputs: int, classes: int) -> torch.nn.Module:
    """Pooling comes before the ReLU, which is the same and less work."""
    nn = torch.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.MaxPool2d(2), nn.ReLU()),
        *(nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()),
        nn.Linear(84, classes),
    )
