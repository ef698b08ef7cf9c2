#!/usr/bin/env bash
# Sums of products of two words of 16 bits, in LLVM's language. The intrinsic that is named after
# vpmaddwd, with an addition behind it, is that instruction and vpaddd on a processor without VNNI,
# and on one with it a single vpdpwssd, which nobody asked for. The same sums written out, as words
# taken apart by shuffles, extended, multiplied and added, are neither, but 14 instructions on both.
# Who counts a kernel's instructions counts those of one processor, and who leaves the idiom to the
# compiler has seven times as many or more.
# Guess: an intrinsic is its instruction, and the idiom is recognised.
# Seen 30 November 2026: llvmlite 0.50.0 (LLVM 22.1), for Skylake-X, Cascade Lake and Zen 4.
set -euo pipefail
shopt -s inherit_errexit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check llvmlite==0.50.0
got=$("$work/env/bin/python" - <<'EOF'
import re

import llvmlite.binding as llvm

llvm.initialize_native_target()
llvm.initialize_native_asmprinter()
TRIPLE = "x86_64-unknown-linux-gnu"
WORDS, SUMS = "<32 x i16>", "<16 x i32>"
HEAD = f"define {SUMS} @f({SUMS} %s, {WORDS} %a, {WORDS} %b) {{\n"


def named() -> str:
    madd = f"{SUMS} @llvm.x86.avx512.pmaddw.d.512({WORDS}"
    return (f"declare {madd}, {WORDS})\n{HEAD}%p = call {madd} %a, {WORDS} %b)\n"
            f"%r = add {SUMS} %s, %p\nret {SUMS} %r\n}}")


def written_out() -> str:
    lines, total = [], "%s"
    for k in (0, 1):
        mask = ", ".join(f"i32 {i}" for i in range(k, 32, 2))
        for v in "ab":
            lines += [f"%{v}{k} = shufflevector {WORDS} %{v}, {WORDS} %{v}, <16 x i32> <{mask}>",
                      f"%{v}w{k} = sext <16 x i16> %{v}{k} to {SUMS}"]
        lines += [f"%p{k} = mul {SUMS} %aw{k}, %bw{k}", f"%t{k} = add {SUMS} {total}, %p{k}"]
        total = f"%t{k}"
    return HEAD + "\n".join([*lines, f"ret {SUMS} {total}", "}"])


for way in (named, written_out):
    for cpu in ("skylake-avx512", "cascadelake", "znver4"):
        module = llvm.parse_assembly(f'target triple = "{TRIPLE}"\n{way()}')
        machine = llvm.Target.from_triple(TRIPLE).create_target_machine(cpu=cpu, opt=3)
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        llvm.create_pass_builder(machine, options).getModulePassManager().run(
            module, llvm.create_pass_builder(machine, options))
        found = re.findall(r"^\s+(v\w+)", machine.emit_assembly(module), re.M)
        print(way.__name__, cpu, len(found), *sorted(set(found)))
EOF
)
echo "$got"
wanted=$(cat <<'EOF'
named skylake-avx512 2 vpaddd vpmaddwd
named cascadelake 1 vpdpwssd
named znver4 1 vpdpwssd
written_out skylake-avx512 14 vpaddd vpmovdw vpmovsxwd vpmulld vpsrld
written_out cascadelake 14 vpaddd vpmovdw vpmovsxwd vpmulld vpsrld
written_out znver4 14 vpaddd vpmovdw vpmovsxwd vpmulld vpsrld
EOF
)
[ "$got" = "$wanted" ] || { echo "this has changed"; exit 1; }
