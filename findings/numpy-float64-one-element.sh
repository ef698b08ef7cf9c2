#!/usr/bin/env bash
# np.float64 of an array with one element is a number without dimensions, where np.float32 and
# np.float16 of it are arrays of its shape; of two elements all of them are arrays. So a dtype's name
# as a conversion loses a (1, 1) shape in one precision alone. `astype` keeps it.
# Guess: np.float64(a) and np.float32(a) treat shapes alike.
# Seen 29 November 2026: numpy 2.2.6 (2.4.6 gives an array for float64 too).
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check numpy==2.2.6
got=$("$work/env/bin/python" -W ignore::DeprecationWarning - <<'EOF'
import numpy as np

for source in (np.float16, np.float32):
    for size in (1, 2):
        a = np.zeros((1, size), source)
        print(f"{source.__name__} {a.shape}:",
              *(f"{to.__name__} {np.shape(to(a))}" for to in (np.float32, np.float64)))
EOF
)
echo "$got"
wanted=$(cat <<'EOF'
float16 (1, 1): float32 (1, 1) float64 ()
float16 (1, 2): float32 (1, 2) float64 (1, 2)
float32 (1, 1): float32 (1, 1) float64 ()
float32 (1, 2): float32 (1, 2) float64 (1, 2)
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
