"""Peak memory of `lnsarith train --dataset mnist --recipe icassp2020 --epochs 1 --json`.

The operating system tells it of the whole process: the first run compiles its
kernels, the second finds them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.common.child import run
from benchmarks.common.options import make_parser
from benchmarks.common.rows import Mark, Results, say

LIMIT = Mark("<", 450)

COLUMNS = {
    "row": "what",
    "peak_mb": "peak MB:.0f",
    "mark": "mark",
    "reached": "reached",
    "seconds": "s:.1f",
    "test_accuracy": "test:.2%",
}


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table and return the exit code."""
    options = make_parser("memory", __doc__).parse_args(argv)
    results = Results("memory", options.results, judge=options.dataset == "mnist")
    train = ["-m", "lnsarith", "train", "--dataset", options.dataset, "--epochs", "1",
             "--recipe", "icassp2020"]
    train += ["--json", *(["--data-dir", options.data_dir] if options.data_dir else [])]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first", "second"):
            say(f"  {name} run ...")
            out = ["--out", str(Path(folder, name))]
            child = run([*train, *out], Path(folder, "kernels"))
            row = {
                "row": f"train {options.dataset}, 1 epoch: {name} run",
                "peak_mb": child.peak_mb,
                "seconds": child.seconds,
                "test_accuracy": json.loads(child.stdout)["test_accuracy"],
            }
            results.add(row, child.peak_mb, LIMIT)
    return results.finish(COLUMNS)


if __name__ == "__main__":
    sys.exit(main())
