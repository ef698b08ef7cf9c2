#!/usr/bin/env bash
# fxpmath 0.4.10: a number given to Fxp is cut towards zero by default, not rounded to nearest.
# Seen 29 November 2026 with NumPy 2.4.6, Python 3.11. Guess: 0.0624 in units of 1/16 is 0.0625, as
# most quantisers round to nearest, and cutting, if any, is by floor. What happens: the default
# rounding is 'trunc', so that the error is up to a whole unit and always towards zero.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 fxpmath==0.4.10
cat > "$folder/expected" <<'END'
0.0624 0.0 trunc
-0.0624 0.0 trunc
0.99 0.9375 trunc
-0.99 -0.9375 trunc
0.0624 0.0625 around
END
cd "$folder"
"$folder/venv/bin/python" - > found <<'END'
from fxpmath import Fxp

for value in (0.0624, -0.0624, 0.99, -0.99):
    x = Fxp(value, signed=True, n_word=8, n_frac=4)
    print(value, x.get_val().item(), x.config.rounding)
print(0.0624, Fxp(0.0624, True, 8, 4, rounding="around").get_val().item(), "around")
END
cat found
diff expected found && echo "as it was seen"
