"""
2. From a MAC to a systolic array to a layer of a trained network
=================================================================

The spec that trained the network also prints the hardware. This tutorial goes from one
multiply-accumulate to an array that computes a trained layer, word for word, and looks at the
waves. It needs ``pip install 'lnsarith[rtl]'`` and Icarus Verilog.
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
# A multiply-accumulate
# ---------------------
# Combinational at first: ``acc + x * y`` in logarithms of nine bits. The Verilog has the names of
# the spec's wires.

lnsarith("rtl gen lns-mac --arith lns9.4 --out work/mac")
text = next(Path("work/mac").glob("lns_mac*.v")).read_text()
print("\n".join(text.splitlines()[:44]))

# %%
# With three registers it takes a word each cycle, with valid and ready on both sides. The
# simulation compares it with the compiled kernel at full speed, with gaps and waiting, and
# through resets; the picture shows a short run of it. A dot is a word that moves.

lnsarith("rtl sim lns-mac --arith lns9.4 --latency 3 --vectors 2000 "
         "--picture work/mac-waves.png")

# %%
# A unit with a state
# -------------------
# ``lns-mac-unit`` holds the accumulator, here with two guard bits; ``i_start`` begins a sum and
# ``i_last`` ends it.

lnsarith("rtl sim lns-mac-unit --arith lns9.4 --option guard=2 --vectors 600 "
         "--picture work/unit-waves.png")

# %%
# An array of them
# ----------------
# Two rows and three columns, output-stationary: the sums stay, activations go right and weights go
# down.

lnsarith("rtl sim lns-systolic --arith lns9.4 --option rows=2 --option columns=3 --vectors 300 "
         "--picture work/array-waves.png")

# %%
# A layer of a trained network
# ----------------------------
# The array gets the words of a trained layer, and its answers must be those of the engine that
# trained it.

lnsarith("train --dataset digits --arith lns9.4 --update stochastic --epochs 6 --hidden 20 "
         "--out work/run --no-plot --threads 1")
lnsarith("rtl sim lns-systolic --run work/run --layer 1 --images 4 "
         "--option rows=2 --option columns=5")

# %%
# What it costs
# -------------

lnsarith("rtl synth lns-mac --arith lns9.4 --flow plain")
lnsarith("rtl synth fixed-mac --arith fixed9.4 --flow plain")
