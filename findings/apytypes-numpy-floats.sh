#!/usr/bin/env bash
# apytypes 0.5.1: np.add of two fixed-point arrays silently gives float64, a + b does not.
# Seen 29 November 2026 with NumPy 2.4.6, Python 3.11. Guess: the same array as a + b, or a
# TypeError. What happens: the arrays have __array__ and no __array_ufunc__, so a NumPy function
# converts both to floats, and formats, rounding and overflow are gone from there on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 apytypes==0.5.1
cat > "$folder/expected" <<'END'
a + b       APyFixedArray 7
np.add(a,b) ndarray float64 [2.25, 2.0]
END
cd "$folder"
"$folder/venv/bin/python" - > found <<'END'
import apytypes
import numpy as np

a = apytypes.APyFixedArray.from_float([0.5, 0.25], int_bits=2, frac_bits=4)
b = apytypes.APyFixedArray.from_float([1.75, 1.75], int_bits=2, frac_bits=4)
print("a + b      ", type(a + b).__name__, (a + b).bits)
found = np.add(a, b)
print("np.add(a,b)", type(found).__name__, found.dtype, found.tolist())
END
cat found
diff expected found && echo "as it was seen"
