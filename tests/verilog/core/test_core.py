"""Inference cores: every answer is the engine's, at full speed, with gaps, after a reset."""

import numpy as np
import pytest
from helpers.hardware.cores import bench, core_of, images, passed, small, written

from fxp.format import FormatError
from nets.network import models
from verilog.core.check import check_core
from verilog.core.inference.schedule import choose_schedule
from verilog.core.parts.memory import block_count, hex_rows, memory

CASES = {
    "one lane": ({"arith": "lns12", "hidden": (5,)}, 1, 1, None),
    "outputs and images": ({"arith": "lns12", "hidden": (7,)}, 4, 3, 6),
    "guard bits": ({"arith": "lns12", "delta": "interp", "guard": 2, "hidden": (6, 5)}, 6, 2, None),
    "lns16": ({"arith": "lns16", "hidden": (6,), "activation": "relu"}, 3, 4, None),
    "no hidden layer": ({"arith": "lns9.4", "hidden": ()}, 2, 2, None),
    "fixed": ({"arith": "fixed16", "hidden": (5, 6)}, 4, 2, None),
    "relu": ({"arith": "fixed12", "hidden": (5,), "activation": "relu"}, 2, 2, None),
    "limited": ({"arith": "fixed12", "accumulator": "limited20", "hidden": (6,)}, 5, 1, None),
    "each": ({"arith": "fixed12", "accumulator": "each", "hidden": (6,)}, 2, 3, 6),
    "logits of their own": ({"arith": "fixed12", "logits": "fixed16.8", "hidden": (6,)}, 3, 2,
                            None),
    "wide register, wide logits": ({"arith": "lns8.3", "register_bits": 2, "guard": 5,
                                    "logits": "lns12", "hidden": (6,)}, 3, 2, None),
    "narrow logits": ({"arith": "lns12", "logits": "lns9.4", "hidden": (6,)}, 3, 2, None),
    "bits": ({"arith": "binary", "hidden": (37, 9)}, 6, 2, None),
    "selectors": ({"arith": "minselect12", "hidden": (6,)}, 6, 2, None),
}


@pytest.mark.parametrize("name", CASES)
def test_a_core_answers_as_the_engine_does(name, tmp_path):
    settings, lanes, pipeline, batch = CASES[name]
    parts = small(settings)
    core = core_of(parts, lanes, pipeline, batch)
    printed = bench(written(core, parts, tmp_path / "core", 2 * core.schedule.batch + 1))
    assert passed(printed), printed


def test_a_batch_begins_no_tile_while_two_wait(tmp_path):
    """Sums of two steps are formed faster than rows of ten lanes are drained."""
    parts = small({"arith": "fixed12", "hidden": (1,)}, (1, 1), 20)
    core = core_of(parts, 10, 4, 4)
    assert core.schedule.tiles(1) == 2
    printed = bench(written(core, parts, tmp_path / "core", 3 * core.schedule.batch))
    assert passed(printed), printed


def small_convolutions(b, classes):
    """A padded convolution with pooling, one without either, dense layers."""
    b.conv(3, 3, padding="same").max_pool(2).active().conv(4, 2).active().flat()
    return b.dense(5).active().dense(classes)


@pytest.mark.parametrize("arith, logits, lanes, pipeline, batch", [
    ("lns12", "", 1, 1, None), ("fixed12", "", 3, 2, None), ("lns9.4", "lns6.1", 4, 2, 8)])
def test_convolutions_and_pooling_answer_as_the_engine_does(arith, logits, lanes, pipeline, batch,
                                                            tmp_path, monkeypatch):
    monkeypatch.setitem(models.MODELS, "lenet5", small_convolutions)
    parts = small({"arith": arith, "logits": logits, "model": "lenet5"}, (6, 5))
    core = core_of(parts, lanes, pipeline, batch)
    assert core.schedule.forms[0].pool == 2 and not core.schedule.plain
    printed = bench(written(core, parts, tmp_path / "core", 6))
    assert passed(printed), printed


def test_a_core_in_verilator_takes_the_clocks_that_are_told_and_any_start():
    parts = small({"arith": "lns12", "hidden": (20,)}, (6, 8), 10)
    core = core_of(parts, 8, 2)
    pixels = images(6 * core.schedule.batch, 48)
    verdict = check_core(core, pixels, parts[3](pixels), threads=1, random_start=True, seed=3)
    assert verdict.equal and verdict.words == len(pixels) * 10
    assert verdict.clocks_image == pytest.approx(core.schedule.clocks / core.schedule.batch,
                                                 rel=0.02)
    wrong = parts[3](pixels)
    wrong[7, 3] ^= 1
    verdict = check_core(core, pixels, wrong, gaps=90)
    assert (verdict.wrong_words, verdict.first_wrong[:2]) == (1, (7, 3))


def test_a_schedule_shares_the_lanes_out():
    layers = [(784, 100), (100, 10)]
    s = choose_schedule(layers, 16, 5, None, (12, 12))
    assert (s.lanes, s.slots) == (16, 5) and s.useful > 0.97
    assert s.clocks == sum(map(s.layer_clocks, range(2)))
    with pytest.raises(FormatError, match="parallel must be at most the 100 outputs of the widest "
                                          "layer, got 200"):
        choose_schedule(layers, 200, 1, None, (12, 12))
    with pytest.raises(FormatError, match="images must be one of .*, got 7"):
        choose_schedule(layers, 16, 5, 7, (12, 12))


def test_a_memory_has_just_the_rows_that_it_is_given():
    assert hex_rows([1, 255], 8, 2) == "01\nff\n"
    with pytest.raises(FormatError, match="a memory of 3 rows takes as many, got 2"):
        hex_rows([1, 2], 8, 3)
    with pytest.raises(FormatError, match="rows must be 0..2"):
        hex_rows([256], 8, 1)
    files = memory("m", 240, 4026, list(range(4026))).module.files
    assert [text.count("\n") for text in files.values()] == [2048, 1978]


@pytest.mark.parametrize("width, depth, blocks", [
    (12, 64, 0), (12, 1024, 1), (12, 2048, 2), (12, 4096, 3), (192, 4970, 55), (240, 4026, 54)])
def test_blocks_are_counted_as_the_tools_make_them(width, depth, blocks):
    assert block_count(width, depth)[0] == blocks


def test_images_of_the_helper_have_zeros():
    assert (images(9) == 0).mean() > 0.2 and np.unique(images(9)).size > 50


def test_a_core_takes_runs_whose_gradients_were_summed_by_images(tmp_path):
    folders = []
    for order in ("images", "sequential"):
        parts = small({"arith": "lns12", "order": order})
        folders.append(written(core_of(parts, 8, 2), parts, tmp_path / order))
    one, other = ({p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
                  for folder in folders)
    assert one == other and "core.v" in one


@pytest.mark.parametrize("settings, shape, complaint", [
    ({"arith": "lns12", "order": "tree"}, (4, 4), "the run has order tree"),
    ({"arith": "lns12", "model": "resnet8"}, (32, 32, 3), "a core has no Add layer yet"),
    ({"arith": "fixed12", "accumulator": "each", "logits": "fixed16.8"}, (4, 4),
     "those of logits fixed16.8 differ with accumulator each"),
    ({"arith": "binary", "binarize_input": "none"}, (4, 4), "takes pixels of one bit"),
])
def test_what_no_core_can_do_is_refused_by_name(settings, shape, complaint):
    with pytest.raises(FormatError, match=complaint):
        small(settings, shape)
