"""
Subtraction
===========

The same table in ``lns-sub``: equal signs cancel now.
"""

from lnsarith.cli import main

assert main('check lns-sub --arith lns12 --samples 20000 --plot work/sub.png'.split()) == 0
