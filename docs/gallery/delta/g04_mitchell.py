"""
Mitchell-style shifts
=====================

``mitchell``, known from the xlns library: small errors in one direction.
"""

from lnsarith.cli import main

assert main("check add --arith lns12 --delta mitchell --samples 20000 --plot "
            "work/mitchell.png".split()) == 0
