"""Circuits as functions of C99, compiled: for this machine, and for the simulated RISC-V."""

import ctypes
from pathlib import Path

import numpy as np

from lnsarith.host.files.whole import scratch
from verilog import tools
from verilog.c99.function import c_file, c_function
from verilog.c99.values import plain
from verilog.soc.firmware import build_program
from verilog.soc.labs import NOTHING
from verilog.soc.simulator import build_simulator

STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-O1"]
ANY = "int64_t"


def compiled(circuits, folder, change=lambda text: text):
    """Return functions of words by port, by name: all compiled strictly, changed by `change`."""
    names = [f"{name}.c" for name in circuits]
    for name, circuit in circuits.items():
        (folder / f"{name}.c").write_text(change(c_file(name, circuit, "a test", {})))
    (folder / "loops.c").write_text("#include <stdint.h>\n" + "".join(
        _loop(name, circuit) for name, circuit in circuits.items()))
    tools.run([tools.program("gcc"), *STRICT, "-fPIC", "-shared", *names, "loops.c", "-o",
               "all.so"], cwd=folder)
    library = ctypes.CDLL(str(folder / "all.so"))
    return {name: _bound(getattr(library, f"run_{name}"), circuit)
            for name, circuit in circuits.items()}


def _kind(node):
    return "int32_t" if -(1 << 31) <= node.low and node.high < 1 << 31 else ANY


def _loop(name, circuit):
    (out,) = circuit.outputs.values()
    kinds = [_kind(n) for n in circuit.inputs.values()]
    arguments = ", ".join(f"({kind})words[{i}][k]" for i, kind in enumerate(kinds))
    return (f"{_kind(out)} {name}({', '.join(kinds)});\n"
            f"void run_{name}(int64_t count, const int64_t **words, int64_t *out);\n"
            f"void run_{name}(int64_t count, const int64_t **words, int64_t *out) {{\n"
            f"    for (int64_t k = 0; k < count; k++) out[k] = {name}({arguments});\n}}\n")


def _bound(function, circuit):
    def run(words):
        columns = [np.ascontiguousarray(words[k], np.int64) for k in circuit.inputs]
        out = np.empty(columns[0].size, np.int64)
        pointers = (ctypes.c_void_p * len(columns))(*(c.ctypes.data for c in columns))
        function(ctypes.c_int64(out.size), pointers, ctypes.c_void_p(out.ctypes.data))
        return out

    return run


def on_riscv(circuits, words, expected):
    """Return the names of circuits of which a word is wrong on the RISC-V."""
    parts = ["#include <stdint.h>\n#include \"system.h\"\n"]
    calls = []
    for name, circuit in circuits.items():
        parts.append(c_function(name, circuit, "static"))
        columns = [*(words[name][k] for k in circuit.inputs), expected[name]]
        rows = ",\n".join("{" + ", ".join(f"INT64_C({w})" for w in row) + "}"
                          for row in zip(*(c.tolist() for c in columns)))
        count = len(columns)
        parts.append(f"static const int64_t words_{name}[][{count}] = {{\n{rows}\n}};\n")
        given = ", ".join(f"({_kind(n)})w[{i}]" for i, n in enumerate(circuit.inputs.values()))
        calls.append(f"    for (int k = 0; k < {len(columns[0])}; k++) {{\n"
                     f"        const int64_t *w = words_{name}[k];\n"
                     f"        if ({name}({given}) != w[{count - 1}]) {{\n"
                     f"            put_text(\"{name}\\n\");\n            break;\n"
                     "        }\n    }\n")
    parts.append("int main(void) {\n" + "".join(calls) + '    put_text("end\\n");\n'
                 "    return 0;\n}\n")
    assert all(plain(k) for c in circuits.values() for k in c.inputs)
    with scratch() as name:
        folder = Path(name)
        program = build_program({"words.c": "\n".join(parts)}, ["system.c"], folder)
        status, said = build_simulator({"Cfu.v": NOTHING}, "Cfu", folder).run(program, 50_000_000)
    *wrong, end = said.split()
    assert (status, end) == (0, "end")
    return wrong
