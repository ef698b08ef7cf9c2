"""
A pipelined adder in waves
==========================

Words move where valid and ready meet; the value of each word stands below it.
"""

from lnsarith.cli import main

assert main("rtl sim lns-add --arith lns9.4 --latency 2 --vectors 60 --picture "
            "work/waves.png".split()) == 0
