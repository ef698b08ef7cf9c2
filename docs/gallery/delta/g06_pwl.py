"""
Eight line segments
===================

``pwl:segments=8``: slopes of powers of two, each segment as long as the error allows.
"""

from lnsarith.cli import main

assert main("check add --arith lns12 --delta pwl:segments=8 --samples 20000 "
            "--plot work/pwl.png".split()) == 0
