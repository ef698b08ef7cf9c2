"""lnsarith spindle sample: numbers or words with a fitted distribution."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

__all__ = ["options", "run"]

SUFFIXES = (".npy", ".csv", ".txt")
MOST = 10_000_000


def options(parser: ArgumentParser) -> None:
    """Add the options of the action."""
    parser.add_argument("function", metavar="NAME|FILE", help="what spindle fit --function takes, "
                        "such as the .json that its --out wrote; it must climb")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="(default 1000)")
    parser.add_argument("--format", metavar="F", help="write words of this fixed-point format, "
                        "rounded to nearest and saturated, instead of real numbers")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(default 0)")
    parser.add_argument("--out", required=True, metavar="FILE", help=", ".join(SUFFIXES))
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: Namespace) -> int:
    """Draw by the inverse transform, write args.out, and print what was drawn. Raises
    FormatError or OSError for what cannot be."""
    import numpy as np

    from fxp.format import Fixed, FormatError, check_integer
    from lnsarith.host.files import whole as files
    from lnsarith.spindle.sample import draw
    from lnsarith.spindle.samples import read_source

    suffix = Path(args.out).suffix.lower()
    if suffix not in SUFFIXES:
        raise FormatError(f"samples are written as {', '.join(SUFFIXES)}, got {args.out!r}")
    files.require_writable(args.out)
    count = check_integer("count", args.count, 1, MOST)
    rng = np.random.default_rng(check_integer("seed", args.seed, 0, (1 << 32) - 1))
    f = Fixed.parse(args.format) if args.format else None
    target = read_source(args.function).target
    found = draw(target, count, rng, target.low, target.high)
    if f is not None:
        found = np.clip(np.rint(np.ldexp(found, f.frac)), f.low, f.high).astype(np.int64)
    files.write_whole(args.out, lambda part: _write(part, found, suffix))
    result = {"function": target.name, "count": count, "seed": args.seed,
              "format": str(f) if f else None, "mean": float(found.mean()),
              "deviation": float(found.std()), "out": args.out}
    what = f"words of {f}" if f else "numbers"
    print(json.dumps(result) if args.json else
          f"{count:,} {what} with the distribution {target.name}: mean {result['mean']:.4g}, "
          f"deviation {result['deviation']:.4g}\nwritten to {args.out}")
    return 0


def _write(path: Path, found, suffix: str) -> None:
    import numpy as np

    if suffix != ".npy":
        path.write_text("".join(f"{v!r}\n" for v in found.tolist()), "utf-8")
        return
    with open(path, "wb") as stream:
        np.save(stream, found)
