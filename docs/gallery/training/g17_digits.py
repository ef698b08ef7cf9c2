"""
The embedded digits
===================

The first training images of each class.
"""

from lnsarith.cli import main

assert main('data show digits --plot work/digits.png'.split()) == 0
