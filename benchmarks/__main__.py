"""python -m benchmarks: the quick ones, one after the other."""

from __future__ import annotations

import argparse
import subprocess
import sys

from benchmarks.common.machine import ROOT
from benchmarks.common.options import add_results
from benchmarks.common.rows import say

QUICK = ("startup", "memory", "speed", "hardware.rtl", "fits")


def main(argv: list[str] | None = None) -> int:
    """Run each script in a process of its own; 1 if one missed a mark or failed."""
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("--data-dir", metavar="DIR", help="folder of the data sets")
    add_results(parser)
    options = parser.parse_args(argv)
    given = ["--data-dir", options.data_dir] if options.data_dir else []
    given += ["--results", str(options.results)] if options.results else []
    code = 0
    for name in QUICK:
        say(f"== {name}")
        command = [sys.executable, "-m", f"benchmarks.{name}", *given]
        code |= subprocess.run(command, cwd=ROOT, check=False).returncode != 0
        print(flush=True)
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
