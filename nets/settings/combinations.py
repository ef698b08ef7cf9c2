"""Which settings go together: each refused one is told with what it would mean something."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from fxp.format import Fixed, FormatError
from lnsarith.delta import methods as deltas
from lnsarith.lns.format import Lns
from nets.settings.operator import PREFIX as OPERATOR
from nets.settings.operator import check_operator
from nets.settings.parsing import FLOATS, parse_format
from nets.settings.spindle import activation_kind, check_spindle

__all__ = ["check_combinations"]


def check_combinations(s, given: Iterable[str] = ()) -> None:
    """Raise FormatError for settings that contradict each other.

    One without a meaning must have its default, and not be among the names given.
    """
    _check_family(s, given)
    _check_model(s, given)


def _check_family(s, given) -> None:
    if s.arith in FLOATS:
        family = None
        used = [n for n in ("weights", "activations", "gradients") if getattr(s, n)]
        if used:
            raise FormatError(f"{used[0]} has a format of its own only with lns or fixed "
                              f"arithmetic, not with {s.arith}")
    else:
        family = type(parse_format(s.arith))
        for role in ("weights", "activations", "gradients"):
            if not isinstance(s.format(role), family):
                raise FormatError(f"{role} {getattr(s, role)} and arith {s.arith} "
                                  "must be of one family")
    if family is Lns:
        deltas.parse(s.delta)
        _refuse(s, ("transfer",), "float or fixed", given)
    else:
        _refuse(s, ("delta", "guard", "register_bits", "order", "underflow", "decay",
                    "softmax_bits", "norm_delta"), "lns", given)
    _check_logits(s, family, given)
    if s.selects and family is None:
        _refuse(s, ("scales",), "minselect of words, such as minselect16", given)
    if family is not Fixed or s.selects:
        _refuse(s, ("accumulator",), "fixed", given)
    elif not re.fullmatch(r"exact|each|limited\d{1,2}", s.accumulator):
        raise FormatError("accumulator must be exact, each or limitedN (N bits), "
                          f"got {s.accumulator!r}")
    check_spindle(s, s.format("activations") if family else None)
    check_operator(s, {Lns: "lns", Fixed: "fixed"}[family] if family else None)
    _check_binary(s, given)
    if family is not None:
        _refuse(s, ("optimizer", "clip_norm"), "float32", given)
        _check_loss(s, family, given)
        own = s.activation.startswith(OPERATOR)
        if not own and activation_kind(s.activation) not in ("leaky", "relu", "spindle"):
            raise FormatError(f"activation {s.activation} goes with float32 arithmetic, "
                              f"not with {s.arith}")
    if s.optimizer == "adam" and s.momentum != "0":
        raise FormatError("momentum has a meaning only with optimizer sgd, not with adam")
    if family is None:
        _refuse(s, ("update", "update_guard", "softmax_delta", "loss_scale"), "lns or fixed", given)
    if not s.selects:
        _refuse(s, ("gain", "backward", "scales"), "minselect", given)
        if family is not None:
            _refuse(s, ("clip_operands",), "float32 or minselect", given)
        if not s.clips:
            _refuse(s, ("statistics",), "minselect (or clipped float32)", given)
    if s.mode == "paper":
        _refuse(s, ("loss_scale",), "bit-true", given)
    if s.mode == "paper" and (family is not Fixed or s.selects):
        raise FormatError("mode paper is the published linear baseline: it goes with fixed "
                          f"arithmetic, not with {s.arith}")


def _check_loss(s, family, given) -> None:
    """Words know soft-max, those of LNS sigmoids too, which have no common shift to pull."""
    if family is not Lns or s.loss not in ("softmax", "sigmoid"):
        _refuse(s, ("loss",), "float32", given)
    pulls = [n for n in ("softmax_pull", "softmax_free")
             if n in given or getattr(s, n) != _default(s, n)]
    if s.loss == "sigmoid" and pulls:
        raise FormatError(f"{pulls[0]} has a meaning only with loss softmax, not with sigmoid")


def _check_logits(s, family, given) -> None:
    if family is None or s.selects or s.mode == "paper":
        _refuse(s, ("logits",), "bit-true lns or fixed", given)
    elif s.logits and family is Lns:
        if not isinstance(s.format("logits"), Lns):
            raise FormatError(f"logits {s.logits} and arith {s.arith} must be of one family")
    elif s.logits:
        f = s.format("logits")
        if not isinstance(f, Fixed) or not f.signed or f.high >> f.frac < 1:
            raise FormatError(f"logits must be a signed fixed-point format that holds 2, got "
                              f"{s.logits}")
    if family is not Lns and not s.logits:
        _refuse(s, ("softmax_pull", "softmax_free"), "lns (or fixed with logits of their own)",
                given)


def _check_binary(s, given) -> None:
    if not s.binary:
        _refuse(s, ("binarize_input", "threshold"), "binary", given)
        if s.activation == "sign":
            raise FormatError(f"activation sign goes with binary arithmetic, not with {s.arith}")
        return
    if s.activation != "sign":
        raise FormatError(f"activation must be sign with binary arithmetic, got {s.activation}")
    if s.model in ("mini-cifar", "resnet8", "resnet20"):
        raise FormatError(f"model {s.model} averages its activations, and a mean of bits is no "
                          "bit; with binary arithmetic give mlp, lenet5 or lenet-wide")
    _refuse(s, ("init", "init_std", "input_mean", "input_scale", "slope", "clip_operands"),
            "lns, fixed or float", given)
    if s.binarize_input != "threshold" and s.threshold != _default(s, "threshold"):
        raise FormatError("threshold has a meaning only with binarize_input threshold, "
                          f"not with {s.binarize_input}")


def _check_model(s, given) -> None:
    if s.init not in ("normal", "constant") and (
            "init_std" in given or s.init_std != _default(s, "init_std")):
        raise FormatError(f"init_std has a meaning only with init normal or constant, "
                          f"not with {s.init}")
    if s.model == "mlp":
        return
    if "hidden" in given or s.hidden != _default(s, "hidden"):
        raise FormatError(f"hidden has a meaning only with model mlp, not with {s.model}")
    if s.mode == "paper":
        raise FormatError(f"mode paper goes with model mlp, not with {s.model}")


def _refuse(s, names, family: str, given) -> None:
    for name in names:
        if name in given or getattr(s, name) != _default(s, name):
            raise FormatError(f"{name} = {getattr(s, name)} has a meaning only with "
                              f"{family} arithmetic, not with {s.arith}")


def _default(s, name: str):
    return next(f.default for f in dataclasses.fields(s) if f.name == name)
