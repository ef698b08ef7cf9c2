"""Checks of a printed design: Verilog-2001, lint, and the ports as printed.

Three independent readers: Icarus Verilog with -g2001, Verilator with -Wall (every
warning counts), and pyverilog's parser, whose ports and widths must be those that
the catalogue gives.
"""

from __future__ import annotations

import subprocess
from functools import lru_cache
from pathlib import Path

from lnsarith.host.files.whole import scratch
from verilog import tools
from verilog.design.design import Design
from verilog.emit.module import Module

__all__ = ["lint", "parsed_ports", "write_files"]


def lint(design: Design) -> list[str]:
    """Return what the readers complain of, nothing for a clean design.

    Raises ToolMissing where a reader is not installed.
    """
    with scratch() as folder:
        sources = write_files(design, Path(folder))
        found = _complaints("iverilog -g2001", *_icarus(sources, design.name, folder))
        found += _complaints("verilator -Wall", *_verilator(sources, design.name, folder))
    for module in design.modules:
        found += _ports_differ(module)
    return found


def write_files(design: Design, folder: Path) -> list[str]:
    """Write every file of a design into a folder; return the names of its modules' files."""
    for name, text in design.files.items():
        (folder / name).write_text(text)
    return [f"{m.name}.v" for m in design.modules]


def parsed_ports(text: str) -> tuple[str, dict[str, tuple[str, int]]]:
    """Return the name of a module and its ports, as pyverilog reads them:
    direction and width by name."""
    from pyverilog.vparser import ast

    parser = _parser()
    parser.lexer.lexer.lineno = 1
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("`"))
    module = next(d for d in parser.parse(plain).description.definitions
                  if isinstance(d, ast.ModuleDef))
    ports = {}
    for port in module.portlist.ports:
        first = port.first
        width = 1
        if first.width is not None:
            width = int(first.width.msb.value) - int(first.width.lsb.value) + 1
        ports[first.name] = (type(first).__name__.lower(), width)
    return module.name, ports


@lru_cache(maxsize=1)
def _parser():
    """Return pyverilog's parser; its tables take most of a second to make, and it
    writes them into a folder that nobody reads."""
    from pyverilog.vparser.parser import VerilogParser

    with scratch() as folder:
        return VerilogParser(outputdir=folder, debug=False)


def _ports_differ(module: Module) -> list[str]:
    expected = {p.name: ("output" if p.output else "input", p.width) for p in module.ports}
    name, found = parsed_ports(module.text)
    if name == module.name and found == expected:
        return []
    return [f"parse-back: {module.name} has ports {expected}, read as {name} with {found}"]


def _icarus(sources: list[str], top: str, folder: str) -> tuple[int, str]:
    return _run([tools.program("iverilog"), "-g2001", "-Wall", "-s", top, "-o", "out.vvp",
                 *sources], folder)


def _verilator(sources: list[str], top: str, folder: str) -> tuple[int, str]:
    program, environment = tools.verilator()
    return _run([program, "--lint-only", "-Wall", "--top-module", top, *sources],
                folder, environment)


def _run(command: list[str], folder: str, environment=None) -> tuple[int, str]:
    done = subprocess.run(command, cwd=folder, env=environment, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def _complaints(reader: str, code: int, text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("- ")]
    if code or lines:
        return [f"{reader}: {' | '.join(lines) or f'ended with {code}'}"]
    return []
