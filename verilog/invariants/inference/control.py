"""What is claimed of an inference core, whatever its weights and images are."""

from __future__ import annotations

from verilog.core.inference.core import Core
from verilog.invariants.claims import Claim, Control, prove_claims
from verilog.invariants.cut import instances
from verilog.invariants.inference.lemmas import CoreLemmas
from verilog.invariants.inference.terms import CoreTerms
from verilog.invariants.inference.written import read_claims, written_lemmas
from verilog.invariants.memories import never_meets, one_of
from verilog.prove.proof import Proof

__all__ = ["control_of", "prove_core"]

KEPT = ("issue", "load", "drain", "reload", "send", "gather", "gather_parameters", "place",
        "parameter_place", "bit")


def prove_core(core: Core, seconds: float = 60) -> list[Proof]:
    """Return the proofs about a core; a search or a solver that finds nothing in `seconds`
    leaves a claim unknown, which has not passed."""
    return prove_claims(control_of(core), seconds)


def control_of(core: Core) -> Control:
    """Return the core as its sequencers see it, with what is claimed; lemmas are known of dense
    layers alone."""
    s = core.schedule
    kept = frozenset(f"{core.name}_{part}" for part in KEPT)
    clocks = 2 * (s.clocks + s.batch * s.pixels) + 8 * s.batch * (s.layers[-1][1] + 1)
    claims = [*_of_ports(core), *_of_memories(core), *read_claims(CoreTerms(core)), _of_sums(core)]
    if not s.plain:
        return Control(core.modules, kept, clocks, claims)
    known = CoreLemmas(core)
    return Control(core.modules, kept, clocks, claims, [*known.all, *written_lemmas(known)],
                   known.watch)


def _of_memories(core: Core) -> list[Claim]:
    return [never_meets(label.removesuffix("_part"), ports, ("sender",) if part == "logits" else ())
            for part in ("weights", "bank", "parameters", "logits")
            for label, ports in instances(core.top.text, f"{core.name}_{part}").items()]


def _of_sums(core: Core) -> Claim:
    """Return the claim about the rows of sums that wait to be drained."""
    (ports,) = instances(core.top.text, f"{core.name}_sums").values()
    rows = 1 << (2 * core.schedule.slots - 1).bit_length()
    write, read = (one_of(rows, ports[k]) for k in ("i_write_address", "i_read_address"))
    watch = (f"reg [{rows - 1}:0] sums_wait;",
             f"wire [{rows - 1}:0] sums_new = caught ? {write} : {rows}'d0;",
             f"wire [{rows - 1}:0] sums_gone = drain_take ? {read} : {rows}'d0;",
             f"always @(posedge i_clk) sums_wait <= i_rst ? {rows}'d0 : "
             "(sums_wait & ~sums_gone) | sums_new;")
    return Claim("sums", "a row of sums is drained once, after it was caught and before the next "
                 "one takes its place", "((sums_gone & ~sums_wait) != 0) | "
                 "((sums_new & sums_wait) != 0)", "drain_take", watch)


def _of_ports(core: Core) -> list[Claim]:
    """Return the claims about valid and ready."""
    wide = core.ports["answer"]
    waited = ("reg was_waiting, was_last;", f"reg [{wide - 1}:0] was_data;",
              "always @(posedge i_clk) begin was_waiting <= o_valid & ~i_ready & ~i_rst; "
              "was_last <= o_last; was_data <= o_data; end")
    reset = ("reg was_reset;", "always @(posedge i_clk) was_reset <= i_rst;")
    owed = ("reg owed;",
            "always @(posedge i_clk) owed <= ~i_rst & (done | (owed & send_sending));")
    return [
        Claim("sender", "no logit is written, and no batch ends, while the one before is sent",
              "(score_now | done) & (o_valid | send_read)", "score_now"),
        Claim("held", "an answer that waits stays as it is until it is taken",
              "(was_waiting & (~o_valid | (o_last != was_last) | (o_last & (o_data != was_data))))"
              " | (o_valid & ~i_ready & send_read)", "was_waiting", waited, ("sender",)),
        Claim("reset", "at the clock after a reset no answer is offered", "was_reset & o_valid",
              "o_valid", reset),
        Claim("offered", "an answer is offered only of a batch that has ended and is not sent yet",
              "o_valid & ~owed", "o_valid", owed)]
