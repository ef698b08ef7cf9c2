"""
A systolic array in waves
=========================

Two by two, weight-stationary.
"""

from lnsarith.cli import main

assert main("rtl sim lns-systolic --arith lns8.3 --option rows=2 --option "
            "columns=2 --option stationary=weight --vectors 60 --picture "
            "work/array.png".split()) == 0
