#!/usr/bin/env bash
# A shift by the word's length or more. NumPy defines it: everything leaves, so 0, or -1 for a negative
# word shifted right. The same line inside @njit is LLVM's shift, which leaves it open: on x86-64 an
# int64 shifted by 64 comes back as it was, and of int32 words the operator and np.right_shift differ
# among themselves, since the operator works in 64 bits. An alignment shift by a far exponent, which is
# how fixed-point and logarithmic sums lose a small operand, adds the whole operand instead.
# Guess: @njit gives NumPy's words for the same integers.
# Seen 29 November 2026: numba 0.68.1, numpy 2.4.6, x86-64.
set -euo pipefail
shopt -s inherit_errexit
[ "$(uname -m)" = x86_64 ] || { echo "seen on x86-64 alone"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check numba==0.68.1 numpy==2.4.6
got=$("$work/env/bin/python" - <<'EOF'
import numba
import numpy as np


def operator(words, by):
    return words >> by


def function(words, by):
    return np.right_shift(words, by)


for words, by in ((np.array([-5, 5]), np.int64(64)),
                  (np.array([-5, 5], np.int32), np.int32(32))):
    for name, call in (("numpy", lambda f: f), ("numba", numba.njit)):
        print(f"{name}: {words.dtype} by {by}: operator {call(operator)(words, by).tolist()},",
              f"np.right_shift {call(function)(words, by).tolist()}")
EOF
)
echo "$got"
wanted=$(cat <<'EOF'
numpy: int64 by 64: operator [-1, 0], np.right_shift [-1, 0]
numba: int64 by 64: operator [-5, 5], np.right_shift [-5, 5]
numpy: int32 by 32: operator [-1, 0], np.right_shift [-1, 0]
numba: int32 by 32: operator [-1, 0], np.right_shift [-5, 5]
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
