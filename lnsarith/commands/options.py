"""Options of the commands that deal with networks: one for each setting, TOML files."""

from __future__ import annotations

import dataclasses
import difflib
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from nets.settings import Settings

__all__ = [
    "add_computing",
    "add_data",
    "add_settings",
    "given_settings",
    "integer",
    "plain",
    "share",
    "thread_count",
]

FIELDS = {field.name: field for field in dataclasses.fields(Settings)}

HELP = {
    "dataset": "the images to learn, see lnsarith data list",
    "arith": "number format: lns16, lns12, lns9.4, fixed16, fixed12.7, ...; "
             "minselect16, minselect12.7, ...; float32, float64, minselect-float; binary: weights "
             "and activations -1 and 1",
    "delta": "how LNS sums are approximated: exact, lut, lut:r=1/4, bitshift, ...",
    "mode": "bit-true, or paper: the published linear baseline on float64 weights",
    "weights": "format of the weights alone (default: that of --arith)",
    "activations": "format of the activations alone (default: that of --arith)",
    "gradients": "format of the gradients alone (default: follows --arith)",
    "guard": "more fraction bits in the register of an LNS sum",
    "order": "order of LNS sums: sequential or tree",
    "underflow": "what too small an LNS result becomes: zero or smallest",
    "accumulator": "of fixed-point sums: exact, limitedN (N bits) or each",
    "update": "rounding of updates: nearest or stochastic (default: nearest in LNS)",
    "update_guard": "more bits that a stochastic update rounds away",
    "softmax_bits": "more integer bits in the soft-max's register",
    "softmax_pull": "pull the mean logit back by 2^-N of its excess; 0 does not",
    "softmax_free": "octaves it may drift before (-1: 0 for balanced, else a quarter)",
    "softmax_delta": "how the LNS sum in the soft-max is approximated",
    "norm_delta": "how LNS sums are approximated in batch normalisation",
    "input_mean": "what is taken from a pixel (0..1) before it is scaled",
    "input_scale": "what a pixel is multiplied with after that",
    "binarize_input": "pixels of binary networks: threshold, probability (drawn anew whenever an "
                      "image is trained on), or none: all eight bits",
    "threshold": "pixels (0..255) above it are 1",
    "shift": "most pixels that a training image is moved by, up, down and sideways",
    "flip": "mirror every other training image, by chance: yes or no",
    "shuffle": "once: the images come in one order; epoch: in another order each epoch",
    "model": "mlp, lenet5, lenet-wide or mini-cifar; bnn: mlp with arith binary",
    "activation": "leaky (ReLU with a slope), relu; with float32 sigmoid, tanh, mish, gelu, prelu; "
    "with binary sign; "
    "with floats and fixed point spindle:FILE of lnsarith spindle fit --out; with floats spindle",
    "spindle": "the activation spindle is frozen, tuned (by gradient), or fitted to what flows in: "
    "first (before the first epoch), once (after it), online (before each); default frozen with "
    "a file, else online",
    "spindle_kernels": "logistic kernels of each activation that is fitted to what flows in",
    "hidden": "units of the hidden layers: 100, or 128,64, or none",
    "slope": "log2 of the leaky ReLU's slope",
    "init": "of the first weights: normal or constant (init_std), zero, lecun, xavier, he",
    "gain": "what a min-selected product is scaled by: 1.9459 for least squares, ...",
    "statistics": "mean sizes of weights that scale and clip them: of a filter or the whole tensor",
    "scales": "with minselect16, ...: factors of sums as stated, or rounded to power-of-two",
    "backward": "gradient of min-selectors: ste (of the exact product) or sub (their own)",
    "clip_operands": "clip weights, and inputs in training, at twice their mean size: yes or no"
                     " (default: yes with minselect; float32 can prepare for it)",
    "transfer": "run whose weights training starts from, such as an exact net's",
    "loss": "softmax; with float32 also sigmoid (of each class its own), mse, hinge (squared); "
            "log-softmax and squared-hinge are other names of softmax and hinge",
    "norm": "batch: batch normalisation before each activation; none",
    "dropout": "share of the hidden units of dense layers that are left out in training",
    "dropout_input": "share of the pixels that are left out in training",
    "init_std": "standard deviation of the first weights, or the constant",
    "lr": "learning rate: 2^-6, 1/64, 0.01, ...",
    "lr_last": "what it falls to by schedule cosine, linear or exponential",
    "optimizer": "sgd, or with float32 adam",
    "schedule": "of the rate: constant, cosine, linear, exponential, step:N or exponential:Q",
    "schedule_by": "the rate changes with each epoch or with each batch",
    "momentum": "share of its velocity that a weight keeps (below 1)",
    "clip": "largest magnitude of a gradient's number; 0 for any",
    "clip_norm": "with float32: largest norm of all gradients together; 0 for any",
    "l1": "L1: with L in the loss L |w|, so L is added to the gradient with the sign of w",
    "weight_decay": "L2: with L in the loss L w^2/2, so L w is added to the gradient of w",
    "decay": "how LNS weights decay: gradient (added to it) or level (step by step)",
    "batch": "images a step",
    "epochs": "how often each image is seen",
    "val": "training images held back for validation",
    "seed": "of the shuffle, the first weights and stochastic rounding",
}


