"""A design as a folder: modules, file list, FuseSoC core, golden vectors, test bench."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from lnsarith.host.files.reading import BadFile, read_json
from lnsarith.host.files.schema import table, text
from lnsarith.host.files.whole import write_folder_whole
from verilog.design.cfu_tables import cfu_tables
from verilog.design.design import Design, Words
from verilog.design.testbench import testbench
from verilog.emit.header import version
from verilog.emit.lower import width_of

__all__ = ["KIND", "MARK", "folder_files", "is_ours", "write_package"]

MARK = "manifest.json"
KIND = "lnsarith rtl 1"


def write_package(design: Design, folder: str | Path, vectors: int = 1000,
                  seed: int = 0) -> list[str]:
    """Write a design into a folder; return the names of its files.

    The folder appears whole or not at all. One that this function wrote before is
    replaced; FileExistsError for any other that is not empty.
    """
    folder = Path(os.path.abspath(folder))
    if folder.exists() and not is_ours(folder):
        if not folder.is_dir() or any(folder.iterdir()):
            raise FileExistsError(17, "exists and is no folder of generated Verilog; "
                                      "choose another with --out", str(folder))
    files = folder_files(design, vectors, seed)
    write_folder_whole(folder, files)
    return list(files)


def is_ours(folder: Path) -> bool:
    """Whether a folder holds the manifest of generated Verilog."""
    own = table({"name": text(), "circuit": text()}, {"kind": text(KIND)}, open_ended=True)
    try:
        return bool(read_json(folder / MARK, own))
    except (OSError, BadFile):
        return False


def folder_files(design: Design, vectors: int, seed: int) -> dict[str, str]:
    """Return the text of every file of the folder, by name."""
    words = design.stimulus(vectors, seed)
    answers = design.model(words)
    sources = [f"{m.name}.v" for m in design.modules]
    golden = {**_golden(words, design, "i"), **_golden(answers, design, "o")}
    counts = {"given": _count(words), "answered": _count(answers)}
    manifest = {"kind": KIND, "name": design.name, "summary": design.summary,
                "settings": dict(design.settings), "clocked": design.clocked,
                "latency": design.latency, "circuit": design.circuit.digest, "sources": sources,
                "ports": [{"name": p.name, "width": p.width,
                           "direction": "output" if p.output else "input", "format": p.meaning}
                          for p in design.top.ports],
                "golden": {**counts, "seed": seed, "files": list(golden)}, "lnsarith": version()}
    return {**design.files, "files.f": "".join(f"{s}\n" for s in sources),
            f"{design.name}.core": _core(design, sources, list(golden)), **golden,
            f"tb_{design.name}.v": testbench(design, counts["given"], counts["answered"]),
            **design.texts, "README.md": _readme(design, manifest),
            MARK: json.dumps(manifest, indent=2) + "\n"}


def _count(words: Words) -> int:
    return len(next(iter(words.values())))


def _golden(words: Words, design: Design, prefix: str) -> dict[str, str]:
    """Return one hex file a port, as $readmemh takes them."""
    texts = {}
    for port, column in words.items():
        span = (design.inputs if prefix == "i" else design.outputs)[port]
        elements, bits = design.lanes.get(port, (1, width_of(*span)))
        digits = (elements * bits + 3) // 4
        rows = np.asarray(column).reshape(len(column), -1).tolist()
        values = (_packed(row, bits) for row in rows)
        texts[f"golden_{prefix}_{port}.hex"] = "".join(f"{x:0{digits}x}\n" for x in values)
    return texts


def _packed(row: list[int], bits: int) -> int:
    mask = (1 << bits) - 1
    return sum((word & mask) << (k * bits) for k, word in enumerate(row))


def _core(design: Design, sources: list[str], golden: list[str]) -> str:
    """Return the FuseSoC description (CAPI2)."""
    memories = [name for m in design.modules for name in m.files]

    def listed(names, suffix=""):
        return "".join(f"      - {n}{suffix}\n" for n in names)

    copies = "".join(f"      - {n}: {{file_type: user, copyto: {n}}}\n" for n in golden)
    roms = "".join(f"      - {n}: {{file_type: user, copyto: {n}}}\n" for n in memories)
    return (f"CAPI=2:\nname: lnsarith:rtl:{design.name}:{version()}\n"
            f"description: {json.dumps(design.summary)}\n\nfilesets:\n"
            f"  rtl:\n    files:\n{listed(sources)}{roms}    file_type: verilogSource\n"
            f"  tb:\n    files:\n{listed([f'tb_{design.name}.v'])}{copies}"
            "    file_type: verilogSource\n\ntargets:\n"
            f"  default: &default\n    filesets: [rtl]\n    toplevel: {design.name}\n"
            "  lint:\n    <<: *default\n    default_tool: verilator\n    tools:\n"
            "      verilator:\n        mode: lint-only\n        verilator_options: [-Wall]\n"
            "  sim:\n    <<: *default\n    filesets: [rtl, tb]\n    default_tool: icarus\n"
            f"    toplevel: tb_{design.name}\n")


def _readme(design: Design, manifest: dict) -> str:
    ports = "| port | direction | bits | format |\n|---|---|---|---|\n" + "\n".join(
        f"| `{p['name']}` | {p['direction']} | {p['width']} | {p['format']} |"
        for p in manifest["ports"])
    if design.commands:
        ports = cfu_tables(design)
    settings = ", ".join(f"{k} {value}" for k, value in design.settings.items())
    timing = {0: "Combinational.", None: "One word a cycle; answers come in order."}.get(
        design.latency, f"{design.latency} cycles from input to output, one word a cycle.")
    return (f"# {design.name}\n\n{design.summary}; {settings}. {timing}\n\n"
            f"{ports}\n\n"
            "`files.f` lists the sources, `golden_*.hex` hold "
            f"{manifest['golden']['given']} words and their answers from the compiled kernel "
            "(corners first, then random). Compare them:\n\n"
            f"    iverilog -g2001 -o tb.vvp -f files.f tb_{design.name}.v && vvp -N tb.vvp\n\n"
            "It prints PASS and ends with 0, or names the first words that differ. The same "
            f"through FuseSoC: `fusesoc run --target=sim {design.name}`.\n")
