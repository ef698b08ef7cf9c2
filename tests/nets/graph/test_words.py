"""Graphs in words: a chain gives the words of the engine that trained it, branches the same
words compiled and in NumPy, and formats are those that are asked for."""

import numpy as np
import pytest
from helpers import small_convolutions as small
from helpers.onnx_models import model, residual

from fxp.format import Fixed
from lnsarith.lns.format import Lns
from nets.graph.graph import Unsupported
from nets.graph.head import scores_of
from nets.graph.inputs import Preparation, prepared
from nets.graph.run import answers
from nets.graph.trained import graph_of_network
from nets.graph.words.choice import Choice, read_choice
from nets.graph.words.lowering import lowered
from nets.graph.words.network import WordNetwork, reaches
from nets.graph.words.placed import Placed, placed_for
from nets.graph.words.search import COST, search
from nets.importing.onnx_graph import graph_of
from nets.layers.dense import LeakyReLU
from nets.settings.settings import Settings

SHAPE = (9, 9, 1)


def strided(b):
    b.conv(4, 3, 2, "same").active().conv(6, 2, padding="same").max_pool(2).active()
    return b.conv(5, 2)


def branched(b):
    entry = b.conv(4, 3, 2, "same").active().here
    one = b.conv(4, 3, padding="same").active().here
    return b.branch(entry).conv(4, 1).join(one).active().global_average()


OPTIONS = [{"arith": "lns12", "delta": "exact"}, {"arith": "lns12"},
           {"arith": "fixed12.7", "update": "nearest"}]


@pytest.mark.parametrize("make", [small.plain, strided, branched])
@pytest.mark.parametrize("options", OPTIONS, ids=["exact", "lut", "fixed"])
def test_the_words_of_a_graph_are_those_of_the_engine(options, make):
    net = small.network(options, make, activation=LeakyReLU, shape=SHAPE)
    pixels, labels = small.batch(6, shape=SHAPE)
    program = net.program(6, False)
    program.run(pixels, labels)
    graph = graph_of_network(net, SHAPE[:2])
    x = prepared(pixels.reshape(-1, *SHAPE[:2]), graph.shape, Preparation())
    settings = Settings(**{k: v for k, v in options.items() if k != "update"}, val=0)
    found = WordNetwork.of(graph, settings).scores(x)
    assert np.array_equal(found, net.ar.reals(program.logits))
    assert len(np.unique(found)) > 30


@pytest.fixture(scope="module")
def graph():
    return scores_of(graph_of(residual()))


@pytest.fixture(scope="module")
def inputs():
    return np.random.default_rng(1).random((24, 3, 12, 12), np.float32)


@pytest.mark.parametrize("arith", ["lns14.8", "fixed14"])
@pytest.mark.parametrize("calibrated", [False, True])
def test_branches_give_the_same_words_compiled_and_in_numpy(graph, inputs, arith, calibrated):
    reach = reaches(graph, inputs) if calibrated else None
    settings = Settings(arith=arith, val=0)
    fast, slow = (WordNetwork.of(graph, settings, 1, backend, reach)
                  for backend in ("vector", "numpy"))
    one, two = (net.run(inputs[:3], keep=True) for net in (fast, slow))
    assert one.keys() == two.keys() and len(one) > 12
    for name in one:
        assert np.array_equal(one[name], two[name]), name
        low, high = fast.placed(name).f.words
        assert low <= one[name].min() <= one[name].max() <= high


@pytest.mark.parametrize(("arith", "most"), [("lns16", 5e-3), ("fixed24", 1e-4)])
def test_wide_words_come_near_to_floats(graph, inputs, arith, most):
    delta = {"delta": "exact"} if arith.startswith("lns") else {}
    floats = answers(graph, inputs)
    net = WordNetwork.of(graph, Settings(arith=arith, val=0, **delta), reach=reaches(graph, inputs))
    assert np.abs(net.scores(inputs) - floats).max() < most * np.abs(floats).max()
    assert not any(net.saturated.values())