def add_settings(parser: ArgumentParser, fields=FIELDS, texts=HELP) -> None:
    """Add --config, and an option for each field of Settings, or of other settings."""
    group = parser.add_argument_group(
        "settings",
        "The defaults are those of mnist; digits has its own val, epochs and lr.",
    )
    group.add_argument(
        "--config",
        metavar="FILE",
        help="take settings from a TOML file; options beat it",
    )
    for name, field in fields.items():
        default = f" (default {plain(field.default)})" if field.default != "" else ""
        text = (texts.get(name, "") + default).replace("%", "%%")
        group.add_argument(_flag(name), metavar=name.upper(), help=text)


def add_data(parser) -> None:
    """Add --data-dir."""
    text = "folder of the data sets (default $LNSARITH_DATA, else the user's cache)"
    parser.add_argument("--data-dir", metavar="DIR", help=text)


def add_computing(parser) -> None:
    """Add what changes the speed of a network and not a bit of it."""
    parser.add_argument("--threads", metavar="N", help="(default: one a core)")
    parser.add_argument(
        "--backend",
        choices=("vector", "numpy"),
        default="vector",
        help="compiled kernels, or the same circuits in NumPy, which is slow",
    )


def given_settings(args: Namespace, fields=FIELDS) -> dict:
    """Return the settings that the file and the options give, the options' first."""
    given = _from_file(Path(args.config), fields) if args.config else {}
    for name in fields:
        if (text := getattr(args, name)) is not None:
            given[name] = _read(name, text, fields)
    return given


def thread_count(text: str | None) -> int:
    """Return the threads meant by --threads."""
    if text is None:
        affinity = getattr(os, "sched_getaffinity", None)
        return len(affinity(0)) if affinity else os.cpu_count() or 1
    count = integer("threads", text)
    if not 1 <= count <= 1024:
        raise ValueError(f"threads must be 1..1024, got {count}")
    return count


def share(name: str, text: str) -> float:
    """Return a share in 0..1 written as 0.95 or 95%."""
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        value = float(number) / (100 if percent else 1)
    except ValueError:
        value = float("nan")
    if 0 <= value <= 1:
        return value
    hint = f"; write {number}%" if 1 < value <= 100 and not percent else ""
    raise ValueError(f"{name} must be a share such as 0.95 or 95%, got {text!r}{hint}")


def plain(value) -> str:
    """Return a setting as it is written on the command line."""
    if isinstance(value, tuple | list):
        return ",".join(map(str, value)) or "none"
    return str(value)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _from_file(path: Path, fields) -> dict:
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    settings = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in fields:
            near = difflib.get_close_matches(name, fields, 1, 0.6)
            hint = (
                f"did you mean {near[0]}?" if near else f"there are {', '.join(fields)}"
            )
            raise ValueError(f"{path}: no setting is called {key!r}; {hint}")
        settings[name] = _read(name, value, fields)
    return settings


def _read(name: str, value, fields):
    """Return a setting given as text or as a value of TOML."""
    kind = type(fields[name].default)
    if kind is tuple:
        if isinstance(value, str):
            value = [] if value.strip().lower() in ("", "none") else value.split(",")
        units = value if isinstance(value, list) else [value]
        return tuple(integer(name, v) for v in units)
    if kind is int:
        return integer(name, value)
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"{name} must be text or a number, got {value!r}")


def integer(name: str, value) -> int:
    """Return an integer given as text or as a value of TOML."""
    try:
        if isinstance(value, str | int) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        pass
    raise ValueError(f"{name} must be an integer, got {value!r}")
