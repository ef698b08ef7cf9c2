"""Binary networks in plain integers, fractions and text; imports nothing of the project."""

import json
from fractions import Fraction


def equal_bits(x: int, y: int, bits: int) -> int:
    """Return how many of the lowest bits agree."""
    return sum((x >> i) & 1 == (y >> i) & 1 for i in range(bits))


def fires(gamma, beta, mean, deviation, total) -> bool:
    """Whether the batch norm of a sum is not negative, in exact fractions."""
    gamma, beta, mean, deviation = map(Fraction, (gamma, beta, mean, deviation))
    return gamma * (total - mean) / deviation + beta >= 0


def pixel_bits(pixels: list[int], threshold) -> list[int]:
    """Return planes of bits as numbers, bit i for pixel i, the most significant first."""
    def number(bits):
        return sum(int(bit) << i for i, bit in enumerate(bits))

    if threshold is not None:
        return [number(p > threshold for p in pixels)]
    return [number((p >> plane) & 1 for p in pixels) for plane in range(7, -1, -1)]


class Exported:
    """A network read from the texts of its folder, line by line."""

    def __init__(self, folder):
        self.folder = folder
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.layers = []
        for row in self.manifest["layers"]:
            rows = self.numbers(folder / row["rows"])
            own = self.numbers(folder / row.get("thresholds", row.get("biases")))
            if "biases" in row:
                half = 1 << (row["bias_bits"] - 1)
                own = [b - 2 * half if b >= half else b for b in own]
            self.layers.append((row, rows, own))

    @staticmethod
    def numbers(path):
        return [int(line, 16) for line in path.read_text().split()]

    def predict(self, pixels: list[int]) -> tuple[list[int], int]:
        """Return the last layer's counts and the class of one image."""
        planes = pixel_bits(pixels, self.manifest["input"]["threshold"])
        for row, rows, own in self.layers:
            counts = [sum(equal_bits(plane, weights, row["inputs"]) << (len(planes) - 1 - k)
                          for k, plane in enumerate(planes)) for weights in rows]
            if "thresholds" in row:
                planes = [sum((c >= t) << i for i, (c, t) in enumerate(zip(counts, own)))]
        scores = [(c << row["fraction"]) + b for c, b in zip(counts, own)]
        return counts, scores.index(max(scores))
