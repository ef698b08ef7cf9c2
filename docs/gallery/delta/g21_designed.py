"""
Cells found by a search
=======================

Twenty-four cells for D+ and D- together, with the least error of long sums.
"""

from lnsarith.cli import main

assert main("design delta --bits 12 --entries 24 --out work/cells.json --plot "
            "work/cells.png --csv work/cells.csv".split()) == 0
