"""
1. The paper's point, and a method that beats its shifts
========================================================

Sanyal, Beerel and Chugg (ICASSP 2020) train a perceptron in logarithms: products become additions,
and sums take a table of twenty entries, or shifts. This tutorial trains it bit by bit, sees what
the shifts cost, and beats them with a method of one's own.

Each ``lnsarith("...")`` is the command of that name: type it in a shell without the quotes.
"""

import shlex
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

from lnsarith.cli import main


def lnsarith(line):
    """Run a command as the shell would, without its progress."""
    print("$ lnsarith", line)
    with redirect_stderr(StringIO()) as progress:
        assert main(shlex.split(line)) == 0, progress.getvalue()


# %%
# Logarithms train
# ----------------
# The embedded digits take a few seconds. A word has 12 bits; each product and each sum, forward,
# backward and in the update, is a word of that format.

lnsarith("train --dataset digits --arith lns12 --delta lut --out work/table --threads 1")

# %%
# The published shifts do not need the table: :math:`D^+` is 1 shifted right by the distance of the
# logs, :math:`D^-` is -1.5 shifted. Taken bit by bit they cost several points.

lnsarith("train --dataset digits --arith lns12 --delta bitshift --no-plot --out work/shifts "
         "--threads 1")

# %%
# Why? Over a long sum of terms of mean zero the accumulator is multiplied by :math:`2^{D^+}` and
# :math:`2^{D^-}` in turn. Their mean should be one. For the shifts it is not:

for d in (0.5, 1.0, 2.0, 3.0):
    i = int(d)
    print(f"d = {d}: {(2 ** (2.0**-i) + 2 ** (-1.5 * 2.0**-i)) / 2:.3f}")

# %%
# A method of one's own
# ---------------------
# ``lnsarith new delta halving`` writes a plugin, its oracle and a test. It takes
# :math:`2^{-d}` as Mitchell did, :math:`t = (1 - f/2)/2^i` for :math:`d = i + f`, and
# :math:`D^+ = t`, :math:`D^- = -(t + u)` with :math:`u` the same of :math:`2d`: still no table and
# no multiplier, but nearly unbiased.

lnsarith("new delta halving --out work")
print(Path("work/halving.py").read_text().split('"""\n', 1)[1])

# %%

lnsarith("train --dataset digits --arith lns12 --delta halving --plugin work/halving.py "
         "--no-plot --out work/own --threads 1")

# %%
# The picture shows what it does to both functions, and where it errs.

lnsarith("check add --plugin work/halving.py --delta halving --arith lns12 --samples 100000 "
         "--plot work/halving.png")

# %%
# On MNIST
# --------
# With the files of MNIST at hand the same is done with them, three epochs each: set
# ``LNSARITH_DATA`` or run ``lnsarith data get mnist``. Twenty epochs and three seeds are on the
# page :doc:`measured </made/measured>`: 97.18 % for the table, 93.69 % for the shifts, at 16 bits.

from nets.data.sets import catalogue  # noqa: E402

if next(row for row in catalogue() if row["name"] == "mnist")["found"]:
    for delta in ("bitshift", "halving"):
        lnsarith(f"train --dataset mnist --arith lns16 --delta {delta} --epochs 3 --no-plot "
                 f"--plugin work/halving.py --out work/mnist-{delta}")
else:
    print("MNIST is not here: this part is left out")
