"""
A table with interpolation
==========================

``interp:r=1/4``: lines between entries a quarter of an octave apart.
"""

from lnsarith.cli import main

assert main("check add --arith lns16 --delta interp:r=1/4 --samples 20000 --plot "
            "work/interp.png".split()) == 0
