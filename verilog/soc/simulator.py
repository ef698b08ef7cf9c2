"""The system as a program: VexRiscv with memory, console and counter, and a module Cfu.

The system takes g++ longer than any unit and never changes: it is compiled once and kept. A
unit is a model of its own, joined to it at its ten ports.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fxp.compile.machine import kept
from verilog import tools
from verilog.simulate.runtime import FLAGS, digest, include_folder, runtime

__all__ = ["SOURCES", "Hang", "Simulator", "build_simulator", "processor"]

SOURCES = Path(__file__).parent / "sources"
VERILATE = ["--cc", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--no-timing",
            "--output-split", "0", "-Wno-fatal", "-Wno-lint"]
TOLD = re.compile(r"pc (\S+) cmd_valid (\d) cmd_ready (\d) rsp_valid (\d) rsp_ready (\d) "
                  r"function (\d+) due (-?\d+)")


class Hang(ValueError):
    """A program that did not end; the message says where it was and what it waited for."""


@dataclass(frozen=True)
class Simulator:
    """A compiled system, which runs programs."""

    path: Path

    def run(self, program: Path, most_cycles: int) -> tuple[int, str]:
        """Return the status of a program (words in hexadecimal, one a line) and what it wrote.

        Hang after so many cycles; ToolError where the simulator itself fails.
        """
        found = subprocess.run([str(self.path), f"+program={program}", str(most_cycles)],
                               capture_output=True, text=True, cwd=self.path.parent)
        if found.returncode == 3 and (told := TOLD.search(found.stderr)):
            raise Hang(_hang(told, most_cycles))
        if found.returncode < 0 or found.stderr.strip():
            tail = " | ".join(found.stderr.split("\n"))[-300:]
            raise tools.ToolError(f"the simulation ended with {found.returncode}: {tail}")
        return found.returncode, found.stdout


def _hang(told: re.Match, cycles: int) -> str:
    valid, ready, answered, wanted = (told[k] == "1" for k in range(2, 6))
    function = int(told[6])
    command = f"funct3 {function & 7} funct7 {function >> 3}"
    if valid and not ready:
        pending = f"the unit does not take a command ({command}): cmd_valid 1, cmd_ready 0"
    elif int(told[7]) > 0:
        pending = (f"the unit has not answered a command that it took: rsp_valid "
                   f"{int(answered)}, rsp_ready {int(wanted)}")
    else:
        pending = "no command waits and no answer is due"
    return (f"the program did not end within {cycles:,} cycles: last program counter {told[1]}; "
            f"{pending}")


def processor() -> Path:
    """Return the Verilog of the processor; ToolMissing where it is not installed."""
    spec = importlib.util.find_spec("pythondata_cpu_vexriscv")
    for root in (spec.submodule_search_locations or []) if spec else []:
        path = Path(root) / "verilog" / "VexRiscv_FullCfu.v"
        if path.exists():
            return path
    raise tools.ToolMissing("the processor is not installed: pip install 'lnsarith[rtl]' (the "
                            "wheel pythondata-cpu-vexriscv)")


def build_simulator(unit: Mapping[str, str], top: str, folder: Path) -> Simulator:
    """Return the system with the custom function unit `top` of these Verilog files, by name,
    made in a folder that must outlive its use. ToolMissing, or ToolError for a unit that
    Verilator or g++ refuses."""
    compiler = tools.program("g++")
    program, environment = tools.verilator()
    include = include_folder(program, environment.get("VERILATOR_ROOT", ""))
    (folder / "unit").mkdir()
    for name, text in unit.items():
        (folder / "unit" / name).write_text(text)
    sources = [f"unit/{name}" for name in unit if name.endswith(".v")]
    tools.run([program, *VERILATE, "--top-module", top, "--prefix", "Vcfu", "-Mdir", "cfu",
               *sources], cwd=folder, env=environment)
    generated = sorted(p.name for p in (folder / "cfu").glob("*.cpp"))
    (folder / "unit.cc").write_text("".join(f'#include "cfu/{name}"\n' for name in generated)
                                    + f'#include "{SOURCES / "main.cpp"}"\n')
    objects = {**_system(compiler, include, folder), **runtime(compiler, include)}
    for name, data in objects.items():
        (folder / name).write_bytes(data)
    tools.run([compiler, *FLAGS, "-Icfu", "-I.", f"-I{include}", f"-I{include / 'vltstd'}", "-o",
               "run", "unit.cc", *(n for n in objects if n.endswith(".o")), "-lpthread"],
              cwd=folder)
    return Simulator(folder / "run")


def _system(compiler: str, include: Path, folder: Path) -> dict[str, bytes]:
    """Return the system's object and its header, compiled where they are not kept."""
    cpu, soc = processor(), SOURCES / "soc.v"
    sha = hashlib.sha256(digest(compiler, include).encode() + repr(VERILATE).encode())
    for path in (cpu, soc):
        sha.update(path.read_bytes())
    names = {"soc.o": f"soc_{sha.hexdigest()[:16]}.o", "Vsoc.h": f"soc_{sha.hexdigest()[:16]}.h"}
    found = {name: kept.read(entry) for name, entry in names.items()}
    whole = {name: data for name, data in found.items() if data is not None}
    if len(whole) < len(names):
        whole = _compiled_system(compiler, include, folder, [str(soc), str(cpu)])
        for name, entry in names.items():
            kept.write(entry, whole[name])
    return whole


def _compiled_system(compiler: str, include: Path, folder: Path, sources: list[str]
                     ) -> dict[str, bytes]:
    program, environment = tools.verilator()
    tools.run([program, *VERILATE, "--top-module", "soc", "--prefix", "Vsoc", "-Mdir", "soc",
               *sources], cwd=folder, env=environment)
    generated = sorted(p.name for p in (folder / "soc").glob("*.cpp"))
    (folder / "soc.cc").write_text("".join(f'#include "soc/{name}"\n' for name in generated))
    tools.run([compiler, *FLAGS, "-Isoc", f"-I{include}", f"-I{include / 'vltstd'}", "-c",
               "soc.cc", "-o", "soc.o"], cwd=folder)
    return {"soc.o": (folder / "soc.o").read_bytes(),
            "Vsoc.h": (folder / "soc" / "Vsoc.h").read_bytes()}
