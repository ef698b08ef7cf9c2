"""A core as a folder: modules, memories, file list, FuseSoC core, golden images, bench."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lnsarith.host.files.whole import new_folder
from verilog.core.axi import REGISTERS, axi_wrapper
from verilog.core.bench import core_bench
from verilog.core.inference.core import Core
from verilog.core.report import report, text
from verilog.design.package import KIND, MARK, is_ours
from verilog.emit.header import version

__all__ = ["load_words", "require_free", "write_core"]


def require_free(folder: Path) -> None:
    """Raise FileExistsError for a folder that is not empty and none of generated Verilog."""
    if folder.exists() and not is_ours(folder) and (
            not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(17, "exists and is no folder of generated Verilog; "
                                  "choose another with --out", str(folder))


def write_core(core: Core, folder: Path, about: Mapping, pixels: np.ndarray, words: np.ndarray,
               load: list[int], pictures: Mapping[str, object] | None = None) -> list[str]:
    """Write a core into a folder, whole or not at all; return the names of its files.

    pixels are golden images (uint8, a row each), words what the engine answers: of each
    image its logits' words and its class. load are the words of all weights in the order
    of the port, pictures functions of a path by file name.
    """
    folder = Path(os.path.abspath(folder))
    require_free(folder)
    files = _files(core, about, pixels, words, load, sorted(pictures or {}))
    with new_folder(folder) as fresh:
        for name, content in files.items():
            (fresh / name).write_text(content)
        for name, draw in (pictures or {}).items():
            draw(fresh / name)  # type: ignore[operator]
    return [*files, *(pictures or {})]


def load_words(core: Core, weights: list[np.ndarray]) -> list[int]:
    """Return words of layers (each steps x outputs: biases, if they take a step, then weights)
    in the order in which the port takes them; behind all, the parameters of every output,
    if there are some, lowest bits first."""
    s, found = core.schedule, []
    for each in weights:
        filled = np.pad(each, ((0, 0), (0, -each.shape[1] % s.row_words)))
        for start in range(0, filled.shape[1], s.row_words):
            found += filled[:, start : start + s.row_words].ravel().tolist()
    wide = core.ports["load"]
    mask = (1 << wide) - 1
    chunks = -(-core.parameter_bits // wide)
    found += [row >> (wide * k) for row in core.parameters for k in range(chunks)]
    return [word & mask for word in found]


def _files(core: Core, about: Mapping, pixels, words, load, pictures) -> dict[str, str]:
    wide = core.ports["answer"]
    digits = -(-(wide + 1) // 4)
    mask = (1 << wide) - 1
    marks = np.zeros(words.shape, np.int64)
    marks[:, -1] = 1 << wide
    answers = ((words & mask) | marks).ravel().tolist()
    memories = {k: t for m in core.modules for k, t in m.files.items()}
    golden = {"golden_pixels.hex": "".join(f"{p:02x}\n" for p in pixels.ravel().tolist()),
              "golden_answers.hex": "".join(f"{w:0{digits}x}\n" for w in answers)}
    wide_load = -(-core.ports["load"] // 4)
    sources = [f"{m.name}.v" for m in core.modules]
    manifest = {"kind": KIND, "name": core.name, "summary": "an inference core",
                **about, "circuit": about["model_sha256"], "sources": sources,
                "memories": sorted(memories), "pictures": pictures,
                "ports": [{"name": p.name, "width": p.width, "format": p.meaning,
                           "direction": "output" if p.output else "input"}
                          for p in core.top.ports],
                "golden": {"images": len(pixels), "files": sorted(golden)},
                "report": report(core), "lnsarith": version()}
    axi = {f"{core.name}_axi.v": axi_wrapper(core).text} if core.ports["load"] <= 32 else {}
    return {**{f"{m.name}.v": m.text for m in core.modules}, **axi, **memories, **golden,
            "load.hex": "".join(f"{w:0{wide_load}x}\n" for w in load),
            "files.f": "".join(f"{s}\n" for s in sources),
            f"{core.name}.core": _fusesoc(core, sources, memories, golden),
            f"tb_{core.name}.v": core_bench(core, len(pixels), len(load)),
            "README.md": _readme(core, about, len(pixels), pictures),
            MARK: json.dumps(manifest, indent=2) + "\n"}


def _fusesoc(core: Core, sources, memories, golden) -> str:
    """Return the FuseSoC description (CAPI2)."""
    listed = "".join(f"      - {n}\n" for n in sources)
    copies = "".join(f"      - {n}: {{file_type: user, copyto: {n}}}\n"
                     for n in (*memories, *golden))
    return (f"CAPI=2:\nname: lnsarith:rtl:{core.name}:{version()}\n"
            "description: an inference core\n\nfilesets:\n"
            f"  rtl:\n    files:\n{listed}    file_type: verilogSource\n"
            f"  tb:\n    files:\n      - tb_{core.name}.v\n{copies}"
            "    file_type: verilogSource\n\ntargets:\n"
            f"  default: &default\n    filesets: [rtl]\n    toplevel: {core.name}\n"
            "  sim:\n    <<: *default\n    filesets: [rtl, tb]\n    default_tool: icarus\n"
            f"    toplevel: tb_{core.name}\n")


def _readme(core: Core, about: Mapping, images: int, pictures) -> str:
    s = core.schedule
    ports = "\n".join(f"| `{p.name}` | {'output' if p.output else 'input'} | {p.width} | "
                      f"{p.meaning} |" for p in core.top.ports)
    settings = ", ".join(f"{k} {v}" for k, v in about["settings"].items())
    registers = "\n".join(f"| {' | '.join(row)} |" for row in REGISTERS)
    order = "bias then inputs" if s.bias else "inputs"
    more = (f" Then, of every\n  output, its parameters of {core.parameter_bits} bits, lowest "
            "word first.") if core.parameter_bits else ""
    shown = "".join(f"\n![{name}]({name})\n" for name in pictures)
    return f"""# {core.name}

