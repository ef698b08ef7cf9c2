"""
A sigmoid of shifted ReLUs
==========================

The fewest units with gains of powers of two within an error of 0.01.
"""

from lnsarith.cli import main

assert main('spindle fit --function logistic --error 0.01 --plot work/sigmoid.png'.split()) == 0
