"""Training of graphs in words: gradients by finite differences for every kind of step, the
words of eval, and a written graph that means them."""

import numpy as np
import pytest
from helpers.onnx_models import model

from nets.graph.graph import Unsupported
from nets.graph.run import answers, run
from nets.graph.training.fitting import Fitting
from nets.graph.training.floats import in_floats
from nets.graph.training.written import graph_of_words
from nets.graph.words.network import WordNetwork
from nets.graph.words.placed import Placed
from nets.importing.onnx_graph import graph_of
from nets.settings.settings import Settings

WIDE = {"lns": {"arith": "lns26.18", "delta": "interp:r=1/64,dmax=20",
                "norm_delta": "interp:r=1/64,dmax=20",
                "softmax_delta": "lut:r=1/4096,dmax=12,index=truncate,sample=mid"},
        "fixed": {"arith": "fixed28.20", "gradients": "fixed28.24", "update": "nearest",
                  "softmax_delta": "lut:r=1/1024,dmax=12"}}
FLOATS = {"float32": {"arith": "float32"}, "float64": {"arith": "float64"}}
# Of the way back, relative. Numbers near one of fixed28.20 are rounded by 2**-21 at most: 32 such
# steps. An addition of lns26.18 is off by 2**-18, for between the entries of its table, 1/64
# apart, log2(1 + 2**-d) bends by ln 2 / 4: 128 additions. The float32 of clipping in floats.
CLOSE = {"float32": 2.0**-18, "float64": 2.0**-22, "lns": 2.0**-11, "fixed": 2.0**-16}
# Of a probability. Fixed point has logs of 10 fraction bits, whose three are rounded by half a
# unit, as are two additions: the difference of two is off by 2 units. In logarithms entries stand
# for cells of 2**-12, half a cell away and with slopes of a half, twice for p and twice for 1 - p.
PROBABLE = {"float32": 2.0**-22, "float64": 2.0**-26, "lns": np.log(2) * 2.0**-12,
            "fixed": np.log(2) * 2.0**-9 + 2.0**-17}
FLOAT32 = 2.0**-24  # of weights that are written before and after a step, each by half of it
R = np.random.default_rng(3)


def real(*shape, scale=0.5):
    return (scale * R.standard_normal(shape)).astype(np.float32)


