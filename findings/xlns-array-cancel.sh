#!/usr/bin/env bash
# xlns 1.0.5: x - x is exact zero for scalars, and is not for arrays.
# Seen 29 November 2026 with NumPy 2.4.6, Python 3.11. Guess: both cancel, as the library says that
# an xlnsnp array is the array form of an xlns number. What happens: the array takes equal
# magnitudes of opposite sign through the logarithm of the difference, where the limit that stands
# for log 0 leaves a rest that grows with the number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 xlns==1.0.5
cat > "$folder/expected" <<'END'
scalar 5.0 0
scalar 1000000.0 0
array 5.0 -0.0034
array 1000000.0 -676.6865
END
cd "$folder"
"$folder/venv/bin/python" - > found <<'END'
import xlns as xl

xl.xlnssetF(10)
for value in (5.0, 1e6):
    x = xl.xlns(value)
    print("scalar", value, x - x)
array = xl.xlnsnp([5.0, 1e6])
for value, rest in zip((5.0, 1e6), (array - array).xlns()):
    print("array", value, f"{float(rest):.4f}")
END
cat found
diff expected found && echo "as it was seen"
