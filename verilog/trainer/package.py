"""A trainer as a folder: modules, file list, FuseSoC core, golden words, bench, README."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lnsarith.host.files.whole import new_folder
from verilog.design.package import KIND, MARK, is_ours
from verilog.emit.header import version
from verilog.trainer.axi import axi_trainer, registers
from verilog.trainer.bench import bench, golden_width
from verilog.trainer.core import Core
from verilog.trainer.cost import cost_text
from verilog.trainer.plan.cycles import spent

__all__ = ["Golden", "require_free", "write_trainer"]


@dataclass(frozen=True)
class Golden:
    """Words to judge a trainer by: weights before (those it starts from) and after some
    batches of images, which last ends; rates has each image's, if that is an operand."""

    before: np.ndarray
    after: np.ndarray
    pixels: np.ndarray
    labels: np.ndarray
    last: np.ndarray
    rates: np.ndarray | None = None


def require_free(folder: Path) -> None:
    """Raise FileExistsError for a folder that is not empty and none of generated Verilog."""
    if folder.exists() and not is_ours(folder) and (
            not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(17, "exists and is no folder of generated Verilog; "
                                  "choose another with --out", str(folder))


def write_trainer(core: Core, folder: Path, golden: Golden, measured: Mapping,
                  model: bytes | None = None, cost: Mapping | None = None) -> list[str]:
    """Write a trainer into a folder, whole or not at all; return the names of its files.

    measured is what a simulation told, empty without one, model the file of the weights
    that it ended with, cost what it takes of a target.
    """
    folder = Path(os.path.abspath(folder))
    require_free(folder)
    files = _files(core, golden, measured, cost)
    with new_folder(folder) as fresh:
        for name, content in files.items():
            (fresh / name).write_text(content)
        if model is not None:
            (fresh / "model.npz").write_bytes(model)
    return [*files, *(["model.npz"] if model is not None else [])]


def _files(core: Core, golden: Golden, measured: Mapping, cost: Mapping | None
           ) -> dict[str, str]:
    texts, learning = core.files, core.geometry.learning
    sources = [f"{m.name}.v" for m in core.modules]
    memories = [name for name in texts if name not in sources]
    words = {"weights.hex": _hex(golden.before, learning.word_bits),
             "golden_weights.hex": _hex(golden.after, learning.word_bits),
             "golden_images.hex": _images(core, golden)}
    digest = hashlib.sha256("".join(texts[name] for name in sorted(texts)).encode()).hexdigest()
    manifest = {
        "kind": KIND, "name": core.name, "summary": "a perceptron that trains itself",
        "settings": dict(learning.settings), "sizes": list(learning.sizes),
        "batch": learning.batch, "lanes": core.geometry.lanes, "loop": core.geometry.loop,
        "circuit": digest, "sources": sources, "memories": memories,
        "ports": [{"name": p.name, "width": p.width, "format": p.meaning,
                   "direction": "output" if p.output else "input"} for p in core.top.ports],
        "golden": {"images": len(golden.labels), "steps": int(golden.last.sum()),
                   "words": len(golden.after), "files": list(words)},
        "cycles": [vars(p) for p in spent(core.geometry)], "bits": _bits(core),
        "simulated": dict(measured), "cost": cost, "lnsarith": version()}
    axi = axi_trainer(core)
    wrapper = {f"{axi.name}.v": axi.text} if axi else {}
    return {**texts, **wrapper, **words, "files.f": "".join(f"{s}\n" for s in sources),
            f"{core.name}.core": _fusesoc(core, sources, [*memories, *words]),
            f"tb_{core.name}.v": bench(
                core, golden.pixels.size, len(golden.before), int(golden.last.sum())),
            "README.md": _readme(core, manifest), MARK: json.dumps(manifest, indent=2) + "\n"}


def _hex(words: np.ndarray, bits: int) -> str:
    digits, mask = -(-bits // 4), (1 << bits) - 1
    return "".join(f"{w & mask:0{digits}x}\n" for w in words.tolist())


def _images(core: Core, golden: Golden) -> str:
    """Return a line a pixel: rate, label, last, pixel."""
    digits = -(-golden_width(core) // 4)
    label_bits = core.port("i_label").width
    mask = (1 << core.port("i_rate").width) - 1 if golden.rates is not None else 0
    lines = []
    for i, row in enumerate(golden.pixels.tolist()):
        rate = int(golden.rates[i]) & mask if golden.rates is not None else 0
        head = (((rate << label_bits) | int(golden.labels[i])) << 1 | int(golden.last[i])) << 8
        lines += [f"{head | pixel:0{digits}x}\n" for pixel in row]
    return "".join(lines)


def _bits(core: Core) -> dict[str, int]:
    """Return the bits of each memory."""
    g = core.geometry
    numbers = {role: n.width for role, n in g.learning.numbers.items()}
    weights = g.weight_rows * g.lanes * numbers["weights"]
    found = {"weights": weights, "inputs": 2 * g.learning.batch * g.learning.sizes[0]
             * numbers["activations"], "outputs of layers": g.values * numbers["activations"],
             "gradients": (g.gradient_rows * g.lanes + g.bank_words * g.images)
             * numbers["gradients"]}
    return {**found, "velocities": weights} if g.learning.velocities else found


def _fusesoc(core: Core, sources: Sequence[str], copied: Sequence[str]) -> str:
    """Return the FuseSoC description (CAPI2)."""
    listed = "".join(f"      - {n}\n" for n in sources)
    copies = "".join(f"      - {n}: {{file_type: user, copyto: {n}}}\n" for n in copied)
    return (f"CAPI=2:\nname: lnsarith:rtl:{core.name}:{version()}\n"
            "description: a perceptron that trains itself\n\nfilesets:\n"
            f"  rtl:\n    files:\n{listed}    file_type: verilogSource\n"
            f"  tb:\n    files:\n      - tb_{core.name}.v\n{copies}"
            "    file_type: verilogSource\n\ntargets:\n"
            f"  default: &default\n    filesets: [rtl]\n    toplevel: {core.name}\n"
            "  sim:\n    <<: *default\n    filesets: [rtl, tb]\n    default_tool: icarus\n"
            f"    toplevel: tb_{core.name}\n")


def _readme(core: Core, manifest: dict) -> str:
    g = core.geometry
    learning = g.learning
    ports = "\n".join(f"| `{p['name']}` | {p['direction']} | {p['width']} | {p['format']} |"
                      for p in manifest["ports"])
    phases = "\n".join(f"| {p['name']} | {p['layer']} | {p['cycles']:,} | {p['products']:,} |"
                       for p in manifest["cycles"])
    bits = ", ".join(f"{name} {count:,}" for name, count in manifest["bits"].items())
    settings = ", ".join(f"{k} {v}" for k, v in learning.settings.items())
    simulated, cost = manifest["simulated"], manifest["cost"]
    wrapped = "" if not axi_trainer(core) else _AXI.format(name=core.name, registers="\n".join(
        f"| {' | '.join(row)} |" for row in registers(core)))
    taken = f"\n```\n{cost_text(cost)}\n```\n" if cost else ""
    told = "" if not simulated else (
        f"\nSimulated for {simulated['steps']:,} steps: {simulated['cycles_a_step']:,.0f} cycles "
        f"a step, {simulated['useful']:.1%} of lanes times cycles make products that are asked "
        "for; all weights equal the engine's.\n")
    return f"""# {core.name}

A {'-'.join(map(str, learning.sizes))} perceptron that trains itself; {settings}. After every
step its weights are, word for word, those of the program it was made by.

| port | direction | bits | meaning |
|---|---|---|---|
{ports}

Weights go in once, {g.words:,} words{' and as many velocities behind them' if learning.velocities
else ''} as in `weights.hex`: of each layer the biases, then
the weights of each input, output by output. Then images stream in, a pixel a cycle, while the
step before runs; a step begins when {learning.batch} images are in, or after one with `i_last`.
A pulse on `i_read` asks for all words in the same order, between two steps. A reset forgets
images and counts steps from {learning.step} again; it keeps the weights.
{wrapped}
{g.lanes} lanes, {g.loop} sums taking turns in each; {g.units} units finish updates. Phases of a
step of {learning.batch} images, cycles in which lanes step and products asked for:

| phase | layer | cycles | products |
|---|---|---|---|
{phases}
{told}{taken}
Bits of memory: {bits}.

`golden_*.hex` hold {manifest['golden']['images']} images in {manifest['golden']['steps']} steps
and the weights after them from the engine. Compare them:

    iverilog -g2001 -o tb.vvp -f files.f tb_{core.name}.v && vvp -N tb.vvp

It prints PASS and ends with 0, or names the first words that differ.
"""


_AXI = """
`{name}_axi.v` puts AXI around it: of each image its pixels, then a byte with its label on
`s_axis`, whose `tlast` at a label ends a batch; all weights on `m_axis` when they are asked for;
and by AXI4-Lite

| address | register | access | meaning |
|---|---|---|---|
{registers}
"""
