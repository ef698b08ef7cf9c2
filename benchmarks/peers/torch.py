"""PyTorch: float32 training of the same network."""

from __future__ import annotations

import time

import numpy as np
import torch

__all__ = ["Training"]

torch.set_num_threads(1)


class Training:
    """A multilayer perceptron with one hidden layer and plain SGD."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, batch: int):
        torch.manual_seed(0)
        self.x = _values(images)
        self.y = torch.from_numpy(labels)
        self.batch = batch
        self.model = torch.nn.Sequential(
            torch.nn.Linear(images.shape[1], 100),
            torch.nn.LeakyReLU(2.0**-7),
            torch.nn.Linear(100, int(labels.max()) + 1),
        )
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
            found = self.model(_values(images)).argmax(dim=1).numpy()
        return float((found == labels).mean())


def _values(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images.astype(np.float32) / np.float32(255))
