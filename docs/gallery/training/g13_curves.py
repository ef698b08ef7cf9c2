"""
Curves of a training
====================

Every run draws its loss and accuracies.
"""

from lnsarith.cli import main

assert main("train --dataset digits --arith lns12 --delta balanced --epochs 15 "
            "--threads 1 --out work/run".split()) == 0
