"""What a training run is made of: every choice, its default and its limits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from fxp.format import Fixed, FormatError, check_integer
from lnsarith import delta as deltas
from lnsarith.format import Lns
from lnsarith.spindle_kernels import MOST_KERNELS
from nets.combinations import check_combinations
from nets.parsing import FLOATS, parse_format, parse_real
from nets.schedule import rate_factor
from nets.spindle_setting import MODES as SPINDLES
from nets.spindle_setting import activation_kind

__all__ = ["ACTIVATIONS", "FLOATS", "MODELS", "Settings", "parse_format", "parse_real"]

ACTIVATIONS = ("leaky", "relu", "sigmoid", "tanh", "mish", "gelu", "prelu", "spindle",
               "sign")
MODELS = ("mlp", "lenet5", "lenet-wide", "mini-cifar")


@dataclass(frozen=True)
class Settings:
    """The arithmetic, the network, the optimiser and the schedule of a run.

    Formats left empty follow `arith`; see `nets.lns` and `nets.fixed` for what
    each setting means there. Raises FormatError for values that cannot be, or
    that contradict each other.
    """

    dataset: str = "mnist"
    arith: str = "lns16"
    delta: str = "lut"
    mode: str = "bit-true"
    weights: str = ""
    activations: str = ""
    gradients: str = ""
    guard: int = 0
    order: str = "sequential"
    underflow: str = "zero"
    accumulator: str = "exact"
    update: str = ""
    update_guard: int = 8
    softmax_bits: int = 4
    softmax_pull: int = 8
    softmax_free: int = -1
    softmax_delta: str = "lut:r=1/64,index=truncate"
    norm_delta: str = "interp"
    input_mean: str = "0"
    input_scale: str = "1"
    binarize_input: str = "threshold"
    threshold: int = 127
    shift: int = 0
    flip: str = "no"
    shuffle: str = "once"
    model: str = "mlp"
    activation: str = "leaky"
    spindle: str = ""
    spindle_kernels: int = 2
    hidden: tuple[int, ...] = (100,)
    slope: int = -7
    init: str = "normal"
    init_std: str = "0.1"
    norm: str = "none"
    dropout: str = "0"
    dropout_input: str = "0"
    gain: str = "1.9459"
    statistics: str = "filter"
    scales: str = "stated"
    backward: str = "ste"
    clip_operands: str = ""
    transfer: str = ""
    loss: str = "softmax"
    lr: str = "2^-6"
    optimizer: str = "sgd"
    schedule: str = "constant"
    schedule_by: str = "epoch"
    lr_last: str = "0"
    momentum: str = "0"
    clip: str = "0"
    clip_norm: str = "0"
    l1: str = "0"
    weight_decay: str = "2^-10"
    decay: str = "gradient"
    batch: int = 5
    epochs: int = 20
    val: int = 10000
    seed: int = 0

    def __post_init__(self):
        if self.model not in MODELS:
            if self.model == "bnn":
                raise FormatError("model bnn is mlp with arith binary; a run that has it was "
                                  "trained by an earlier version: train it anew")
            raise FormatError(f"model must be one of {', '.join(MODELS)} or bnn, "
                              f"got {self.model!r}")
        _choice("activation", activation_kind(self.activation), ACTIVATIONS)
        _choice("spindle", self.spindle, SPINDLES)
        _choice("norm", self.norm, ("none", "batch"))
        _choice("binarize_input", self.binarize_input, ("threshold", "probability", "none"))
        _choice("flip", self.flip, ("no", "yes"))
        _choice("shuffle", self.shuffle, ("once", "epoch"))
        _choice("statistics", self.statistics, ("filter", "tensor"))
        _choice("scales", self.scales, ("stated", "power-of-two"))
        _choice("backward", self.backward, ("ste", "sub"))
        _choice("clip_operands", self.clip_operands, ("", "yes", "no"))
        _choice("loss", self.loss, ("softmax", "sigmoid", "mse", "hinge"))
        _choice("optimizer", self.optimizer, ("sgd", "adam"))
        _choice("init", self.init, ("normal", "zero", "constant", "lecun", "xavier",
                                         "he"))
        _choice("schedule_by", self.schedule_by, ("epoch", "batch"))
        _choice("mode", self.mode, ("bit-true", "paper"))
        _choice("order", self.order, ("sequential", "tree"))
        _choice("underflow", self.underflow, ("zero", "smallest"))
        _choice("update", self.update, ("", "nearest", "stochastic"))
        _choice("decay", self.decay, ("gradient", "level"))
        for name, low, high in (("guard", 0, 12), ("update_guard", 1, 12), ("softmax_bits", 0, 12),
                                ("softmax_pull", 0, 15), ("softmax_free", -1, 255),
                                ("slope", -15, 0), ("spindle_kernels", 1, MOST_KERNELS),
                                ("threshold", 0, 254), ("shift", 0, 8), ("batch", 1, 1 << 16),
                                ("epochs", 1, 100000), ("val", 0, 1 << 24),
                                ("seed", 0, (1 << 32) - 1)):
            check_integer(name, getattr(self, name), low, high)
        for units in self.hidden:
            check_integer("hidden", units, 1, 1 << 16)
        for name in ("lr", "weight_decay", "init_std", "momentum", "clip", "l1", "input_mean",
                     "input_scale", "dropout", "dropout_input", "clip_norm", "gain", "lr_last"):
            parse_real(name, getattr(self, name))
        for name in ("momentum", "dropout", "dropout_input"):
            if parse_real(name, getattr(self, name)) >= 1:
                raise FormatError(f"{name} must be below 1, got {getattr(self, name)!r}")
        for name in ("lr", "init_std", "input_scale", "gain"):
            if not parse_real(name, getattr(self, name)):
                raise FormatError(f"{name} must be above 0, got {getattr(self, name)!r}")
        rate_factor(self.schedule, 0, 1, self.last)
        deltas.parse(self.softmax_delta)
        deltas.parse(self.norm_delta)
        check_combinations(self)

    def format(self, role: str) -> Lns | Fixed:
        """Return the format of weights, activations or gradients."""
        own = getattr(self, role)
        if own:
            return parse_format(own)
        f = parse_format(self.arith)
        if role == "gradients" and isinstance(f, Fixed) and f.bits < 16:
            return Fixed(f.bits, f.bits - 1)  # gradients are small: -1..1 is their range
        return f

    def pixel(self, value: int) -> Fraction:
        """Return what a network sees of a pixel of 0..255."""
        mean, scale = (parse_real(n, getattr(self, n)) for n in ("input_mean", "input_scale"))
        return (Fraction(value, 255) - mean) * scale

    @cached_property  # asked for in every batch
    def last(self) -> Fraction:
        """Return what the learning rate falls to, as a share of lr."""
        return parse_real("lr_last", self.lr_last) / parse_real("lr", self.lr)

    @property
    def binary(self) -> bool:
        """Whether weights and activations are -1 and 1."""
        return self.arith == "binary"

    @property
    def selects(self) -> bool:
        """Whether min-selectors stand for products."""
        return self.arith.startswith("minselect")

    @property
    def clips(self) -> bool:
        """Whether operands are clipped at twice their mean size: with min-selectors,
        unless told otherwise."""
        return self.clip_operands == "yes" or (self.selects and not self.clip_operands)

    @property
    def free(self) -> int:
        """Octaves that the mean logit may drift before it is pulled back (see
        nets.lns_softmax). Unless given, none with `balanced`, which drifts fast; with
        the others a quarter of the soft-max's register, written -1."""
        balanced = isinstance(deltas.parse(self.delta), deltas.Balanced)
        return 0 if self.softmax_free < 0 and balanced else self.softmax_free

    @property
    def stochastic(self) -> bool:
        """Whether updates of weights are rounded stochastically."""
        if self.update:
            return self.update == "stochastic"
        return self.arith not in FLOATS and isinstance(parse_format(self.arith), Fixed)

    def resolved(self) -> dict:
        """Return every setting as plain values, defaults included."""
        values = dataclasses.asdict(self)
        values["hidden"] = list(self.hidden)
        return values


def _choice(name: str, value: str, choices):
    if value not in choices:
        raise FormatError(f"{name} must be one of {', '.join(filter(None, choices))}, "
                          f"got {value!r}")
