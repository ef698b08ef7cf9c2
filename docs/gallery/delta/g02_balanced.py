"""
Shifts without bias
===================

The method ``balanced``: Mitchell's antilogarithm of d and 2 d, no table.
"""

from lnsarith.cli import main

assert main("check add --arith lns12 --delta balanced --samples 20000 --plot "
            "work/balanced.png".split()) == 0
