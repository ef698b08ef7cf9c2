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


def convolved(row: dict, rows: list[int], thresholds: list[int], every, planes: list[int]) -> int:
    """Return the bits of a convolution, pooled if it is, of planes of an image's bits."""
    (height, width, channels), size, step = row["shape"], row["window"], row["stride"]
    same = row["padding"] == "same"
    high, wide = ((-(-n // step) if same else (n - size) // step + 1) for n in (height, width))
    top, left = ((max(0, (m - 1) * step + size - n) // 2 if same else 0)
                 for m, n in ((high, height), (wide, width)))
    bits = {}
    for i in range(high):
        for j in range(wide):
            patches = [0] * len(planes)
            places = ((y, x, c) for y in range(size) for x in range(size) for c in range(channels))
            for place, (y, x, c) in enumerate(places):
                y, x = i * step + y - top, j * step + x - left
                if 0 <= y < height and 0 <= x < width:  # zeros around the image
                    at = (y * width + x) * channels + c
                    patches = [p | (plane >> at & 1) << place for p, plane in zip(patches, planes)]
            depth = size * size * channels
            for k, (weights, threshold) in enumerate(zip(rows, thresholds)):
                count = sum(equal_bits(p, weights, depth) << (len(planes) - 1 - n)
                            for n, p in enumerate(patches))
                bits[i, j, k] = count >= threshold
    if every is not None:
        side = row["pool"]
        high, wide, single = high // side, wide // side, bits
        inside = [(y, x) for y in range(side) for x in range(side)]
        bits = {(i, j, k): (all if every[k] else any)(
            single[i * side + y, j * side + x, k] for y, x in inside)
            for i in range(high) for j in range(wide) for k in range(len(rows))}
    return sum(bits[place] << n for n, place in enumerate(sorted(bits)))


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

    def every(self, row: dict) -> list[int]:
        """Return which units of a pooled layer need every bit of a window."""
        return self.numbers(self.folder / row["every"])

    def predict(self, pixels: list[int]) -> tuple[list[int], int]:
        """Return the last layer's counts and the class of one image."""
        planes = pixel_bits(pixels, self.manifest["input"]["threshold"])
        for row, rows, own in self.layers:
            if "window" in row:
                every = self.every(row) if "pool" in row else None
                planes = [convolved(row, rows, own, every, planes)]
                continue
            counts = [sum(equal_bits(plane, weights, row["inputs"]) << (len(planes) - 1 - k)
                          for k, plane in enumerate(planes)) for weights in rows]
            if "thresholds" in row:
                planes = [sum((c >= t) << i for i, (c, t) in enumerate(zip(counts, own)))]
        scores = [(c << row["fraction"]) + b for c, b in zip(counts, own)]
        return counts, scores.index(max(scores))
