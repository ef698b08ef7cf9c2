"""Verilator's headers are compiled once for a process that builds several designs."""

import os

from verilog import tools
from verilog.simulate import runtime


def test_the_third_design_of_a_process_reads_compiled_headers(tmp_path, monkeypatch):
    compiler = tools.program("g++")
    program, environment = tools.verilator()
    include = runtime.include_folder(program, environment.get("VERILATOR_ROOT", ""))
    flags = [*runtime.FLAGS, "-DOF_A_TEST"]
    options = [runtime.headers(compiler, include, flags) for _ in range(4)]
    assert "-include" not in options[0] + options[1] and options[2] == options[3]
    (tmp_path / "design.cc").write_text('#include "verilated.h"\nVerilatedContext context;\n')

    def read(of):
        """Return the headers that g++ says it reads, a mark before each: ! for compiled ones."""
        return tools.run([compiler, *flags, *of, "-H", "-c", "design.cc", "-o", os.devnull],
                         cwd=tmp_path)

    assert "! " in read(options[2]) and "! " not in read(options[0])
