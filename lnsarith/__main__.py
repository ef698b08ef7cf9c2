"""python -m lnsarith: the same as the lnsarith command."""

import sys

try:
    from lnsarith.cli import main

    code = main()
except KeyboardInterrupt:
    code = 130
sys.exit(code)
