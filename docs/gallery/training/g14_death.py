"""
Update death
============

Fixed point with updates to nearest: the weights stop.
"""

from lnsarith.cli import main

assert main("train --dataset digits --arith fixed12 --update nearest --epochs 8 "
            "--threads 1 --out work/run".split()) == 0
