"""The seeds of random bits: of a layer's weights and of its biases, for each step."""

from __future__ import annotations

from verilog.emit.module import Module, Port
from verilog.trainer.machine.parts import Part
from verilog.trainer.machine.sequence import Sizes
from verilog.trainer.plan.geometry import UPDATE, Geometry, bits_for
from verilog.trainer.writing.text import literal, module, table

__all__ = ["seeds"]


def seeds(name: str, g: Geometry, unit: Part) -> Module:
    """Return what makes both seeds at the begin of a phase; o_done tells that they stand."""
    s = Sizes(g)
    ports = [Port("i_clk", 1), Port("i_begin", 1), Port("i_phase", s.phase), Port("i_whole", 1),
             Port("i_step", 32), Port("o_weights", 32, True), Port("o_biases", 32, True),
             Port("o_done", 1, True)]
    rows = []
    for phase in g.phases:
        salts = g.learning.salts[phase.layer]
        rows.append({} if phase.kind != UPDATE else {
            what: f"i_whole ? {literal(own[0], 32)} : {literal(own[1], 32)}"
            for what, own in (("weights", salts.weights), ("biases", salts.biases))})
    bits = bits_for(unit.latency + 3)

    def after(cycles: int) -> str:
        return f"count == {literal(cycles, bits)}"

    body = "\n".join([
        "reg [31:0] weights, biases;",
        table("i_phase", rows, {"weights": "32'd0", "biases": "32'd0"}),
        f"reg [{bits - 1}:0] count;", "reg [31:0] weights_seed, biases_seed;",
        f"wire done = {after(unit.latency + 2)};",
        unit.instance("random", {"counter": "i_step",
                                 "salt": f"{after(0)} ? weights : biases"}),
        "always @(posedge i_clk) begin",
        f"  count <= i_begin ? {literal(0, bits)} : done ? count : count + {literal(1, bits)};",
        f"  if ({after(unit.latency)}) weights_seed <= random_bits;",
        f"  if ({after(unit.latency + 1)}) biases_seed <= random_bits;",
        "end", "assign o_weights = weights_seed;", "assign o_biases = biases_seed;",
        "assign o_done = done;"])
    return module(name, "seeds of the random bits of updates", ports, body)