An inference core for a network of {' - '.join(map(str, [s.pixels,
*(m for _, m in s.layers)]))} numbers
({settings}). Its logits are those of the
program that trained the network, bit for bit.

| port | direction | bits | meaning |
|---|---|---|---|
{ports}

- **Pixels** come as bytes by `i_valid` and `o_ready`, image after image, rows first. {s.batch}
  images run at once; `i_last` with an image's last pixel starts a batch with fewer. The next
  batch is taken while one runs.
- **Answers** come by `o_valid` and `i_ready`: of each image its {s.layers[-1][1]} logits as
  words, in order, then its class (the first of the greatest logits) with `o_last`.
- **Weights** are in `{core.name}_weights*.hex` from the start. Others of the same shape are
  loaded by `i_load_valid` and `o_load_ready`, all words of `load.hex` in order: the port waits
  until no batch runs, and no batch starts until the last word came. Order: layer, tile of
  {s.row_words} outputs, {order}, output; outputs that a layer lacks are 0.{more}
- `i_rst`, synchronous, forgets images on their way, not the weights.

`{core.name}_axi.v` puts AXI around it: pixels on `s_axis`, whose `tlast` ends a batch, answers on
`m_axis`, whose `tlast` is at a class; and by AXI4-Lite

| address | register | access | meaning |
|---|---|---|---|
{registers}

```
{text(report(core))}
```
{shown}
`golden_pixels.hex` and `golden_answers.hex` hold {images} images and the engine's answers. They
are compared at full speed, then with gaps, waiting and a reset in mid-image, then (of a
small core) with weights that were overwritten and loaded anew:

    iverilog -g2001 -o tb.vvp -f files.f tb_{core.name}.v && vvp -N tb.vvp

It prints PASS and ends with 0, or names the first words that differ.
"""
