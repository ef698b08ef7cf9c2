#!/usr/bin/env bash
# A function of integers that @njit(cache=True) took from its cache on disk. Its machine code is whole, yet
# before it is looked for, Numba loads everything that it can compile: SciPy's linear algebra where SciPy is
# installed, typed dictionaries and lists, random generators. That takes longer than to import Numba
# (0.7 against 0.5 s of a processor where it was seen), in every process that calls one kept function.
# Guess: kept machine code is read and called, as a shared library is, and what compiles stays unloaded.
# Seen 30 November 2026: numba 0.68.1, numpy 2.4.6, scipy 1.17.1, Python 3.11.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check numba==0.68.1 numpy==2.4.6 scipy==1.17.1
cat > "$work/kept.py" <<'EOF2'
import sys

import numba

MODULES = ("scipy.linalg", "numba.typed.typeddict", "numba.np.random.generator_core")
before = set(sys.modules)


@numba.njit("int64(int64)", cache=True)
def double(x):
    return 2 * x


print(f"from the cache {sum(double.stats.cache_hits.values())}, answer {double(21)}, loaded for it:",
      *(name for name in MODULES if name in sys.modules and name not in before))
EOF2
export NUMBA_CACHE_DIR="$work/cache"
got=$(for run in first second; do echo "$run: $("$work/env/bin/python" "$work/kept.py")"; done)
echo "$got"
wanted=$(cat <<'EOF2'
first: from the cache 0, answer 42, loaded for it: scipy.linalg numba.typed.typeddict numba.np.random.generator_core
second: from the cache 1, answer 42, loaded for it: scipy.linalg numba.typed.typeddict numba.np.random.generator_core
EOF2
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
