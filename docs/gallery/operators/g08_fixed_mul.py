"""
A fixed-point product
=====================

Rounded to nearest even: errors are within half a unit, and saturation is cut out.
"""

from lnsarith.cli import main

assert main('check fixed-mul --arith fixed8.3 --exhaustive --plot work/mul.png'.split()) == 0
