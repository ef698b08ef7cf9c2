"""What training and generation gave before is what they give: digests of models and Verilog.

A digest that changes says that a bit of some result did. Then either a fault has been
made, or one has been mended and its results are stated anew:

    SAME_RESULTS=write python -m pytest tests/test_same_results.py
"""

import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.data_mirror import idx

from lnsarith.cli import main
from verilog.catalogue import design

KEPT = Path(__file__).with_name("same_results.json")
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
         "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
SHORT = "--dataset mnist --recipe icassp2020 --epochs 1 --batch 20 --val 0 --hidden 12"
IMAGES = "--dataset mnist --epochs 1 --batch 16 --val 0"

RUNS = {
    "lns16-lut": SHORT,
    "lns16-exact": f"{SHORT} --delta exact",
    "lns16-balanced": f"{SHORT} --delta balanced",
    "lns16-pwl": f"{SHORT} --delta pwl:segments=8",
    "lns16-mitchell-momentum": f"{SHORT} --delta mitchell --momentum 0.5 --schedule cosine",
    "lns12-lut": f"{SHORT} --arith lns12",
    "lns12-guard-stochastic": f"{SHORT} --arith lns12 --guard 2 "
                                    "--update stochastic",
    "lns12-interp-level": f"{SHORT} --arith lns12 --delta interp:r=1/4 --decay level",
    "lns9.4-guard-tree-stochastic": f"{SHORT} --arith lns9.4 --guard 2 --order tree "
                                    "--update stochastic",
    "lns12-smallest": f"{SHORT} --arith lns12 --underflow smallest --clip 1",
    "fixed16": f"{SHORT} --arith fixed16",
    "fixed12-gradients": f"{SHORT} --arith fixed12 --gradients fixed12.11",
    "fixed16-nearest-each": f"{SHORT} --arith fixed16 --update nearest --accumulator each",
    "fixed16-two-layers-dropout": f"{SHORT},9 --arith fixed16 --dropout 0.25 --shuffle epoch",
    "minselect16": f"{SHORT} --arith minselect16",
    "lenet5-lns16": f"{IMAGES} --model lenet5",
    "lenet5-fixed16-norm": f"{IMAGES} --model lenet5 --arith fixed16 --norm batch",
    "lenet5-lns12-moved": f"{IMAGES} --model lenet5 --arith lns12 --shift 1 --flip yes",
}
AFTER = {
    "pruned": ("lns12-lut", "prune {run} --pattern 2:4 --epochs 1"),
    "quantized": ("fixed16", "quantize {run} --images 50"),
}
DESIGNS = [
    ("lns-add", "lns16", {}, 0),
    ("lns-add", "lns12", {"delta": "exact"}, 0),
    ("lns-add", "lns16", {"delta": "balanced"}, 0),
    ("lns-add", "lns12", {"delta": "pwl:segments=8"}, 2),
    ("lns-add", "lns9.4", {"delta": "interp:r=1/4"}, 0),
    ("lns-add", "lns12", {"delta": "mitchell"}, 0),
    ("lns-add", "lns12", {"delta": "bitshift"}, 1),
    ("lns-sub", "lns12", {}, 0),
    ("lns-mul", "lns16", {}, 0),
    ("lns-div", "lns12", {}, 0),
    ("lns-mac", "lns12", {"delta": "balanced"}, 3),
    ("lns-to-fixed", "lns12", {}, 0),
    ("lns-from-fixed", "lns12", {}, 0),
    ("fixed-add", "fixed16", {}, 0),
    ("fixed-mul", "fixed16", {}, 4),
    ("fixed-mac", "fixed12", {}, 0),
    ("fixed-minselect-mac", "fixed12", {}, 0),
    ("fixed-spindle", "fixed16", {}, 1),
    ("fixed-pwl", "fixed12", {}, 0),
    ("fixed-xnor-popcount", "ufixed16.0", {}, 0),
    ("lns-mac-unit", "lns12", {}, 0),
    ("fixed-mac-unit", "fixed16", {}, 0),
    ("fixed-dot", "fixed12", {"n": "3"}, 0),
    ("lns-systolic", "lns9.4", {"rows": "2", "columns": "3"}, 0),
    ("fixed-xnor-unit", "ufixed32.0", {}, 0),
]


@pytest.fixture(scope="module")
def kept():
    """The digests as they were; what a test puts there is written if asked for."""
    digests = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    yield digests
    if os.environ.get("SAME_RESULTS") == "write":
        KEPT.write_text(json.dumps(digests, indent=1, sort_keys=True) + "\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A place of runs, and small images in the files of MNIST."""
    random = np.random.default_rng(7)
    place = tmp_path_factory.mktemp("same")
    (place / "mnist").mkdir()
    classes = random.integers(0, 256, (10, 28, 28))
    arrays = []
    for count in (160, 40):
        labels = random.integers(0, 10, count)
        noise = random.integers(0, 64, (count, 28, 28))
        images = np.where(classes[labels] > 160, 192 + noise, 0)
        arrays += [images.astype(np.uint8), labels.astype(np.uint8)]
    for name, array in zip(FILES, arrays, strict=True):
        (place / "mnist" / name).write_bytes(idx(array))
    return place


def same(kept, name, digest):
    if os.environ.get("SAME_RESULTS") == "write":
        kept[name] = digest
    assert kept[name] == digest


def run(folder, *words):
    assert main([*words, "--data-dir", str(folder), "--json"]) == 0


def trained(folder, name):
    """Return the folder of a run, trained if it was not."""
    out = folder / name
    if not (out / "model.npz").exists():
        run(folder, "train", *RUNS[name].split(), "--out", str(out), "--no-plot")
    return out


@pytest.mark.parametrize("name", RUNS)
def test_a_model_has_the_bytes_that_it_had(name, folder, kept):
    model = trained(folder, name) / "model.npz"
    same(kept, f"train {name}", hashlib.sha256(model.read_bytes()).hexdigest())


@pytest.mark.parametrize("name", AFTER)
def test_what_is_made_of_a_model_has_the_words_that_it_had(name, folder, kept):
    source, command = AFTER[name]
    out = folder / name
    run(folder, *command.format(run=trained(folder, source)).split(), "--out", str(out))
    sha = hashlib.sha256()
    for path in sorted(out.iterdir()):
        if path.suffix in (".npz", ".hex", ".memh"):
            sha.update(path.name.encode() + path.read_bytes())
    same(kept, f"make {name}", sha.hexdigest())


@pytest.mark.parametrize("name, form, options, latency", DESIGNS, ids=str)
def test_a_design_has_the_text_that_it_had(name, form, options, latency, kept):
    made = design(name, form, options, latency)
    text = "".join(re.sub(r"// Generated by .*\n", "", t) for t in made.files.values())
    shown = " ".join([name, form, *(f"{k}={v}" for k, v in options.items()), str(latency)])
    same(kept, f"rtl {shown}", hashlib.sha256(text.encode()).hexdigest())
