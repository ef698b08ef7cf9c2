#!/usr/bin/env bash
# pyverilog reads the indexed part select `a[7-:4]` (bits 7 to 4) and prints it as `a[7:7-4]`, which
# is five bits, 7 to 3. What is printed compiles, and answers other words.
# Wrong guess: parse and print keep the meaning of what the parser accepts.
# Seen 2026-11-29: pyverilog 1.3.0, Icarus Verilog 11.0 (its preprocessor, and to run both texts).
set -euo pipefail
shopt -s inherit_errexit
command -v iverilog > /dev/null || { echo "needs iverilog"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q pyverilog==1.3.0
cd "$work"
cat > m.v <<'EOF'
module m(a, y);
  input [7:0] a;
  output [7:0] y;
  assign y = a[7-:4];
endmodule
EOF
cat > shown.v <<'EOF'
module shown;
  wire [7:0] y;
  m m(8'b11010111, y);
  initial #1 $display("y = %0d", y);
endmodule
EOF
env/bin/python - <<'EOF'
from pyverilog.ast_code_generator.codegen import ASTCodeGenerator
from pyverilog.vparser.parser import parse
tree, _ = parse(["m.v"])
open("printed.v", "w").write(ASTCodeGenerator().visit(tree))
EOF
got=$(
  for file in m printed; do
    grep "assign y" $file.v
    iverilog -o $file.out $file.v shown.v && vvp $file.out
  done
)
echo "$got"
wanted=$(cat <<'EOF'
  assign y = a[7-:4];
y = 13
  assign y = a[7:7-4];
y = 26
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
