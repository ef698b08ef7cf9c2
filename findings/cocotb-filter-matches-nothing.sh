#!/usr/bin/env bash
# cocotb's Python runner says nothing when no test ran. With a `test_filter` that matches no test,
# and with a test that fails, `runner.test()` returns as it does after a success: called from a
# script it looks at no result. The XML file tells: 0 tests, or 1 failure.
# Guess: a failed or an empty simulation raises, or is seen in the exit status.
# Seen 29 November 2026: cocotb 2.1.0, Icarus Verilog 11.0.
set -euo pipefail
shopt -s inherit_errexit
command -v iverilog > /dev/null || { echo "needs iverilog"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check cocotb==2.1.0
cd "$work"
cat > m.v <<'EOF'
module m(input wire i_a, output wire o_y);
  assign o_y = i_a;
endmodule
EOF
cat > bench.py <<'EOF'
import cocotb
from cocotb.triggers import Timer


@cocotb.test()
async def fails(dut):
    dut.i_a.value = 0
    await Timer(1)
    assert dut.o_y.value == 1
EOF
cat > go.py <<'EOF'
import sys
from cocotb_tools.runner import get_results, get_runner

runner = get_runner("icarus")
runner.build(sources=["m.v"], hdl_toplevel="m", build_dir="build")
found = runner.test(test_module="bench", hdl_toplevel="m", build_dir="build",
                    results_xml="r.xml", test_filter=sys.argv[1])
print("returned; (tests, failures) =", get_results(found), file=sys.stderr)
EOF
got=$(
  for filter in fails nosuchtest; do
    status=0
    PATH="$work/env/bin:$PATH" env/bin/python go.py $filter 2> told > log || status=$?
    echo "$filter: exit $status, $(tail -n 1 told)"
  done
)
echo "$got"
wanted=$(cat <<'EOF'
fails: exit 0, returned; (tests, failures) = (1, 1)
nosuchtest: exit 0, returned; (tests, failures) = (0, 0)
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
