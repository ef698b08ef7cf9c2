"""Batch norm, means, convolutions of min-selectors and bits: every answer is the engine's."""

import pytest
from helpers.hardware.cores import bench, core_of, passed, small, written
from helpers.small_integers import every_kind, pixels

from lnsarith.commands.rtl.core.integers import parts_of_integers
from nets.network import models
from verilog.core.check import check_core


def small_network(b, classes):
    """Max pooling, means, both behind padded convolutions, and dense layers."""
    b.conv(3, 3, padding="same").max_pool(2).active()
    b.conv(4, 2, padding="same").active().average_pool(2).flat()
    return b.dense(5).active().dense(classes)


def small_bits(b, classes):
    """Convolutions, the second of two words of channels, pooling, and dense layers."""
    b.conv(33, 2, padding="same").max_pool(2).active().conv(5, 2, padding="same").active().flat()
    return b.dense(5).active().dense(classes)


CASES = {
    "norm of dense layers": ({"arith": "lns12", "hidden": (7, 5), "norm": "batch"}, 4, 3),
    "in fixed point": ({"arith": "fixed12", "hidden": (6,), "norm": "batch"}, 3, 2),
    "with guard bits": ({"arith": "lns12", "guard": 2, "delta": "interp", "norm": "batch",
                         "hidden": (6,)}, 2, 1),
    "selectors": ({"arith": "minselect12", "hidden": (5,), "norm": "batch"}, 5, 1),
}
NETWORKS = {  # with columns of a row, lanes, registers, and images: of a batch and in all
    "lns": ({"arith": "lns12", "norm": "batch"}, 6, 4, 2, 2, 3),  # the mean leaves a column out
    "lns, one lane": ({"arith": "lns9.4"}, 4, 1, 1, 1, 3),
    "fixed": ({"arith": "fixed12", "norm": "batch"}, 4, 3, 2, 3, 2),
    "selectors": ({"arith": "minselect12", "norm": "batch"}, 4, 2, 2, 2, 2),
}


@pytest.mark.parametrize("name", CASES)
def test_batch_norm_answers_as_the_engine_does(name, tmp_path):
    settings, lanes, pipeline = CASES[name]
    parts = small(settings)
    core = core_of(parts, lanes, pipeline)
    printed = bench(written(core, parts, tmp_path / "core", 2 * core.schedule.batch + 1))
    assert passed(printed), printed


@pytest.mark.parametrize("name", NETWORKS)
def test_means_and_maxima_answer_as_the_engine_does(name, tmp_path, monkeypatch):
    monkeypatch.setitem(models.MODELS, "lenet5", small_network)
    settings, columns, lanes, pipeline, batch, images = NETWORKS[name]
    parts = small({**settings, "model": "lenet5"}, (8, columns, 2))
    core = core_of(parts, lanes, pipeline, batch)
    assert [f.average for f in core.schedule.forms] == [False, True, False, False]
    printed = bench(written(core, parts, tmp_path / "core", images))
    assert passed(printed), printed


@pytest.mark.parametrize("lanes, pipeline", [(5, 2), (1, 1)])
def test_convolutions_of_bits_answer_as_the_engine_does(lanes, pipeline, tmp_path, monkeypatch):
    monkeypatch.setitem(models.MODELS, "lenet5", small_bits)
    parts = small({"arith": "binary", "model": "lenet5"}, (5, 4))
    core = core_of(parts, lanes, pipeline)
    every = [row >> (core.parameter_bits - 1) for row in core.parameters[:33]]
    assert core.schedule.forms[1].channels == 2 and {*every} == {0, 1}
    printed = bench(written(core, parts, tmp_path / "core", 3))
    assert passed(printed), printed


@pytest.mark.parametrize("lanes, pipeline", [(4, 2), (1, 1)])
def test_integers_of_every_kind_answer_as_the_engine_does(lanes, pipeline):
    network = every_kind()
    parts = parts_of_integers(network)
    core = core_of(parts, lanes, pipeline)
    images = pixels(network, 5)
    verdict = check_core(core, images, parts[3](images), gaps=60, random_start=True)
    assert verdict.equal and verdict.words == 50
