#!/usr/bin/env bash
# In xlns the sum of x and -x is zero for a number and is not for an array of the same number: at 10
# fraction bits the array [5] minus itself is about -0.0034, and [10^6] minus itself about -677. The
# array form puts Delta- at distance 0 at a finite floor; the scalar form tests for the case.
# Wrong guess: x - x = 0, and one number alone answers as it does in an array.
# Seen 2026-11-29: xlns 1.0.5, numpy 2.4.6.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q xlns==1.0.5 numpy==2.4.6
got=$("$work/env/bin/python" - <<'EOF'
import xlns

xlns.xlnssetF(10)
for value in (5.0, 1e6):
    one, array = xlns.xlns(value), xlns.xlnsnp([value])
    print(f"{value:g}: scalar {float(one - one):.4f}, array {(array - array)[0]}")
EOF
)
echo "$got"
wanted=$(cat <<'EOF'
5: scalar 0.0000, array -0.0033840550430108726
1e+06: scalar 0.0000, array -676.6864781331496
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
