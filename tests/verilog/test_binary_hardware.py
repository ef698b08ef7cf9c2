"""An exported network on the xnor unit: 32 bits a cycle, the same counts and classes."""

import json

import numpy as np
import pytest
from helpers.small_digits import small
from oracles import binary as oracle

from lnsarith.cli import main
from nets.binary.fold import fold
from nets.binary.folder import write_export
from nets.settings.suited import settings_for
from nets.train.trainer import Trainer
from verilog.catalogue import design

WORD, IMAGES = 32, 6


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return a trained network's folder and the images of its golden vectors."""
    settings = settings_for({"dataset": "digits", "model": "bnn", "hidden": (70, 33), "val": 0,
                             "epochs": 4})
    trainer = Trainer(settings, small(600, IMAGES))
    for _ in range(4):
        trainer.train_epoch()
    folder = tmp_path_factory.mktemp("binary") / "export"
    write_export(folder, fold(trainer.network), {}, trainer.test[0])
    return oracle.Exported(folder), trainer.test[0]


@pytest.mark.parametrize("layer, answers", [(0, 5), (1, 10)])
def test_a_layer_runs_on_the_unit_in_the_simulator(layer, answers, tmp_path, capsys):
    run = str(tmp_path / "r")
    assert main(["train", "--model", "bnn", "--dataset", "digits", "--hidden", "5", "--epochs",
                 "1", "--no-plot", "--out", run]) == 0
    capsys.readouterr()
    command = ["rtl", "sim", "xnor-unit", "--run", run, "--layer", str(layer), "--images", "2"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["compared"], found["wrong"]) == (2 * answers, 0)
    for more, words in ((["--layer", "2"], "layer must be 0..1"),
                        (["--images", "0"], "images must be 1..355"),
                        (["--arith", "ufixed4.0", "--option", "depth=1", "--layer", "0"],
                         "leave --option depth out")):
        assert main([*command, *more]) == 2
        assert words in capsys.readouterr().err


@pytest.fixture(scope="module")
def unit():
    return design("xnor-unit", "ufixed32.0", {"depth": "3"})


def words_of(number, bits, filled):
    """Return a row as words of 32 bits, the bits beyond it 0 or, filled, 1: inputs and
    weights differ there, so that they are never counted."""
    count = -(-bits // WORD)
    number |= filled * ((1 << (WORD * count)) - (1 << bits))
    return [number >> (WORD * k) & 0xFFFFFFFF for k in range(count)]


def stimulus(inputs, rows, thresholds, bits):
    """Return a column of words for each port: every input against every row."""
    columns = {name: [] for name in ("start", "last", "threshold", "a", "b")}
    for own in inputs:
        for row, threshold in zip(rows, thresholds):
            a, b = words_of(own, bits, False), words_of(row, bits, True)
            columns["a"] += a
            columns["b"] += b
            columns["start"] += [1] + [0] * (len(a) - 1)
            columns["last"] += [0] * (len(a) - 1) + [1]
            columns["threshold"] += [threshold] * len(a)
    return {name: np.array(column, np.int64) for name, column in columns.items()}


def test_the_unit_s_model_gives_counts_fires_and_classes(exported, unit):
    network, images = exported
    inputs = [oracle.pixel_bits(image.tolist(), 127)[0] for image in images]
    for row, rows, own in network.layers:
        thresholds = own if "thresholds" in row else [0] * len(rows)
        found = unit.model(stimulus(inputs, rows, thresholds, row["inputs"]))
        shape = len(inputs), row["units"]
        counts, fires = (np.asarray(found[k]).reshape(shape) for k in ("count", "fire"))
        assert counts.tolist() == [[oracle.equal_bits(x, w, row["inputs"]) for w in rows]
                                   for x in inputs]
        if "thresholds" in row:
            inputs = [sum(int(bit) << i for i, bit in enumerate(image)) for image in fires]
    scores = (counts << row["fraction"]) + np.array(own)
    classes = network.numbers(network.folder / "golden_classes.hex")
    assert scores.argmax(axis=1).tolist() == classes


def test_the_unit_s_circuit_fires_as_golden_vectors_do_cycle_by_cycle(exported, unit):
    network, _ = exported
    folder = network.folder
    row, rows, thresholds = network.layers[0]
    own = network.numbers(folder / "golden_input.hex")[:1]
    wanted = network.numbers(folder / "golden_layer0.hex")[0]
    columns = stimulus(own, rows, thresholds, row["inputs"])
    total, fired = 0, []
    for cycle in zip(*(columns[name].tolist() for name in columns)):
        total, fire, _, done = unit.circuit(**dict(zip(columns, cycle)), total=total)
        fired += [fire] * done
    assert sum(bit << i for i, bit in enumerate(fired)) == wanted
