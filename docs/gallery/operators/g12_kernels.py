"""
A sum of logistic kernels
=========================

Two kernels fitted by least squares.
"""

from lnsarith.cli import main

assert main('spindle fit --function eq2 --kernels 2 --plot work/kernels.png'.split()) == 0
