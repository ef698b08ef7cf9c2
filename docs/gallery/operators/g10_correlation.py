"""
How like a product
==================

Correlations of stand-ins for a product, over operands of several laws.
"""

from lnsarith.cli import main

assert main('check minselect --correlation --plot work/correlation.png'.split()) == 0
