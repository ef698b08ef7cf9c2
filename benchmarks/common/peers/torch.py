"""PyTorch: float32 training of the same networks."""

from __future__ import annotations

import time

import numpy as np
import torch

__all__ = ["Training"]

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
