"""
3. How an arithmetic unit is judged
===================================

Errors against real numbers, a proof on all inputs, gates, and a figure for a paper.
"""

import csv
import json
import shlex
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

from lnsarith.cli import main


def lnsarith(line):
    """Run a command as the shell would, without its progress."""
    print("$ lnsarith", line)
    with redirect_stderr(StringIO()) as progress:
        assert main(shlex.split(line)) == 0, progress.getvalue()


# %%
# Errors
# ------
# All 65,536 pairs of an 8-bit format against real arithmetic. ULP is a unit of the log's
# last place.

lnsarith("check add --arith lns8.3 --delta exact --exhaustive")

# %%
# ``exact`` errs by half a unit at most. The twenty-entry table does not:

lnsarith("check add --arith lns8.3 --exhaustive --plot work/table.png")

# %%
# One number for each method, from the JSON that every command prints:

print(f"{'method':10}{'largest':>9}{'RMS':>9}{'bias':>9}  ULP")
for delta in ("exact", "interp", "pwl", "balanced", "mitchell", "lut", "bitshift"):
    said = StringIO()
    with redirect_stdout(said):
        main(shlex.split(f"check add --arith lns8.3 --delta {delta} --exhaustive --json"))
    found = json.loads(said.getvalue())
    print(f"{delta:10}{found['max_ulp']:9.3f}{found['rms_ulp']:9.3f}{found['bias_ulp']:+9.3f}")

# %%
# What single sums do not show is what happens in long ones: see :doc:`/explanation/sums`.
#
# Proofs
# ------
# A solver looks for any input on which the Verilog, as Yosys reads it, is not the circuit, a node
# leaves its range, or a law breaks. Each proof has to catch a mutant first.

lnsarith("rtl prove lns-add --arith lns8.3")

# %%
# Gates
# -----

lnsarith("rtl synth lns-add --arith lns8.3 --flow plain")
lnsarith("rtl synth lns-add --arith lns8.3 --delta balanced --flow plain")

# %%
# A figure for a paper
# --------------------
# The width of a column, without a title, as PDF with its fonts; the numbers beside it.

lnsarith("check add --arith lns8.3 --delta balanced --exhaustive --plot work/error.pdf "
         "--figure-size 183x90mm --no-title --csv work/error.csv")
with open("work/error.csv") as stream:
    rows = list(csv.reader(stream))
print(*rows[:4], f"... {len(rows)} lines", sep="\n")
