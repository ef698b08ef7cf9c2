"""
The smaller in the place of a product
=====================================

``minselect``: how unlike a product it is, by its operands.
"""

from lnsarith.cli import main

assert main('check minselect --arith fixed8.4 --exhaustive --plot work/minselect.png'.split()) == 0
