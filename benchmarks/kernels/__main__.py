"""python -m benchmarks.kernels: see the package."""

from __future__ import annotations

import os
import sys
import tempfile

import benchmarks.kernels
from benchmarks.common.options import make_parser
from benchmarks.common.rows import Results, say

SIZE = (512, 784, 512)
COLUMNS = {"plan": "product", "scalars": "scalars", "rate": "MAC/s:.3g", "bits": "bits:d",
           "instructions": "per vector:.1f", "each": "a MAC:.2f", "loads": "loads:.1f",
           "spills": "spills:.1f", "share": "of limit:.0%"}


def main(argv: list[str] | None = None) -> int:
    """Measure the products of a layer, print the table and return the exit code."""
    options = _parser().parse_args(argv)
    given = {k: getattr(options, k) for k in ("arith", "delta", "guard", "update")}
    given = {k: v for k, v in given.items() if v is not None}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LNSARITH_CACHE"] = folder  # code that was kept has lost its text
        return _measure(given, options)


def _measure(given: dict, options) -> int:
    from benchmarks.kernels.layer import products
    from benchmarks.kernels.ports import additions_a_second
    from fxp.format import FormatError
    from nets.settings.settings import FLOATS
    from nets.settings.suited import settings_for

    try:
        settings = settings_for(given)
        if settings.arith in FLOATS or settings.selects or settings.binary:
            raise FormatError(f"{settings.arith} has no sums of words; lns12, fixed16, ... have")
        every = products(settings, *options.size)
    except FormatError as error:
        say(f"benchmarks.kernels: {error}")
        return 2
    results = Results("kernels", options.results)
    limit = additions_a_second()
    for product in every:
        say(f"  {product.name} ...")
        results.add(_row(product, given, options, limit))
    return results.finish(COLUMNS)


def _row(product, given: dict, options, limit: float) -> dict:
    from benchmarks.kernels.loops import step_loop, vectors_of
    from benchmarks.kernels.ports import least_seconds
    from fxp.compile.machine.target import target
    from fxp.compile.nests.products import sum_width
    from fxp.run.execute import kernel_of, shaped

    product.call()
    best = least_seconds(product.call, options.rounds)
    rows, depth, columns = options.size
    rate = rows * depth * columns / best
    plan = shaped(product.plan, rows, depth, columns)
    bits = 32 if plan.shape == "dots" else sum_width(plan, target())
    way = step_loop(kernel_of(plan).assembly())[product.above]
    vectors, lanes = vectors_of(plan, way), target().lanes(bits)
    each = way.instructions / vectors / lanes
    return {"plan": product.name, "scalars": "above 1" if product.above else "up to 1",
            **given, "rate": rate, "bits": bits, "instructions": way.instructions / vectors,
            "each": each, "loads": way.loads / vectors, "spills": way.spills / vectors,
            "share": rate * each / limit}


def _size(text: str) -> tuple[int, ...]:
    size = tuple(int(part) for part in text.split("x"))
    if len(size) != 3 or min(size) < 1:
        raise ValueError(text)
    return size


def _parser():
    parser = make_parser("kernels", benchmarks.kernels.__doc__, dataset=False)
    add = parser.add_argument
    add("--arith", default="lns16", metavar="FORMAT", help="lns12, fixed16, ... (lns16)")
    add("--delta", metavar="METHOD", help="of LNS sums (lut)")
    add("--guard", type=int, metavar="BITS", help="of LNS sums (0)")
    add("--update", choices=("nearest", "stochastic"), help="rounding of the weights' steps")
    add("--size", type=_size, default=SIZE, metavar="MxKxN",
        help="images x inputs x units (512x784x512)")
    add("--rounds", type=int, default=2, metavar="N", help="the best of ten times so many (2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
