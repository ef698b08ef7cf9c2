"""What a core does with its clocks and memories, as data, text and picture."""

from __future__ import annotations

from pathlib import Path

from verilog.core.inference.core import Core

__all__ = ["draw_timeline", "report", "text"]


def report(core: Core) -> dict:
    """Return the shape of a core, the clocks of each layer, and what memories it has.

    clocks are for a batch that finds its images there; an image's share is that of a full
    batch. lanes_step and useful are shares of all clocks and of lanes x clocks.
    """
    s = core.schedule
    layers = [{"inputs": n, "outputs": m, "tiles": s.tiles(k), "steps": s.steps(k),
               "clocks": s.layer_clocks(k)} for k, (n, m) in enumerate(s.layers)]
    memories = [{"name": name, "count": count, "rows": m.depth, "bits": m.width,
                 "total_bits": m.bits * count, "blocks": m.blocks * count}
                for name, (m, count) in core.memories.items()]
    return {"design": core.name, "lanes": s.lanes, "outputs_at_once": s.outputs,
            "images_at_once": s.images, "pipeline": s.slots, "batch": s.batch,
            "layers": layers, "clocks_batch": s.clocks,
            "clocks_image": max(s.clocks / s.batch, s.pixels),
            "products_image": s.products, "lanes_step": s.working, "useful": s.useful,
            "memories": memories, "memory_bits": core.memory_bits,
            "memory_blocks": core.memory_blocks}


def text(r: dict) -> str:
    """Return the report in lines."""
    lines = [f"{r['design']}: {r['lanes']} lanes ({r['outputs_at_once']} outputs x "
             f"{r['images_at_once']} images), {r['pipeline']} registers in the loop, "
             f"{r['batch']} images at a time", "",
             f"{'layer':12}{'tiles':>7}{'steps':>7}{'clocks':>9}{'an image':>10}"]
    lines += [f"{row['inputs']} - {row['outputs']}".ljust(12) + f"{row['tiles']:>7}"
              f"{row['steps']:>7}{row['clocks']:>9,}{row['clocks'] / r['batch']:>10,.1f}"
              for row in r["layers"]]
    lines += [f"{'all':26}{r['clocks_batch']:>9,}{r['clocks_image']:>10,.1f}", "",
              f"lanes step in {r['lanes_step']:.1%} of the clocks; useful products: "
              f"{r['useful']:.1%} of lanes x clocks", "",
              f"{'memory':12}{'count':>7}{'rows':>7}{'bits':>6}{'bits in all':>13}{'blocks':>8}"]
    lines += [f"{m['name']:12}{m['count']:>7}{m['rows']:>7,}{m['bits']:>6}{m['total_bits']:>13,}"
              f"{m['blocks']:>8}" for m in r["memories"]]
    lines += [f"{'all':32}{r['memory_bits']:>13,}{r['memory_blocks']:>8}"]
    return "\n".join(lines)


def draw_timeline(core: Core, trace, path: str | Path) -> None:
    """Draw what happens in the clocks of a trace of `verilog.core.model.Model.trace`: pixels
    taken, the layer that runs, answers given."""
    import numpy as np

    from lnsarith.host.picture import picture

    clocks = len(trace["busy"])
    time = np.arange(clocks)
    with picture(path, "", (10, 3.4), more={"axes.grid": False}) as figure:
        axes = figure.add_subplot()
        rows = [("pixels taken", trace["taken"], "#4477aa"),
                *((f"layer {n} - {m}", trace["busy"] & (trace["layer"] == k), "#228833")
                  for k, (n, m) in enumerate(core.schedule.layers)),
                ("logits and class", trace["given"], "#cc6633")]
        for y, (_, where, color) in enumerate(rows):
            for low, high in _spans(where):
                axes.barh(y, max(high - low, clocks / 800), left=time[low], height=0.62,
                          color=color, lw=0)
        axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
        axes.invert_yaxis()
        axes.set(xlim=(0, clocks), xlabel="clock")
        axes.set_title(f"{core.name}: {trace['images']} images, {core.schedule.lanes} lanes",
                       loc="left")


def _spans(where) -> list[tuple[int, int]]:
    """Return where an array is true, as (first, behind the last)."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate([[0], where.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist()))
