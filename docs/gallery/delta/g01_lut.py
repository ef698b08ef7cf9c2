"""
The 20-entry table
==================

Where the table of the ICASSP 2020 paper errs: each step of half an octave is flat.
"""

from lnsarith.cli import main

assert main('check add --arith lns12 --samples 20000 --plot work/lut.png'.split()) == 0
