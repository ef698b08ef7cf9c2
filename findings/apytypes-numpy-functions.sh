#!/usr/bin/env bash
# NumPy's functions take arrays of apytypes and give float64: np.add of two fixed-point arrays is not
# a fixed-point array, and a value that the format cannot hold comes out as if it could. The method
# and the operator keep the format. numpy.add neither refuses nor warns.
# Wrong guess: a library with its own array type answers np.add in its own type, or raises.
# Seen 2026-11-29: apytypes 0.5.1, numpy 2.4.6.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q apytypes==0.5.1 numpy==2.4.6
got=$("$work/env/bin/python" - <<'EOF'
import apytypes
import numpy as np

x = apytypes.APyFixedArray.from_float([0.75, -0.25], int_bits=1, frac_bits=3)
for name, y in (("x + x", x + x), ("np.add(x, x)", np.add(x, x)), ("np.sqrt(abs)", np.sqrt(abs(x)))):
    print(f"{name}: {type(y).__name__}", getattr(y, "dtype", ""))
EOF
)
echo "$got"
wanted=$(cat <<'EOF'
x + x: APyFixedArray 
np.add(x, x): ndarray float64
np.sqrt(abs): ndarray float64
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
