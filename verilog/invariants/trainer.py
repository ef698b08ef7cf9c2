"""What is claimed of a trainer, whatever its weights, images and labels are."""

from __future__ import annotations

from verilog.invariants.claims import Claim, Control
from verilog.invariants.cut import instances
from verilog.invariants.memories import never_meets
from verilog.invariants.trainer_gradients import gradient_claims, gradient_lemmas
from verilog.invariants.trainer_lemmas import TrainerLemmas
from verilog.invariants.trainer_written import written_claims, written_lemmas
from verilog.trainer.core import Core
from verilog.trainer.plan.cycles import spent

__all__ = ["control_of_trainer"]

KEPT = ("images", "sequence", "weights", "drain", "softmax", "seeds", "queue")
MEMORIES = ("inputs", "values", "rows", "velocities", "gradients", "banks")


def control_of_trainer(core: Core) -> Control:
    """Return the trainer as its sequencers see it, with what is claimed."""
    g = core.geometry
    kept = frozenset(f"{core.name}_{part}" for part in KEPT)
    pixels = g.learning.batch * g.learning.sizes[0]
    clocks = 2 * sum(p.cycles for p in spent(g)) + 2 * pixels + 100 * len(g.phases)
    known = TrainerLemmas(core)
    return Control(core.modules, kept, clocks, [
        *_of_ports(), *_of_rows(core), *_of_memories(core), *written_claims(known),
        *gradient_claims(known)],
        [*known.all, *written_lemmas(known), *gradient_lemmas(known)])


def _of_ports() -> list[Claim]:
    """Return the claims about valid and ready."""
    reset = ("reg was_reset;", "always @(posedge i_clk) was_reset <= i_rst;")
    waited = ("reg was_waiting, was_last;",
              "always @(posedge i_clk) begin was_waiting <= o_weight_valid & ~i_weight_ready & "
              "~i_rst; was_last <= o_weight_last; end")
    return [
        Claim("reset", "at the clock after a reset no word is offered or taken, and no step runs",
              "was_reset & (o_weight_valid | o_weight_ready | o_busy)", "o_weight_valid", reset),
        Claim("held", "a word of weights that waits is offered until it is taken",
              "was_waiting & (~o_weight_valid | (o_weight_last != was_last))", "was_waiting",
              waited),
        Claim("alone", "no weight is taken or offered while a step runs",
              "o_busy & (o_weight_ready | o_weight_valid)", "o_busy")]


def _of_rows(core: Core) -> list[Claim]:
    """Return the claim about rows of sums that wait to be finished."""
    (ports,) = instances(core.top.text, f"{core.name}_queue").values()
    depth = core.geometry.depth
    bits = (2 * depth).bit_length()
    watch = (f"reg [{bits - 1}:0] rows_wait;",
             f"always @(posedge i_clk) rows_wait <= i_rst ? {bits}'d0 : "
             f"rows_wait + ({ports['i_write']}) - ({ports['i_take']});")
    return [Claim("queue", "a row of sums is finished only after it came, and none comes where "
                  "there is no room", f"(({ports['i_take']}) & (rows_wait == 0)) | "
                  f"(rows_wait >= {depth})", ports["i_take"], watch)]


def _of_memories(core: Core) -> list[Claim]:
    return [never_meets(f"{part}_{label}", ports) for part in MEMORIES
            for label, ports in instances(core.top.text, f"{core.name}_{part}").items()]
