"""Small cores of networks that nobody trained, with the engine's answers."""

import re
from fractions import Fraction

import numpy as np

from lnsarith.commands.rtl.core.bits import bit_answers
from lnsarith.commands.rtl.core.source import engine_answers, parts_of
from nets.layers.binary.layers import BinaryNorm
from nets.layers.norm import BatchNorm
from nets.network.probe import plain_layer
from nets.settings.suited import settings_for
from nets.train.trainer import build
from verilog import tools
from verilog.core.inference.core import inference_core
from verilog.core.inference.schedule import choose_schedule
from verilog.core.package import load_words, write_core

ABOUT = {"settings": {"arith": "some"}, "epoch": 0, "model_sha256": "0" * 64}


def small(settings, shape=(3, 4), classes=4, seed=0):
    """Return the parts of a network of drawn weights: arithmetic, layers, words, answers."""
    plain = settings["arith"] != "binary" and "model" not in settings
    drawn = {"init_std": "0.5"} if plain else {}
    made = settings_for({"dataset": "digits", **drawn, **settings})
    network = build(made, shape, classes, np.random.default_rng(seed))
    draw_norms(network, np.random.default_rng(seed + 1))
    answers = (bit_answers if made.binary else engine_answers)(network)
    return (*parts_of(made, network), answers)


def draw_norms(network, rng):
    """Give batch norm other statistics, gains (some below zero) and shifts than those it begins
    with, which would leave most numbers as they are."""
    spans = {"mean": (-1, 1), "variance": (0.2, 4), "gamma": (-2, 2), "beta": (-1, 1)}
    for layer in map(plain_layer, network.layers):
        if isinstance(layer, BatchNorm | BinaryNorm):
            for name, span in spans.items():
                t = getattr(layer, name)
                put_reals(network.ar, t, rng.uniform(*span, (1, t.columns)))


def put_reals(ar, t, values):
    """Put the words nearest to values into a tensor, in LNS those of the table of logs."""
    if "value" in t.fields:
        t.fields["value"][...] = values
        return
    if hasattr(ar, "set_reals"):
        ar.set_reals(t, values)
        return
    for k, value in enumerate(values.ravel()):
        n = ar._number(Fraction(float(value)), ar.formats[t.role])
        for part, word in zip(("level", "sign"), n):
            t.fields[part][0, k] = word


def images(count, pixels=12, seed=0):
    """Return images, a third of their pixels zero."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 256, (count, pixels), dtype=np.uint8)
    return np.where(rng.random(values.shape) < 0.3, 0, values).astype(np.uint8)


def core_of(parts, lanes, pipeline, batch=None, name="core", changed=None):
    """Return a core of some parts."""
    arithmetic, layers = parts[:2]
    s = choose_schedule([x.shape for x in layers], lanes, pipeline, batch,
                        (arithmetic.sums.row_bits, arithmetic.number.bits),
                        1 if arithmetic.sums.start else 0, arithmetic.packed,
                        tuple(x.numbers for x in layers if x.numbers))
    return inference_core(name, arithmetic, layers, s, changed)


def written(core, parts, folder, count=5, load=None):
    """Write a core with so many golden images."""
    pixels = images(count, core.schedule.pixels)
    words = parts[3](pixels)
    write_core(core, folder, ABOUT, pixels, words,
               load_words(core, load or parts[2]), {})
    return folder


def bench(folder, name="core", seconds=240):
    """Return what the bench of a folder prints; a bench that fails or does not end too."""
    sources = (folder / "files.f").read_text().split()
    tools.run([tools.program("iverilog"), "-g2001", "-o", "tb.vvp", *sources, f"tb_{name}.v"],
              cwd=folder, seconds=seconds)
    try:
        return tools.run([tools.program("vvp"), "-N", "tb.vvp"], cwd=folder, seconds=seconds)
    except tools.ToolError as error:
        return str(error)


def passed(printed):
    """Whether a bench compared answers and found all right."""
    return bool(re.search(r"PASS: [1-9]\d* answers", printed)) and "FAIL" not in printed
