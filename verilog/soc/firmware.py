"""Firmware: C compiled for the processor of the system, as words for its memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from verilog import tools
from verilog.soc.simulator import SOURCES

__all__ = ["FLAGS", "build_program"]

CROSS = "riscv64-unknown-elf-"
FLAGS = ["-march=rv32im", "-mabi=ilp32", "-O2", "-std=gnu99", "-ffreestanding", "-Wall", "-Wextra",
         "-fno-tree-loop-distribute-patterns"]
SYSTEM = ["-march=rv32im_zicsr", "-mabi=ilp32"]  # of the assembler, which wants csrw named


def build_program(texts: Mapping[str, str], sources: Sequence[str], folder: Path,
                  flags: Sequence[str] = ()) -> Path:
    """Return the program of the system's own sources and of texts, C or headers, by name: a
    file of hexadecimal words. sources names those of `verilog/soc/sources` that belong to it.

    ToolMissing without the compiler, ToolError for what it refuses.
    """
    gcc, objcopy = tools.program(f"{CROSS}gcc"), tools.program(f"{CROSS}objcopy")
    for name, text in texts.items():
        (folder / name).write_text(text)
    files = [*(str(SOURCES / s) for s in sources), *(t for t in texts if t.endswith(".c"))]
    tools.run([gcc, *SYSTEM, "-c", str(SOURCES / "start.S"), "-o", "start.o"], cwd=folder)
    tools.run([gcc, *FLAGS, *flags, "-I.", f"-I{SOURCES}", "-nostdlib", "-static",
               "-Wl,--no-warn-rwx-segments", "-T", str(SOURCES / "link.ld"), "start.o", *files,
               "-lgcc", "-o", "program.elf"], cwd=folder)
    tools.run([objcopy, "-O", "binary", "program.elf", "program.bin"], cwd=folder)
    data = (folder / "program.bin").read_bytes()
    data += bytes(-len(data) % 4)
    words = memoryview(data).cast("I")
    path = folder / "program.hex"
    path.write_text("".join(f"{word:08x}\n" for word in words))
    return path
