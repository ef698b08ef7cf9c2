"""That a trainer reads no word before it was written, and the lemmas which that follows from.

Claims speak of any one address, at_<memory>; was_<memory> tells whether its word was written for
the batch of the step.
"""

from __future__ import annotations

from verilog.invariants.claims import Claim
from verilog.invariants.cut import instances
from verilog.invariants.lemmas import Lemma
from verilog.invariants.memories import written_at
from verilog.invariants.terms import between, equal, less, wide
from verilog.invariants.trainer_lemmas import (
    END,
    IDLE,
    READS,
    RUNS,
    SETTLE,
    TrainerLemmas,
)
from verilog.trainer.plan.geometry import BACKWARD, SOFTMAX

__all__ = ["written_claims", "written_lemmas"]


def written_claims(known: TrainerLemmas) -> list[Claim]:
    """Return the claims about pixels, and about outputs of layers."""
    ports = {label: instances(known.core.top.text, f"{known.core.name}_{label}")[label]
             for label in ("inputs", "values")}
    half = f"(at_inputs >= {known.batch * known.pixels}) == images.fills"
    values = (f"is_backward ? drain.busy : order_kind == {SOFTMAX} ? softmax.reads : "
              f"{READS} & ~order_first_layer")
    return [written_at("inputs", ports["inputs"], known.bits("images", "address"),
                       f"{READS} & order_first_layer & ~is_backward", f"i_rst | (go & ({half}))"),
            written_at("values", ports["values"], known.bits("softmax", "address"), values,
                       "i_rst | go")]


def written_lemmas(known: TrainerLemmas) -> list[Lemma]:
    """Return what is written when, each after what it needs."""
    return [*_inputs(known), *_values(known), *_logits(known), *_below(known)]


def _inputs(known: TrainerLemmas) -> list[Lemma]:
    """Pixels are written up to the address of the next one."""
    half, pixels = known.batch * known.pixels, known.pixels
    comes = "(images.write & images.write_address == at_inputs)"

    def start(fills: str) -> str:
        return f"({fills} ? {half} : 0)"

    return [
        Lemma("filling", "~" + between("at_inputs", start("images.fills"),
                                       less("images.address", start("images.fills")))
              + f" | was_inputs | {comes}"),
        Lemma("filled", "~images.full | ~" + between(
            "at_inputs", start("~images.fills"), f"({wide('images.rows_1')} + 1) * {pixels}")
            + f" | was_inputs | {comes}"),
        Lemma("taken_over", f"order.state == {IDLE} | ~" + between(
            "at_inputs", start("images_bank"), f"{wide('images_rows')} * {pixels}")
            + " | was_inputs")]


def _values(known: TrainerLemmas) -> list[Lemma]:
    """Outputs of a layer are written, on their way, in the row at work, or not formed yet."""
    found, p = [], known.g.lanes
    stages = known.stages("output_address")
    comes = " | ".join(f"(drain.output_write_{i + 1} & drain.output_address_{i + 1} == at_values)"
                       for i in range(stages))
    work = "(drain.busy & " + between("at_values", wide("drain.e"),
                                      f"(1 + {less('drain.chunk_1', 'drain.chunk')})") + ")"
    for number, layer in enumerate(known.g.layers):
        own = between("at_values", str(layer.values), f"{wide('images_rows')} * {layer.outputs}")
        unit = f"{less('at_values', str(layer.values))}"
        x, y = f"{unit} % {layer.outputs} / {p}", f"{unit} / {layer.outputs}"
        found += [
            Lemma(f"forward_{number}", f"~{RUNS} | order.phase != {number} | ~{own} | was_values | "
                  f"{comes} | {work} | {x} > drain.x | ({x} == drain.x & {y} >= drain.y)"),
            Lemma(f"known_{number}", f"order.state == {IDLE} | order.phase <= {number} | ~{own} | "
                  "was_values")]
    return found


def _logits(known: TrainerLemmas) -> list[Lemma]:
    """The soft-max reads the logits of each image, twice."""
    last = known.g.layers[-1]
    start = f"{last.values} + {wide('softmax.image')} * {last.outputs}"
    ends = f"softmax.state == {END}"
    return [Lemma("logits", f"softmax.state == {IDLE} | (softmax.image < images_rows & "
                  f"softmax.logit < {last.outputs} & {wide('softmax.base')} == {start} & "
                  f"((~({ends}) & softmax.state != {SETTLE}) | softmax.logit == 0) & "
                  + equal("softmax.address", f"{start} + ({ends} ? {last.outputs} : "
                          f"{wide('softmax.logit')})", known.bits("softmax", "address")) + ")")]


def _below(known: TrainerLemmas) -> list[Lemma]:
    """Backward reads the outputs of the layer below, of the images that there are."""
    p, bits = known.g.lanes, known.bits("drain", "next_e")
    if len(known.g.layers) < 2:
        return []

    def start(x: str, y: str) -> str:
        return known.by_phase(lambda q, layer: (
            f"{known.g.layers[q.layer - 1].values} + {wide(x)} * {p * layer.inputs} + {wide(y)}"),
            kinds=(BACKWARD,))

    unless = f"~{RUNS} | order.kind != {BACKWARD}"
    own = known.by_phase(lambda q, layer: between(
        "drain.e", str(known.g.layers[q.layer - 1].values),
        f"{wide('images_rows')} * {layer.inputs}",
        f"{less('drain.chunk_1', 'drain.chunk')} * {layer.inputs}"), "1'd1", (BACKWARD,))
    places = [equal("drain.next_e", start("drain.x", "drain.y"), bits),
              equal("drain.e_base", start("drain.x", "0"), bits),
              equal("drain.x_images", f"{wide('drain.x')} * {p}", known.bits("drain", "x_images"))]
    return [
        Lemma("next_below", f"{unless} | ({' & '.join(places)})"),
        Lemma("work_below", f"~drain.busy | order.kind != {BACKWARD} | "
              f"(drain.chunk <= drain.chunk_1 & {own})")]
