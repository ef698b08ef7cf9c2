"""Networks written as ONNX: floats judged by onnxruntime, words of QONNX by the engine."""

import numpy as np
import onnxruntime
import pytest
from helpers import small_convolutions as small
from helpers.onnx_models import residual

from nets.graph.graph import Unsupported
from nets.graph.inputs import Preparation, prepared
from nets.graph.run import answers
from nets.graph.trained import graph_of_network
from nets.importing.judge import judge
from nets.importing.onnx_graph import graph_of, with_domains
from nets.importing.write import model_of
from nets.layers.dense import LeakyReLU

SHAPE = (9, 9, 1)


def strided(b):
    b.conv(4, 3, 2, "same").active().conv(6, 2, padding="same").max_pool(2).active()
    return b.conv(5, 2)


def branched(b):
    b.normal = True
    entry = b.conv(4, 3, 2, "same").active().here
    b.conv(4, 3, padding="same").norm().join(entry).active(False)
    return b.global_average()


def trained(options, make):
    net = small.network(options, make, activation=LeakyReLU, shape=SHAPE)
    pixels, labels = small.batch(6, shape=SHAPE)
    net.program(6, True).run(pixels, labels)
    program = net.program(6, False)
    program.run(pixels, labels)
    return net, pixels, net.ar.reals(program.logits).copy()


@pytest.mark.parametrize("make", [strided, branched, small.plain])
def test_onnxruntime_runs_the_float_twin(make):
    net, pixels, logits = trained({"arith": "float32"}, make)
    graph = graph_of_network(net, SHAPE[:2])
    x = prepared(pixels.reshape(-1, *SHAPE[:2]), graph.shape, Preparation())
    text = model_of(graph, "twin", "", {}).SerializeToString()
    session = onnxruntime.InferenceSession(text, providers=["CPUExecutionProvider"])
    found = session.run(None, {"x": x})[0]
    assert np.abs(found - logits).max() < 1e-5 * np.abs(logits).max()
    assert np.abs(answers(graph, x) - logits).max() < 1e-5 * np.abs(logits).max()


@pytest.mark.parametrize("own", [{}, {"logits": "fixed9.2"}], ids=str)
@pytest.mark.parametrize("arith", ["fixed8.4", "fixed12.7"])
@pytest.mark.parametrize("make", [strided, small.plain])
def test_quantisers_say_the_words_of_the_engine(make, arith, own):
    net, pixels, logits = trained({"arith": arith, "update": "nearest", **own}, make)
    graph = graph_of_network(net, SHAPE[:2], words=True)
    x = prepared(pixels.reshape(-1, *SHAPE[:2]), graph.shape, Preparation())
    assert np.array_equal(answers(graph, x), logits.astype(np.float32))
    made = with_domains(model_of(graph, "words", "", {}))
    assert judge(made, graph_of(made), None, x).difference == 0


def test_an_imported_graph_goes_out_as_it_came():
    graph = graph_of(residual())
    again = graph_of(model_of(graph, "again", "a note", {"made": "here"}))
    x = np.random.default_rng(0).random((3, 3, 12, 12), np.float32)
    assert np.array_equal(answers(again, x), answers(graph, x))


def test_what_quantisers_cannot_say_is_told():
    net, *_ = trained({"arith": "fixed12.7", "update": "nearest"}, branched)
    with pytest.raises(Unsupported, match=r"layer 1 \(BatchNorm\) rounds between its steps"):
        graph_of_network(net, SHAPE[:2], words=True)
    net, *_ = trained({"arith": "lns12"}, strided)
    with pytest.raises(Unsupported, match="QONNX has words of fixed point and none of lns12.6"):
        graph_of_network(net, SHAPE[:2], words=True)