NORM = {"g": 1 + real(4, scale=0.2), "h": real(4), "m": real(4), "v": 1 + R.random(4, np.float32)}
BATCH_NORM = ["g", "h", "m", "v"]
# Of a kind: nodes from a (4 x 6 x 6) to c, and their constants.
KINDS = {
    "stride, asymmetric padding": ([("Conv", ["a", "w"], ["c"], {
        "strides": [2, 1], "pads": [0, 1, 2, 0]})], {"w": real(4, 4, 3, 2)}),
    "depthwise": ([("Conv", ["a", "w", "b"], ["c"], {"group": 4, "pads": [1] * 4})],
                  {"w": real(4, 1, 3, 3), "b": real(4)}),
    "groups, dilation": ([("Conv", ["a", "w"], ["c"], {"group": 2, "dilations": [2, 2],
                                                       "pads": [1, 0, 1, 2]})],
                         {"w": real(6, 2, 3, 3)}),
    "concatenation": ([("Relu", ["a"], ["a2"], {}), ("Neg", ["a"], ["a3"], {}),
                       ("Concat", ["a2", "a3", "a"], ["c"], {"axis": 1})], {}),
    "sum of branches": ([("Sigmoid", ["a"], ["a2"], {}), ("Sub", ["a", "a2"], ["a3"], {}),
                         ("Add", ["a3", "a"], ["c"], {})], {}),
    "product of branches": ([("HardSigmoid", ["a"], ["a2"], {}), ("Mul", ["a", "a2"], ["c"], {})],
                            {}),
    "ReLU6": ([("Clip", ["a", "low", "high"], ["c"], {})],
              {"low": np.float32(0), "high": np.float32(0.8)}),
    "hard-swish": ([("HardSwish", ["a"], ["c"], {})], {}),
    "leaky, tanh": ([("LeakyRelu", ["a"], ["a2"], {"alpha": 0.1}), ("Tanh", ["a2"], ["c"], {})],
                    {}),
    "slopes of channels": ([("PRelu", ["a", "s"], ["c"], {})], {"s": real(4, 1, 1)}),
    "GELU, Mish": ([("Gelu", ["a"], ["a2"], {}), ("Mish", ["a2"], ["c"], {})], {}),
    "ELU, SELU, softplus": ([("Elu", ["a"], ["a2"], {}), ("Selu", ["a2"], ["a3"], {}),
                             ("Softplus", ["a3"], ["c"], {})], {}),
    "windows that overlap": ([("MaxPool", ["a"], ["c"], {
        "kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4})], {}),
    "means": ([("AveragePool", ["a"], ["c"], {"kernel_shape": [3, 3], "pads": [1, 1, 0, 0]})], {}),
    "batch norm folded": ([("BatchNormalization", ["a", *BATCH_NORM], ["c"], {})], NORM),
    "batch norm kept": ([("Relu", ["a"], ["a2"], {}),
                         ("BatchNormalization", ["a2", *BATCH_NORM], ["c"], {})], NORM),
    "transposed": ([("Transpose", ["a"], ["a2"], {"perm": [0, 1, 3, 2]}),
                    ("Slice", ["a2"], ["c"], {"starts": [1], "ends": [6], "axes": [2]})], {}),
}


def graph_with(kind, head="GlobalAveragePool"):
    nodes, constants = KINDS[kind]
    first, last = real(4, 2, 3, 3), real(20, 3)
    opset = 9 if any(op == "Slice" for op, *_ in nodes) else 21
    every = [("Conv", ["x", "w0", "b0"], ["a"], {"pads": [1] * 4}), *nodes]
    graph = graph_of(model([*every, (head, ["c"], ["p"], {}), ("Flatten", ["p"], ["f"], {})],
                           (2, 6, 6), ["f"], {"w0": first, "b0": real(4), **constants}, opset))
    width = answers(graph, np.zeros((1, 2, 6, 6), np.float32)).shape[1]
    ends = [(head, ["c"], ["p"], {}), ("Flatten", ["p"], ["f"], {}),
            ("MatMul", ["f", "w9"], ["z"], {})]
    stored = {"w0": first, "b0": real(4), "w9": last[:width], **constants}
    return graph_of(model([*every, *ends], (2, 6, 6), ["z"], stored, opset))


def scores(graph, x, constants):
    """The scores in float64."""
    given = graph.__class__(graph.nodes, graph.inputs, graph.outputs, constants)
    return run(given, {"x": x})[graph.outputs[0]]


def gradient_of_scores(z, y):
    """That of the mean loss in float64."""
    p = np.exp(z - z.max(1, keepdims=True))
    return (p / p.sum(1, keepdims=True) - np.eye(z.shape[1])[y]) / len(y)


class Kept(Fitting):
    """Keeps the gradient of the scores: what is judged is the way back from there, and the
    soft-max, whose logs have few bits, by itself."""

    def _loss(self, words, labels):
        stats, gradient = super()._loss(words, labels)
        self.start = np.ldexp(self.g.reals(gradient), -self.settings.loss_scale)
        return stats, gradient


@pytest.mark.parametrize("arith", [*FLOATS, *WIDE])
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_finite_differences(kind, arith):
    judged(kind, arith)


@pytest.mark.parametrize("kind", ["depthwise", "product of branches", "batch norm kept"])
def test_so_are_those_of_words_that_share_a_power_of_two(kind):
    judged(kind, "fixed", (1, -1, 2))


def test_what_words_have_no_step_for_is_refused_by_name():
    graph = graph_of(model([("Softmax", ["x"], ["p"], {}), ("MatMul", ["p", "w"], ["z"], {})],
                           (4,), ["z"], {"w": real(4, 3)}))
    with pytest.raises(Unsupported, match=r"^node softmax0 \(Softmax\): words have no Softmax; "
                       "float32 has; training takes the steps of words alone$"):
        in_floats(graph, Settings(arith="float32"))


def judged(kind, arith, shifts=()):
    graph = graph_with(kind)
    x, y = R.standard_normal((5, 2, 6, 6)), R.integers(0, 3, 5)
    scale = 4 if arith in WIDE and not shifts else 0
    settings = Settings(val=0, lr="1", weight_decay="0", batch=5, loss_scale=scale,
                        **{**FLOATS, **WIDE}[arith])
    network = (WordNetwork.of(graph, settings, backend="numpy") if arith in WIDE else
               in_floats(graph, settings))
    for i, name in enumerate(network.made.shapes if shifts else ()):
        network.formats[name] = Placed(network.bench.f, shifts[i % len(shifts)])
    fitting = Kept(network, settings)
    before = graph_of_words(graph, network.made)
    before_c = {k: v.astype(np.float64) for k, v in before.constants.items()}
    fitting.batch(x, y)
    after = graph_of_words(graph, network.made).constants
    moved = {k: before_c[k] - after[k] for k in after if ".trained." in k}
    far = fitting.start - gradient_of_scores(scores(before, x, before_c), y)
    assert np.abs(far).max() * len(y) < PROBABLE[arith]
    close = CLOSE[arith] * 2.0 ** max(shifts, default=0)
    assert len(moved) >= 4 and all(np.abs(v).max() > 0 for v in moved.values())
    for name, slope in moved.items():
        way = np.random.default_rng(1).standard_normal(slope.shape)
        ends = [np.sum(fitting.start * scores(before, x, {
            **before_c, name: before_c[name] + e * way})) for e in (1e-6, -1e-6)]
        size = np.linalg.norm(slope) + FLOAT32 * np.linalg.norm(before_c[name]) / close
        assert (slope * way).sum() == pytest.approx(
            (ends[0] - ends[1]) / 2e-6, abs=close * size * np.linalg.norm(way)), name
