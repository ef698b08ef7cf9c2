"""lnsarith predict: what a trained network sees in image files."""

from __future__ import annotations

import json
import warnings
from argparse import ArgumentParser, Namespace
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lnsarith.commands.common.options import add_computing, add_own
from lnsarith.commands.networks.eval.answer import class_names
from lnsarith.commands.networks.eval.imported import add_words
from lnsarith.commands.networks.eval.opened import opened
from lnsarith.host.files.reading import BadFile, open_plain

__all__ = ["options", "prepare", "read_image", "run"]

# The share of a side that a data set's drawings fill, where it is not MNIST's.
FILLED = {"digits": 1.0, "fashion-mnist": 1.0, "mnist": 20 / 28}
EMNIST = 24 / 28
MOST_PIXELS, MOST_BYTES = 1 << 24, 1 << 28  # of an image
BAR = 30


class ImageError(ValueError):
    """A file that holds no image to look at."""


def options(parser: ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("run_folder", metavar="RUN", help="a folder of train, prune, quantize or "
                        "import")
    parser.add_argument("images", metavar="IMAGE", nargs="*",
                        help="any image file; one that cannot be read is named on stderr, the "
                        "others are answered, and the exit code is 2")
    parser.add_argument(
        "--invert",
        choices=("auto", "yes", "no"),
        default="auto",
        help="networks see light on dark; auto inverts an image with a bright border",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_own(parser)
    add_words(parser)
    add_computing(parser)


def run(args: Namespace) -> int:
    """Print each image's class and the three likeliest ones; 2 if any file holds none.

    Such files are named on stderr, and the others answered.
    """
    from lnsarith.commands.networks.train.epochs import say

    if bool(args.images) == bool(args.data):
        raise ValueError("give images or --data, one of the two")
    if args.data:
        from lnsarith.commands.networks.eval.rows import run_rows

        return run_rows(args)
    values, refused = _read(args.images)
    rows: list[dict] = []
    names: list[str] = []
    folder = None
    if values:
        folder, dataset, data, logits = opened(args)
        names, shape = class_names(dataset, data["classes"]), tuple(data["shape"])
        for name in filter(values.__contains__, args.images):
            try:
                pixels = (read_colours(Path(name), shape) if len(shape) == 3
                          else prepare(values[name], shape, args.invert, dataset, name))
            except ImageError as error:
                refused[name] = str(error)
                continue
            shares = _probabilities(logits(pixels.reshape(1, -1))[0])
            best = int(shares.argmax())
            row = {"image": name, "class": best, "name": names[best]}
            rows.append({**row, "probabilities": shares.tolist()})
    if args.json and rows:
        print(json.dumps({"run": str(folder), "predictions": rows, "refused": refused}))
    elif rows:
        print("\n".join(line for row in rows for line in _lines(row, names)))
    for why in refused.values():
        say(f"lnsarith: {why}")
    return 2 if refused else 0


def _read(images: list[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the grey values of every file that holds an image, and of the others why
    there are none, by name."""
    values, refused = {}, {}
    for name in dict.fromkeys(images):
        try:
            values[name] = read_image(Path(name))
        except ImageError as error:
            refused[name] = str(error)
        except OSError as error:
            refused[name] = f"{name}: {error.strerror or error}"
    return values, refused


def read_image(path: Path) -> np.ndarray:
    """Return the grey values of an image file, float64; transparent is white."""
    from PIL import UnidentifiedImageError

    try:
        with _opened_image(path) as image:
            values = _grey(image)
    except (FileNotFoundError, PermissionError, IsADirectoryError, ImageError, BadFile):
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"{path} cannot be read as an image: its content is of no kind that "
                         "is known, such as PNG or JPEG") from error
    except Exception as error:  # Pillow raises a dozen kinds for damaged files
        raise ImageError(f"{path} cannot be read as an image: {error}") from error
    if not values.size:
        raise ImageError(f"{path} is an image without pixels")
    if not np.isfinite(values).all():
        raise ImageError(f"{path} holds values that are not finite numbers")
    return values


def read_colours(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """Return the middle of an image as uint8 of a shape: height, width, 3."""
    from PIL import Image, ImageOps

    with _opened_image(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        fitted = ImageOps.fit(upright, (shape[1], shape[0]), Image.Resampling.BILINEAR)
        return np.asarray(fitted, np.uint8)


@contextmanager
def _opened_image(path: Path):
    """Give an image of which no more than the header is read yet; ImageError for a large one."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit here is lower
        with open_plain(path, MOST_BYTES) as stream, Image.open(stream) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ImageError(f"{path} has {image.width} x {image.height} pixels, more than "
                                 f"the {MOST_PIXELS:,} that are read; scale it down")
            yield image


def _grey(image) -> np.ndarray:
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;"):
        return np.asarray(image, np.float64)
    white = Image.new("RGBA", image.size, "white")
    flat = Image.alpha_composite(white, image.convert("RGBA")).convert("L")
    return np.asarray(flat, np.float64)


def prepare(
    grey: np.ndarray, shape: tuple[int, int], invert: str, dataset: str, name: str
) -> np.ndarray:
    """Return uint8 pixels as the data set has them: light on dark, scaled, centred.

    An image of just the right size keeps its places.
    """
    low, high = grey.min(), grey.max()
    if low == high:
        raise ImageError(f"{name} shows nothing: all its pixels are alike")
    ink = (grey - low) / (high - low)
    border = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
    if invert == "yes" or (invert == "auto" and np.median(border) > 0.5):
        ink = 1 - ink
        border = 1 - border
    if ink.shape == shape:
        return np.rint(255 * ink).astype(np.uint8)
    paper = float(np.median(border))
    ink = np.clip((ink - paper) / max(1 - paper, 1e-9), 0, 1)
    ink[ink < _threshold(ink) / 2] = 0  # paper is not quite even
    return _fitted(ink, shape, FILLED.get(dataset, EMNIST), dataset == "mnist")


def _threshold(ink: np.ndarray) -> float:
    """Return what best parts ink from paper (Otsu, 1979)."""
    counts, edges = np.histogram(ink, 256, (0, 1))
    below = np.cumsum(counts)[:-1]
    sums = np.cumsum(counts * (edges[:-1] + edges[1:]) / 2)
    above = counts.sum() - below
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = sums[:-1] / below - (sums[-1] - sums[:-1]) / above
    return float(edges[1 + np.argmax(np.nan_to_num(below * above * distance**2))])


def _fitted(
    ink: np.ndarray, shape: tuple[int, int], filled: float, by_mass: bool
) -> np.ndarray:
    """Return what is drawn, scaled to fill a share of shape, in its middle."""
    from PIL import Image

    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    drawn = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = filled * min(shape[0] / drawn.shape[0], shape[1] / drawn.shape[1])
    height, width = (max(1, round(n * scale)) for n in drawn.shape)
    image = Image.fromarray(np.rint(255 * drawn).astype(np.uint8))
    resized = image.resize((width, height), Image.Resampling.BILINEAR)
    small = np.asarray(resized, np.float64)
    small = np.rint(small * (255 / small.max()))
    top, left = (
        _start(small.sum(axis=1 - i), shape[i], by_mass) for i in range(small.ndim)
    )
    result = np.zeros(shape, np.uint8)
    result[top : top + height, left : left + width] = small
    return result


def _start(mass: np.ndarray, room: int, by_mass: bool) -> int:
    """Return where to put a row of masses so that its centre is the room's."""
    middle = (
        mass @ np.arange(mass.size) / mass.sum() if by_mass else (mass.size - 1) / 2
    )
    return min(max(0, round((room - 1) / 2 - middle)), room - mass.size)


def _probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the shares of the classes, computed from the logits' values in float64."""
    if not np.isfinite(logits).all():
        raise ValueError("the network gives no finite numbers: its training diverged")
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def _lines(row: dict, names: list[str]) -> list[str]:
    shares = np.array(row["probabilities"])
    top = np.argsort(-shares, kind="stable")[:3]
    width = max(len(names[i]) for i in top)
    lines = [f"{row['image']}: {row['name']}"]
    for i in top:
        bar = "#" * round(BAR * shares[i])
        lines.append(f"  {names[i]:>{width}} {shares[i]:7.2%} {bar}".rstrip())
    return lines
