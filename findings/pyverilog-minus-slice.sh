#!/usr/bin/env bash
# pyverilog 1.3.0: parsing and printing a[7 -: 4] changes it into a[7:7-4], a bit more.
# Seen 29 November 2026, Python 3.11. Guess: code that is parsed and printed again means the same.
# What happens: the indexed part-select of 4 bits, a[7:4], is printed as the range a[7:3]; assigned
# to 4 bits it loses its top bit, and every tool takes it without a word. (Needs Icarus Verilog for
# pyverilog's preprocessor.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyverilog==1.3.0
cat > "$folder/expected" <<'END'
assign y = a[7:7-4];
END
cd "$folder"
"$folder/venv/bin/python" - > found <<'END'
from pathlib import Path

from pyverilog.ast_code_generator.codegen import ASTCodeGenerator
from pyverilog.vparser.parser import parse

source = "module m (input [7:0] a, output [3:0] y); assign y = a[7 -: 4]; endmodule"
Path("m.v").write_text(source)
tree, _ = parse(["m.v"], debug=False)
print(*[line.strip() for line in ASTCodeGenerator().visit(tree).splitlines() if "assign" in line])
END
cat found
diff expected found && echo "as it was seen"
