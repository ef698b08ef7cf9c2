#!/usr/bin/env bash
# numfi says that it runs on Python 3.6 and later, pip installs it on 3.11, and its import is a
# SyntaxError there: an f-string of the newest release is written as only 3.12 and later read it.
# Guess: `requires-python` was tried with the oldest version that it admits.
# Seen 29 November 2026: numfi 0.5.0, Python 3.11.
set -euo pipefail
shopt -s inherit_errexit
command -v python3.11 > /dev/null || { echo "needs python3.11"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check numfi==0.5.0
got=$("$work/env/bin/python" - <<'EOF'
import importlib.metadata

print("requires", importlib.metadata.metadata("numfi")["Requires-Python"])
try:
    import numfi
    print("imported", numfi.__name__)
except SyntaxError as error:
    print("SyntaxError")
EOF
)
echo "$got"
wanted=$(cat <<'EOF'
requires >=3.6
SyntaxError
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
