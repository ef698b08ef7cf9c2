#!/usr/bin/env bash
# Inside @njit an int16 array clipped by plain numbers becomes an int64 array, and a uint64 scalar
# plus an int64 scalar is an int; NumPy 2 keeps int16 in the first case (a Python number adapts to the
# array) and goes to float64 in the second. A kernel's memory traffic grows fourfold without a message.
# Guess: @njit follows NumPy 2's promotion.
# Seen 29 November 2026: numba 0.68.1, numpy 2.4.6.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check numba==0.68.1 numpy==2.4.6
got=$("$work/env/bin/python" - <<'EOF'
import numba
import numpy as np


def clip(x):
    return np.minimum(np.maximum(x, -100), 100)


def add(a, b):
    return a + b


words = np.array([1, 300], np.int16)
unsigned, signed = np.uint64(1), np.int64(1)
for name, call in (("numpy", lambda f: f), ("numba", numba.njit)):
    print(f"{name}: int16 array clipped {call(clip)(words).dtype},",
          f"uint64 + int64 {type(call(add)(unsigned, signed)).__name__}")
EOF
)
echo "$got"
wanted=$(cat <<'EOF'
numpy: int16 array clipped int16, uint64 + int64 float64
numba: int16 array clipped int64, uint64 + int64 int
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
