"""
The published shifts
====================

``bitshift`` as printed, taken bit by bit.
"""

from lnsarith.cli import main

assert main("check add --arith lns12 --delta bitshift --samples 20000 --plot "
            "work/bitshift.png".split()) == 0
