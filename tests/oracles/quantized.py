"""Integer networks in plain integers, fractions and text; imports nothing of the project."""

import json
import math
from fractions import Fraction


def nearest(value: Fraction) -> int:
    """Return the nearest integer, the greater of two."""
    return math.floor(value + Fraction(1, 2))


def signed(words, bits):
    return [w - (1 << bits) if w >> (bits - 1) else w for w in words]


class Exported:
    """A network read from the texts of its folder, run number by number."""

    def __init__(self, folder):
        self.folder = folder
        self.manifest = json.loads((folder / "manifest.json").read_text())

    def words(self, name, bits=0):
        words = [int(line, 16) for line in (self.folder / name).read_text().split()]
        return signed(words, bits) if bits else words

    def answers(self, pixels: list[int]) -> list[list[int]]:
        """Return the words after each layer for one image."""
        entry = self.manifest["input"]
        table = self.words(entry["table"], entry["bits"])
        found = [[table[p] for p in pixels]]
        for row in self.manifest["layers"]:
            found.append(self.layer(row, found[-1]))
        return found[1:]

    def layer(self, row, x):
        if row["kind"] == "dense":
            return self.products(row, [list(enumerate(x))])
        image = Image(row["window"], x)
        if row["kind"] == "conv":
            return self.products(row, image.windows())
        least, out = row.get("least", []), []
        for window in image.windows():
            for c in range(image.channels):
                numbers = [v for k, v in window if k % image.channels == c]
                if row["kind"] == "max-pool":
                    out.append(min(numbers) if c in least else max(numbers))
                else:
                    zero = row["inputs"]["zero"]
                    out.append(self.rescaled(row, 0, sum(v - zero for v in numbers)))
        return out

    def products(self, row, windows):
        depth, channels = row["depth"], row["channels"]
        weights = self.words(row["weights"], row["weight_bits"])
        biases, zero = self.words(row["biases"], 32), row["inputs"]["zero"]
        out = []
        for window in windows:
            for c in range(channels):
                total = biases[c]
                for k, v in window:
                    total += weights[c * depth + k] * (v - zero)
                    assert -(1 << 31) <= total < 1 << 31
                out.append(self.rescaled(row, c, total))
        return out

    def rescaled(self, row, channel, total):
        name = "negatives" if total < 0 else "multipliers"
        factor = Fraction(self.words(row[name])[channel],
                          1 << self.words(row["shifts"])[channel])
        out = row["outputs"]
        return max(out["low"], min(out["high"], out["zero"] + nearest(total * factor)))


class Image:
    """Numbers by row, column, channel, under windows; what lies outside is left out."""

    def __init__(self, window, numbers):
        (self.height, self.width, self.channels), self.numbers = window["shape"], numbers
        self.size, self.stride = window["size"], window["stride"]
        self.same = window["padding"] == "same"

    def along(self, side):
        """Return first places of windows along a side."""
        if not self.same:
            return range(0, side - self.size + 1, self.stride)
        count = -(-side // self.stride)
        first = -(max(0, (count - 1) * self.stride + self.size - side) // 2)
        return range(first, first + count * self.stride, self.stride)

    def windows(self):
        """Return of each window the places in it and their numbers."""
        found = []
        for top in self.along(self.height):
            for left in self.along(self.width):
                found.append([(place, value) for place, value in self.window(top, left)])
        return found

    def window(self, top, left):
        for i in range(self.size):
            for j in range(self.size):
                for c in range(self.channels):
                    y, x = top + i, left + j
                    if 0 <= y < self.height and 0 <= x < self.width:
                        place = (i * self.size + j) * self.channels + c
                        yield place, self.numbers[(y * self.width + x) * self.channels + c]
