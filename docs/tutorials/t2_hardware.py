"""
2. From a MAC to a systolic array to a chip of one layer
========================================================

The spec that trained the network also prints the hardware. This tutorial goes from one
multiply-accumulate to an array that computes a trained layer, word for word, to a chip that is
given pixels and answers with classes, and looks at the waves. It needs ``pip install
'lnsarith[rtl]'``, Icarus Verilog, ``g++`` and ``make``; the labs at the end a compiler for RISC-V
(``lnsarith doctor`` tells).
"""

import shlex
import shutil
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
# A chip of one layer
# -------------------
# A network without hidden layers is one layer: 64 pixels, ten sums, the largest of them.
# ``rtl net`` makes a chip of it, memories and all, here with five lanes and two registers in the
# loop of a sum. Its 355 test images run through Verilator; every logit has to be the engine's word.

lnsarith("train --dataset digits --arith lns9.4 --update stochastic --epochs 6 --hidden none "
         "--out work/one --no-plot --threads 1")
lnsarith("rtl net work/one --parallel 5 --pipeline 2 --simulate 355")

# %%
# With ``--waves`` it is drawn with an image: pixels come by valid and ready, the layer runs,
# logits and class come out.

lnsarith("rtl net work/one --parallel 5 --pipeline 2 --waves --out work/chip")

# %%
# Beside a processor
# ------------------
# The :doc:`labs </labs/index>` put such units at the custom instruction of a RISC-V: plain C, one
# multiply-accumulate, a systolic array. Every word of every layer is compared with the engine.

if all(map(shutil.which, ("riscv64-unknown-elf-gcc", "g++", "make", "perl"))):
    lnsarith("lab run 0 1 3 --images 1 --no-cost --plot work/cycles.png")
else:
    print("The labs' compilers are not here: this part is left out")

# %%
# What it costs
# -------------

lnsarith("rtl synth lns-mac --arith lns9.4 --flow plain")
lnsarith("rtl synth fixed-mac --arith fixed9.4 --flow plain")