def test_factors_and_norms_are_folded_into_products(graph):
    names = [step.name for step in lowered(graph).steps]
    assert not [n for n in names if n.startswith(("batchnorm", "mul"))]
    assert [n for n in names if n.startswith("conv")] == ["conv0", "conv3", "conv5", "conv11"]


def test_points_are_placed_by_the_range():
    assert placed_for(Fixed(8, 0), 100) == Placed(Fixed(8, 0))
    assert placed_for(Fixed(8, 0), 0.9) == Placed(Fixed(8, 7))
    assert placed_for(Fixed(8, 0), 1.0) == Placed(Fixed(8, 6))
    assert placed_for(Fixed(8, 0), 1000) == Placed(Fixed(8, 0), 3)
    assert placed_for(Fixed(8, 0), 127) == Placed(Fixed(8, 0))
    assert placed_for(Lns(12, 6), 5.0) == Placed(Lns(12, 6))
    assert placed_for(Lns(8, 3), 1000) == Placed(Lns(8, 3), 3)  # 2**7.875 times 8


@pytest.mark.parametrize("f", [Fixed(8, 3), Lns(8, 3)])
def test_every_word_is_the_nearest_to_its_value(f):
    placed = Placed(f, 2)
    words = np.arange(f.words[0], f.words[1] + 1).astype(f.dtype)
    values = placed.reals(words)
    assert np.array_equal(placed.reals(placed.words(values)), values)
    order = np.argsort(placed.heights(words), kind="stable")
    assert (np.diff(values[order]) >= 0).all()
    assert values.max() == placed.limit and placed.heights(words).max() == placed.top


def test_what_words_have_not_is_told_by_node():
    made = graph_of(model([("Softmax", ["x"], ["s"], {}), ("Add", ["s", "c"], ["y"], {})], (4,),
                          ["y"], {"c": np.float32([1, 2, 3, 4])}))
    with pytest.raises(Unsupported, match=r"node softmax0 \(Softmax\): words have no Softmax"):
        lowered(made)


def test_a_choice_of_formats_is_read_as_it_was_written(graph, inputs, tmp_path):
    net = WordNetwork.of(graph, Settings(arith="fixed12", val=0), reach=reaches(graph, inputs))
    path = tmp_path / "formats.toml"
    path.write_text(Choice.of(net).text())
    again = read_choice(path).network(graph)
    assert again.formats == net.formats and again.weights == net.weights
    assert np.array_equal(again.scores(inputs[:4]), net.scores(inputs[:4]))
    path.write_text(path.read_text().replace('"fixed12', '"fixed99', 1))
    with pytest.raises(ValueError, match=f"^{path}: bits must be 4..32, got 99"):
        read_choice(path)


def test_the_search_keeps_the_budget_and_lowers_what_it_can(inputs):
    rng = np.random.default_rng(0)
    made = graph_of(model([("Gemm", ["x", "w", "b"], ["h"], {}), ("Relu", ["h"], ["r"], {}),
                           ("Gemm", ["r", "v"], ["y"], {})], (6,), ["y"], {
        "w": rng.standard_normal((6, 8)).astype(np.float32), "b": np.zeros(8, np.float32),
        "v": rng.standard_normal((8, 3)).astype(np.float32)}))
    x = rng.standard_normal((200, 6)).astype(np.float32)
    truth = answers(made, x).argmax(1)
    reach = reaches(made, x)
    net = WordNetwork.of(made, Settings(arith="fixed16", val=0), 1, "numpy", reach)

    def lost(scores):
        return 100 * float((scores.argmax(1) != truth).mean())

    found = search(net, reach, lost, x, 3.0, COST["bits"])
    assert lost(found.choice.network(made, 1, "numpy").scores(x)) == found.loss <= 3.0
    assert all(4 <= item.bits < 16 for item in found.items)
    assert all(item.lost is None or item.lost > 3.0 for item in found.items)
    assert found.cost == sum(item.bits * item.count for item in found.items)
    with pytest.raises(ValueError, match="more than the budget of -1"):
        search(net, reach, lost, x, -1, COST["bits"])
