"""
From logarithms to fixed point
==============================

A table of powers: faithful, the nearest word or its neighbour.
"""

from lnsarith.cli import main

assert main('check lns-to-fixed --arith lns12 --plot work/to-fixed.png'.split()) == 0
