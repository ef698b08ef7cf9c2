#!/usr/bin/env bash
# A bench of plain triggers and asserts, with the rewriting of its asserts switched off
# (COCOTB_REWRITE_ASSERTION_FILES empty). The simulator's Python loads pytest all the same, for the
# exceptions that tests may end with, and its rewriter too, which is imported before the variable is
# looked at: more modules than cocotb itself has, in every simulation.
# Guess: what the variable switches off is not loaded, and pytest is needed by benches that import it.
# Seen 30 November 2026: cocotb 2.1.0, pytest 9.2.0, Icarus Verilog 11.0.
set -euo pipefail
shopt -s inherit_errexit
command -v iverilog > /dev/null || { echo "needs iverilog"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check cocotb==2.1.0 pytest==9.2.0
cd "$work"
cat > m.v <<'EOF2'
module m(input wire i_a, output wire o_y);
  assign o_y = i_a;
endmodule
EOF2
cat > bench.py <<'EOF2'
import sys

import cocotb
from cocotb.triggers import Timer


@cocotb.test()
async def loaded(dut):
    await Timer(1)
    count = {top: sum(name.split(".")[0] in names for name in sys.modules)
             for top, names in (("pytest", ("pytest", "_pytest", "pluggy")),
                                ("cocotb", ("cocotb", "pygpi", "cocotb_tools")))}
    with open("told", "w") as file:
        print("pytest loaded:", "pytest" in sys.modules, file=file)
        print("its rewriter loaded:", "_pytest.assertion.rewrite" in sys.modules, file=file)
        print("more modules than cocotb's:", count["pytest"] > count["cocotb"], file=file)
EOF2
cat > go.py <<'EOF2'
from cocotb_tools.runner import get_runner

runner = get_runner("icarus")
runner.build(sources=["m.v"], hdl_toplevel="m", build_dir="build")
runner.test(test_module="bench", hdl_toplevel="m", build_dir="build", test_dir=".",
            extra_env={"COCOTB_REWRITE_ASSERTION_FILES": ""})
EOF2
PATH="$work/env/bin:$PATH" env/bin/python go.py > log 2>&1
got=$(cat told)
echo "$got"
wanted=$(cat <<'EOF2'
pytest loaded: True
its rewriter loaded: True
more modules than cocotb's: True
EOF2
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
