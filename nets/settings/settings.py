"""What a training run is made of: every choice, its default and its limits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from fxp.format import Fixed, FormatError
from lnsarith.delta import methods as deltas
from lnsarith.lns.format import Lns
from lnsarith.spindle.kernels import MOST_KERNELS
from nets.settings.combinations import check_combinations
from nets.settings.operator import PREFIX as OPERATOR
from nets.settings.parsing import FLOATS, parse_format, parse_real
from nets.settings.recipes import RECIPES
from nets.settings.schedule import rate_factor
from nets.settings.setting import GROUPS, about, group
from nets.settings.spindle import MODES as SPINDLES
from nets.settings.spindle import activation_kind

__all__ = ["DELTAS", "FLOATS", "MODELS", "Settings", "parse_format", "parse_real"]

MODELS = ("mlp", "lenet5", "lenet-wide", "mini-cifar", "resnet8", "resnet20")
ACTIVATIONS = ("leaky", "relu", "sigmoid", "tanh", "mish", "gelu", "prelu", "spindle",
               "sign")
YES_NO = ("no", "yes")
DELTAS = ("delta", "norm_delta", "softmax_delta")

data, network, arithmetic, sums, updates, softmax, minselect, spindles, optimiser, run = (
    group(name) for name in GROUPS)


@dataclass(frozen=True)
class Settings:
    """The arithmetic, the network, the optimiser and the schedule of a run, in the groups
    of `nets.settings.setting`.

    Formats left empty follow `arith`; see `nets.arithmetic.lns` and `nets.arithmetic.fixed`
    for what each setting means there. Raises FormatError for values that cannot be, or
    that contradict each other.
    """

    dataset: str = data("mnist", "the images to learn, see lnsarith data list", unit="NAME",
                        first=True)
    input_mean: str = data("0", "what is taken from a pixel (0..1) before it is scaled",
                           number="real")
    input_scale: str = data("1", "what a pixel is multiplied with after that", number="positive")
    shift: int = data(0, "most pixels that a training image is moved by, up, down and sideways",
                      span=(0, 8), unit="PIXELS")
    flip: str = data("no", "mirror every other training image, by chance", choices=YES_NO)
    binarize_input: str = data("threshold", "pixels of binary networks; by probability they are "
                               "drawn anew whenever an image is trained on, none takes all eight "
                               "bits", choices=("threshold", "probability", "none"))
    threshold: int = data(127, "pixels (0..255) above it are 1", span=(0, 254))
    dropout_input: str = data("0", "share of the pixels that are left out in training",
                              number="share", unit="SHARE")

    model: str = network("mlp", "the layers: dense ones of --hidden units, or convolutions; "
                         "bnn is mlp with arith binary", choices=MODELS, first=True)
    hidden: tuple[int, ...] = network((100,), "units of mlp's hidden layers: 100, or 128,64, or "
                                      "none", span=(1, 1 << 16), unit="UNITS", first=True)
    activation: str = network(
        "leaky", "leaky (ReLU with a slope), relu; with float32 sigmoid, tanh, mish, gelu, prelu; "
        "with binary sign; with floats and fixed point spindle:FILE of lnsarith spindle fit "
        "--out; with floats spindle; with lns and fixed point op:NAME, an operator with a "
        "gradient", unit="NAME")
    slope: int = network(-7, "log2 of the leaky ReLU's slope", span=(-15, 0), unit="OCTAVES")
    init: str = network("normal", "the first weights; normal and constant go by --init-std",
                        choices=("normal", "zero", "constant", "lecun", "xavier", "he"))
    init_std: str = network("0.1", "standard deviation of the first weights, or the constant",
                            number="positive")
    norm: str = network("none", "batch: batch normalisation before each activation",
                        choices=("none", "batch"))
    dropout: str = network("0", "share of the hidden units of dense layers that are left out in "
                           "training", number="share", unit="SHARE")
    transfer: str = network("", "run whose weights training starts from, such as an exact net's",
                            unit="RUN")

    arith: str = arithmetic(
        "lns16", "number format: lns16, lns12, lns9.4, fixed16, fixed12.7, ...; minselect16, "
        "minselect12.7, ...; float32, float64, minselect-float; binary: weights and activations "
        "-1 and 1", unit="FORMAT", first=True)
    delta: str = arithmetic(
        "lut", "how LNS sums are approximated: exact, lut, lut:r=1/4, interp:r=1/4, balanced, "
        "pwl:segments=16, ..., file:FILE of lnsarith design delta, design:lns12-805, ...",
        unit="METHOD", first=True)
    mode: str = arithmetic("bit-true", "paper is the published linear baseline on float64 weights",
                           choices=("bit-true", "paper"))
    weights: str = arithmetic("", "format of the weights alone (default: that of --arith)",
                              unit="FORMAT")
    activations: str = arithmetic("", "format of the activations alone (default: that of --arith)",
                                  unit="FORMAT")
    gradients: str = arithmetic("", "format of the gradients alone (default: follows --arith)",
                                unit="FORMAT")
    underflow: str = arithmetic("zero", "what too small an LNS result becomes",
                                choices=("zero", "smallest"))

    guard: int = sums(0, "more fraction bits in the register of an LNS sum", span=(0, 12),
                      unit="BITS")
    register_bits: int = sums(0, "more integer bits in the register of LNS sums and updates",
                              span=(0, 8), unit="BITS")
    order: str = sums("sequential", "order of LNS sums; images: sequential, but gradients over "
                      "places are summed for each image, then these",
                      choices=("sequential", "images", "tree"))
    accumulator: str = sums("exact", "of fixed-point sums: exact, limitedN (N bits) or each",
                            unit="KIND")
    norm_delta: str = sums("interp", "how LNS sums are approximated in batch normalisation",
                           unit="METHOD")

    update: str = updates("", "rounding of updates (default: nearest in LNS, stochastic in fixed "
                          "point)", choices=("", "nearest", "stochastic"))
    update_guard: int = updates(8, "more bits that a stochastic update rounds away", span=(1, 12),
                                unit="BITS")
    decay: str = updates("gradient", "LNS weights decay by the gradient, or by their level, step "
                         "by step", choices=("gradient", "level"))

    softmax_bits: int = softmax(4, "more integer bits in the soft-max's register", span=(0, 12),
                                unit="BITS")
    softmax_pull: int = softmax(8, "pull the mean logit back by 2^-N of its excess; 0 does not",
                                span=(0, 15))
    softmax_free: int = softmax(-1, "octaves it may drift before (-1: 0 for balanced, else a "
                                "quarter)", span=(-1, 255), unit="OCTAVES")
    logits: str = softmax("", "format of the logits (default: that of the activations; in fixed "
                          "point then without the pull of softmax_pull)", unit="FORMAT")
    softmax_delta: str = softmax("lut:r=1/64,index=truncate", "how the LNS sum in the soft-max is "
                                 "approximated", unit="METHOD")

    gain: str = minselect("1.9459", "what a min-selected product is scaled by: 1.9459 for least "
                          "squares, ...", number="positive")
    statistics: str = minselect("filter", "mean sizes of weights that scale and clip them: of a "
                                "filter or the whole tensor", choices=("filter", "tensor"))
    scales: str = minselect("stated", "with minselect16, ...: factors of sums as stated, or "
                            "rounded", choices=("stated", "power-of-two"))
    backward: str = minselect("ste", "gradient: of the exact product (ste) or their own (sub)",
                              choices=("ste", "sub"))
    clip_operands: str = minselect("", "clip weights, and inputs in training, at twice their mean "
                                   "size (default: yes with minselect; float32 can prepare for it)",
                                   choices=("", "yes", "no"))

    spindle: str = spindles(
        "", "the activation is frozen, tuned (by gradient), or fitted to what flows in: first "
        "(before the first epoch), once (after it), online (before each); default frozen with a "
        "file, else online", choices=SPINDLES)
    spindle_kernels: int = spindles(2, "logistic kernels of each activation that is fitted to what "
                                    "flows in", span=(1, MOST_KERNELS), unit="KERNELS")

    loss: str = optimiser("softmax", "with float32 and lns also sigmoid (of each class its "
                          "own), with float32 mse, hinge (squared); log-softmax and squared-hinge "
                          "are other names",
                          choices=("softmax", "sigmoid", "mse", "hinge"))
    lr: str = optimiser("2^-6", "learning rate: 2^-6, 1/64, 0.01, ...", number="positive",
                        unit="RATE", first=True)
    optimizer: str = optimiser("sgd", "adam goes with float32", choices=("sgd", "adam"))
    schedule: str = optimiser("constant", "of the rate: constant, cosine, linear, exponential, "
                              "step:N or exponential:Q", unit="KIND")
    schedule_by: str = optimiser("epoch", "the rate changes with each epoch or with each batch",
                                 choices=("epoch", "batch"))
    lr_last: str = optimiser("0", "what it falls to by schedule cosine, linear or exponential",
                             number="real", unit="RATE")
    momentum: str = optimiser("0", "share of its velocity that a weight keeps (below 1)",
                              number="share", unit="SHARE")
    clip: str = optimiser("0", "largest magnitude of a gradient's number; 0 for any", number="real")
    clip_norm: str = optimiser("0", "with float32: largest norm of all gradients together; 0 for "
                               "any", number="real")
    loss_scale: int = optimiser(0, "in words gradients are 2^N times as large on their way, and "
                                "as they are in a step: small ones would be zero", span=(0, 16),
                                unit="OCTAVES")
    l1: str = optimiser("0", "L1: with L in the loss L |w|, so L is added to the gradient with the "
                        "sign of w", number="real")
    weight_decay: str = optimiser("2^-10", "L2: with L in the loss L w^2/2, so L w is added to the "
                                  "gradient of w", number="real")

    recipe: str = run("icassp2020", "settings that go together: icassp2020 is the published "
                      "recipe over the defaults, best what measured best for the format of "
                      "--arith (lnsarith recipes)", choices=RECIPES, first=True)
    batch: int = run(5, "images a step", span=(1, 1 << 16), unit="IMAGES", first=True)
    epochs: int = run(20, "how often each image is seen", span=(1, 100000), first=True)
    val: int = run(10000, "training images held back for validation", span=(0, 1 << 24),
                   unit="IMAGES")
    shuffle: str = run("once", "the images come in one order, or in another each epoch",
                       choices=("once", "epoch"))
    seed: int = run(0, "of the shuffle, the first weights and stochastic rounding",
                    span=(0, (1 << 32) - 1), first=True)

    def __post_init__(self):
        if self.model == "bnn":
            raise FormatError("model bnn is mlp with arith binary; a run that has it was "
                              "trained by an earlier version: train it anew")
        for field in dataclasses.fields(self):
            about(field).check(field.name, getattr(self, field.name))
        for name in DELTAS:  # a run needs no file of a method
            object.__setattr__(self, name, deltas.inlined(getattr(self, name)))
        kind = activation_kind(self.activation)
        if kind not in ACTIVATIONS and not kind.startswith(OPERATOR):
            raise FormatError(f"activation must be one of {', '.join(ACTIVATIONS)}, or op:NAME, "
                              f"got {kind!r}")
        rate_factor(self.schedule, 0, 1, self.last)
        deltas.parse(self.softmax_delta)
        deltas.parse(self.norm_delta)
        check_combinations(self)

    def format(self, role: str) -> Lns | Fixed:
        """Return the format of weights, activations, gradients or logits."""
        own = getattr(self, role)
        if own:
            return parse_format(own)
        if role == "logits":
            return self.format("activations")
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
        nets.arithmetic.lns.softmax). Unless given, none with `balanced`, which drifts fast; with
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

