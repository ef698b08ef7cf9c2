"""The circuits of a trainer, taken from the engine's plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nets.settings.settings import Settings
    from verilog.trainer.plan.learning import Learning, Number, Sum

__all__ = ["demand_made", "learning_of"]

SIGN = (-1, 0)


def demand_made(s: Settings) -> None:
    """Raise FormatError for settings that the engine has and the core has not yet."""
    from fxp.format import FormatError
    from nets.settings.settings import FLOATS

    wanted = (
        (s.arith in FLOATS, f"arith {s.arith}", "give a format of words, such as lns12"),
        (s.binary, "arith binary", "its weights are floats in training"),
        (s.mode == "paper", "mode paper", "its weights are floats"),
        (s.selects, f"arith {s.arith}", "give lns or fixed arithmetic"),
        (s.model != "mlp", f"model {s.model}", "give model mlp"),
        (s.norm != "none", f"norm {s.norm}", "give norm none"),
        (s.loss != "softmax", f"loss {s.loss}", "give loss softmax"),
        (s.dropout != "0", f"dropout {s.dropout}", "give dropout 0"),
        (s.dropout_input != "0", f"dropout_input {s.dropout_input}", "give dropout_input 0"),
        (s.activation not in ("leaky", "relu"), f"activation {s.activation.partition(':')[0]}",
         "give leaky or relu"),
        (s.arith.startswith("lns") and s.order == "tree", f"order {s.order}",
         "give order sequential"),
        (bool(s.logits), f"logits {s.logits}", "leave them in the format of "
         "activations, as recipe icassp2020 does"),
        (s.momentum != "0" and s.arith.startswith("lns")
         and s.format("weights") != s.format("gradients"),
         "momentum with gradients of another format than weights", "give them one format"),
        (s.momentum != "0" and not s.arith.startswith("lns")
         and s.format("weights").bits != s.format("gradients").bits,
         "momentum with gradients of other bits than weights", "give them as many"),
    )
    for refused, what, cure in wanted:
        if refused:
            raise FormatError(f"the trainer core has no {what} yet; {cure}")


def learning_of(trainer, step: int = 0) -> Learning:
    """Return how the network of a `nets.train.trainer.Trainer` learns, after so many steps;
    FormatError for what the core cannot do yet."""
    from fxp.spec import random_word
    from fxp.trace.circuit import trace
    from lnsarith.lns import spec
    from lnsarith.lns.format import Lns
    from nets.arithmetic.tensor import padded
    from verilog.trainer.plan.learning import Learning, Number

    s, network = trainer.settings, trainer.network
    demand_made(s)
    ar, count = network.ar, len(trainer.labels)
    batch = min(s.batch, count)
    numbers = {role: Number({"level": spec.level_range(f), "sign": SIGN} if isinstance(f, Lns)
                            else {"": f.words}) for role, f in ar.formats.items()}
    sizes = (network.inputs, *s.hidden, network.classes)
    f = ar.formats["weights"]
    opened = closed = None
    if isinstance(f, Lns):
        opened = trace(lambda word: spec.unpack(word, f), {"word": f.words})
        closed = trace(lambda level, sign: spec.pack(spec.Number(level, sign), f),
                       numbers["weights"].ports(""), outputs=("word",))
    update = ar.update_over(batch)
    plans = {"forward": ar.affine_plan(), "backward": ar.input_gradient_plan(), "update": update}
    slopes = (ar.relu_plan(), ar.relu_gradient_plan()) if s.activation == "relu" else (
        ar.slope_plan(), ar.slope_gradient_plan())
    table = {k: v.tolist() for k, v in ar.pixel_table().items()}
    fields = list(numbers["activations"].fields)
    named = dict(zip(fields, table.values()))
    seeded = "seed" in update.finish.inputs
    words = {"counter": (0, (1 << 32) - 1), "salt": (0, (1 << 32) - 1)}
    return Learning(
        sizes, batch, numbers, tuple({k: named[k][v] for k in fields} for v in range(256)),
        {k: int(v[0, 0]) for k, v in zip(fields, ar.one.fields.values())},
        _sum(plans["forward"], numbers, "activations", "weights"),
        _sum(plans["backward"], numbers, "gradients", "weights"),
        _sum(plans["update"], numbers, "activations", "gradients"),
        slopes[0].circuit, slopes[1].circuit, ar.softmax_unit.circuits(network.classes),
        tuple(ar.softmax_unit.scale(rows) for rows in range(1, batch + 1)), f.bits,
        opened, closed, _salts(s.seed, len(sizes) - 1) if seeded else (),
        trace(lambda counter, salt: random_word(counter, salt), words, outputs=("bits",))
        if seeded else None,
        tuple(padded(n) for n in sizes[1:]),
        ar.decay_plan().circuit if ar.decay_period else None, ar.decay_period, step,
        _settings(s))


def _sum(plan, numbers: dict[str, Number], a: str, b: str) -> Sum:
    from verilog.trainer.plan.learning import Sum

    return Sum(plan.start, plan.step, plan.finish, numbers[a], numbers[b], plan.state,
               plan.absent)


def _salts(seed: int, layers: int):
    """Return the salts of each layer in the order in which the engine binds updates: of
    whole batches, then of a shorter last one; layers backwards, weights before biases."""
    from verilog.trainer.plan.learning import Salts

    def salt(number: int) -> int:
        return (seed * 65599 + number) & 0xFFFFFFFF

    found = []
    for place in range(layers):
        first = 2 * (layers - 1 - place) + 1
        found.append(Salts((salt(first), salt(first + 2 * layers)),
                           (salt(first + 1), salt(first + 1 + 2 * layers))))
    return tuple(found)


def _settings(s: Settings) -> dict[str, str]:
    """Return what a reader of the core wants to know."""
    from nets.settings.settings import parse_format

    told = {"format": str(parse_format(s.arith)), "batch": str(s.batch), "lr": s.lr}
    if s.arith.startswith("lns"):
        told |= {"delta": s.delta, "guard": str(s.guard), "underflow": s.underflow}
    else:
        told |= {"accumulator": s.accumulator}
    told["update"] = "stochastic" if s.stochastic else "nearest"
    for name, none in (("momentum", "0"), ("clip", "0"), ("l1", "0"), ("schedule", "constant")):
        if getattr(s, name) != none:
            told[name] = getattr(s, name)
    return {**told, "weight_decay": s.weight_decay, "activation": s.activation}
