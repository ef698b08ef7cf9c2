"""ONNX files read: what they mean is judged, what is wrong with them is one line."""

import numpy as np
import onnx
import pytest
from helpers.onnx_models import model, residual
from onnx import TensorProto, numpy_helper

from lnsarith.host.files.reading import BadFile
from nets.graph.graph import GraphError, Unsupported
from nets.graph.operators import table
from nets.graph.run import answers, run
from nets.importing.judge import judge
from nets.importing.onnx_graph import graph_of, read_onnx, with_domains

WEIGHT = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
X = np.random.default_rng(1).standard_normal((8, 4)).astype(np.float32)


def dense(**options):
    return model([("MatMul", ["x", "w"], ["y"], {})], (4,), ["y"], {"w": WEIGHT}, **options)


def saved(made, folder, name="m.onnx", **options):
    path = folder / name
    onnx.save(made, str(path), **options)
    return path


def test_a_graph_with_branches_means_what_its_file_means():
    made = residual()
    x = np.random.default_rng(2).random((6, 3, 12, 12), np.float32)
    verdict = judge(made, graph_of(made), None, x)
    assert verdict.difference < 1e-5 and verdict.inputs == 6 and not verdict.flips


def test_the_first_node_that_differs_is_named(monkeypatch):
    made = residual()
    graph = graph_of(made)
    wrong = table.OPERATORS["MaxPool"]
    monkeypatch.setitem(table.OPERATORS, "MaxPool", lambda a, x: wrong(a, x) * np.float32(1.001))
    x = np.random.default_rng(2).random((2, 3, 12, 12), np.float32)
    with pytest.raises(GraphError, match=r"node maxpool9 \(MaxPool\) is the first that differs"):
        judge(made, graph, None, x)


def test_operators_of_old_opsets_are_judged_after_conversion():
    r = np.random.default_rng(0)
    parts = {k: (1 + r.random(3)).astype(np.float32) for k in "shmv"}
    made = model([("BatchNormalization", ["x", *"shmv"], ["n"], {}), ("Softmax", ["n"], ["y"], {})],
                 (3, 2, 2), ["y"], parts, 9)
    x = r.standard_normal((4, 3, 2, 2)).astype(np.float32)
    graph = graph_of(made)
    assert judge(made, graph, None, x).difference < 1e-6
    assert np.allclose(run(graph, {"x": x})["y"].sum(axis=(1, 2, 3)), 1)  # over all axes


def test_the_greatest_words_of_a_quantised_network_are_not_cut():
    """onnxruntime 1.32.0 gives 32.4 where a processor has AVX2 and no VNNI: it adds products of
    uint8 and int8 in 16 bits. 64 x 1 x 1 is 64."""
    parts = {"w": np.full((64, 3), 127, np.int8), "sx": np.float32(1 / 255), "zx": np.uint8(0),
             "sw": np.float32(1 / 127), "zw": np.int8(0), "sy": np.float32(64 / 255)}
    made = model([("QuantizeLinear", ["x", "sx", "zx"], ["q"], {}),
                  ("DequantizeLinear", ["q", "sx", "zx"], ["d"], {}),
                  ("DequantizeLinear", ["w", "sw", "zw"], ["v"], {}),
                  ("MatMul", ["d", "v"], ["f"], {}),
                  ("QuantizeLinear", ["f", "sy", "zx"], ["g"], {}),
                  ("DequantizeLinear", ["g", "sy", "zx"], ["y"], {})], (64,), ["y"], parts)
    ones = np.ones((2, 64), np.float32)
    graph = graph_of(made)
    assert judge(made, graph, None, ones).difference == 0
    assert np.allclose(run(graph, {"x": ones})["y"], 64, rtol=1e-6)


@pytest.mark.parametrize("allowzero", [0, 1])
def test_a_batch_that_the_file_fixes_becomes_any(allowzero):
    made = model([("Reshape", ["x", "form"], ["r"], {"allowzero": allowzero}),
                  ("MatMul", ["r", "w"], ["y"], {})], (2, 2), ["y"],
                 {"form": np.array([2, 4]), "w": WEIGHT}, batch=2)
    graph = graph_of(made)
    assert graph.batch is None
    found = answers(graph, X.reshape(8, 2, 2))
    assert np.allclose(found, X @ WEIGHT, 1e-5, 1e-6)
    mixed = model([("Transpose", ["x"], ["y"], {"perm": [1, 0]})], (4,), ["y"], {}, batch=2)
    assert graph_of(mixed).batch == 2


def test_an_import_that_a_writer_forgot_is_version_one():
    one, zero = np.float32(1), np.float32(0)
    made = model([("Quant", ["x", "s", "z", "b"], ["y"], {"signed": 1, "narrow": 0,
                   "rounding_mode": "ROUND"}, "qonnx.custom_op.general")], (4,), ["y"],
                 {"s": one / 4, "z": zero, "b": 4 * one})
    assert [o.domain for o in made.opset_import] == [""]
    made = with_domains(made)
    graph = graph_of(made)
    verdict = judge(made, graph, None, X)
    assert verdict.difference == 0 and verdict.inputs == 8
    assert set(np.unique(run(graph, {"x": X})["y"] * 4)) <= set(range(-8, 8))


def test_a_judge_allows_a_last_bit_before_a_quantiser_and_no_more(monkeypatch):
    one, zero = np.float32(1), np.float32(0)
    made = with_domains(model([("Mul", ["x", "c"], ["m"], {}),
                  ("Quant", ["m", "s", "z", "b"], ["y"],
                   {"signed": 1, "narrow": 0, "rounding_mode": "FLOOR"},
                   "qonnx.custom_op.general")], (4,), ["y"],
                 {"s": one / 4, "z": zero, "b": 6 * one, "c": one / 2}))
    graph = graph_of(made)
    x = np.round(X * 4) / 2  # halves of these are on the quantiser's steps
    plain = table.OPERATORS["Mul"]
    monkeypatch.setitem(table.OPERATORS, "Mul",
                        lambda a, x, y: np.nextafter(plain(a, x, y), np.float32(-99)))
    assert judge(made, graph, None, x).flips
    monkeypatch.setitem(table.OPERATORS, "Mul", lambda a, x, y: plain(a, x, y) - np.float32(1e-3))
    with pytest.raises(GraphError, match=r"node mul0 \(Mul\) is the first that differs"):
        judge(made, graph, None, x)


def test_weights_beside_the_file_are_read(tmp_path):
    path = saved(dense(), tmp_path, save_as_external_data=True, size_threshold=0, location="w.bin")
    _, graph = read_onnx(path)
    assert np.array_equal(graph.constants["w"], WEIGHT)
    assert (tmp_path / "w.bin").stat().st_size == 48


def outside(made, folder):
    t = made.graph.initializer[0]
    t.ClearField("raw_data")
    t.data_location = TensorProto.EXTERNAL
    entry = t.external_data.add()
    entry.key, entry.value = "location", "../secret"
    (folder.parent / "secret").write_bytes(WEIGHT.tobytes())


def beyond(made, folder):
    outside(made, folder)
    made.graph.initializer[0].external_data[0].value = "short"
    (folder / "short").write_bytes(b"123")


def linked(made, folder):
    outside(made, folder)
    made.graph.initializer[0].external_data[0].value = "link"
    (folder / "link").symlink_to(folder.parent / "secret")


def huge(made, folder):
    made.graph.initializer[0].dims[:] = [1 << 20, 1 << 20]


def lying(made, folder):
    made.graph.initializer[0].dims[:] = [4, 5]


def not_a_number(made, folder):
    w = WEIGHT.copy()
    w[1, 1] = np.nan
    made.graph.initializer[0].CopyFrom(numpy_helper.from_array(w, "w"))


def circle(made, folder):
    made.graph.node[0].input[1] = "z"
    made.graph.node.add(op_type="Relu", input=["y"], output=["z"])


def lost(made, folder):
    made.graph.node[0].input[1] = "nowhere"


def twice(made, folder):
    made.graph.node.add(op_type="Relu", input=["x"], output=["y"])


def strange(made, folder):
    made.graph.node[0].domain = "com.example"


def recurrent(made, folder):
    made.graph.node[0].op_type = "LSTM"


def nested(made, folder):
    a = made.graph.node[0].attribute.add()
    a.name, a.type = "body", onnx.AttributeProto.GRAPH
    a.g.name = "inner"


def floats_of_a_byte(made, folder):
    made.graph.initializer[0].data_type = TensorProto.FLOAT8E4M3FN


def open_shape(made, folder):
    made.graph.input[0].type.tensor_type.shape.dim[1].Clear()


WRONG = {
    outside: (BadFile, "tensor 'w' lies in '../secret', outside the model's folder"),
    linked: (BadFile, "tensor 'w' lies in 'link', outside the model's folder"),
    beyond: (BadFile, "takes bytes 0..48 of 'short', which has 3; 48 are needed"),
    huge: (BadFile, "claims 1048576 x 1048576 numbers, more than the 2,147,483,648 bytes"),
    lying: (BadFile, "tensor 'w' is damaged"),
    not_a_number: (BadFile, "tensor 'w' holds NaN"),
    circle: (GraphError, "its input 'z' comes of itself: a circle"),
    lost: (GraphError, r"node matmul0 \(MatMul\): its input 'nowhere' is given by no node"),
    twice: (GraphError, "tensor 'y' is given twice"),
    strange: (Unsupported, r"node matmul0 \(MatMul\): domain 'com.example' is not supported"),
    recurrent: (Unsupported, r"node matmul0 \(LSTM\): recurrence and control flow are not supp"),
    nested: (BadFile, "attribute 'body' holds a graph: control flow is not supported"),
    floats_of_a_byte: (BadFile, "tensor 'w' is of float8e4m3fn: such words are not supported"),
    open_shape: (GraphError, r"input 'x' is of \? x \?; say the shape of one input"),
}


@pytest.mark.parametrize("damage", list(WRONG), ids=lambda f: f.__name__)
def test_what_is_wrong_with_a_file_is_one_line_that_names_it(damage, tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    made = dense()
    if damage is linked:
        (tmp_path / "secret").write_bytes(WEIGHT.tobytes())
    damage(made, folder)
    (folder / "m.onnx").write_bytes(made.SerializeToString())
    kind, text = WRONG[damage]
    with pytest.raises(kind, match=text) as told:
        read_onnx(folder / "m.onnx")
    assert str(told.value).startswith(str(folder / "m.onnx")) and "\n" not in str(told.value)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused(share, tmp_path):
    whole = residual().SerializeToString()
    path = tmp_path / "m.onnx"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ValueError, match=f"^{path}"):
        read_onnx(path)


def test_thousands_of_nodes_are_ordered_at_once():
    count = 3000
    made = model([("Relu", [f"t{i}"], [f"t{i + 1}"], {}) for i in reversed(range(count))], (4,),
                 [f"t{count}"], {})
    made.graph.node[-1].input[0] = "x"
    graph = graph_of(made)
    assert [n.inputs[0] for n in graph.nodes[:3]] == ["x", "t1", "t2"]
    assert np.array_equal(run(graph, {"x": X})[f"t{count}"], np.maximum(X, 0))


def test_paddings_without_end_are_refused():
    w = np.ones((1, 1, 1, 1), np.float32)
    made = model([("Conv", ["x", "w"], ["y"], {"pads": [0, 0, 1 << 30, 0]})], (1, 2, 2), ["y"],
                 {"w": w})
    with pytest.raises(Unsupported, match=r"node conv0 \(Conv\): pads .* more than 4096"):
        run(graph_of(made), {"x": np.zeros((1, 1, 2, 2), np.float32)})


def test_training_nodes_are_refused_by_name():
    parts = {k: np.ones(3, np.float32) for k in "shmv"}
    made = model([("BatchNormalization", ["x", *"shmv"], ["y"], {"training_mode": 1})], (3, 2),
                 ["y"], parts, 15)
    graph = graph_of(made)
    with pytest.raises(Unsupported, match=r"batchnormalization0 \(BatchNormalization\): training "
                                          "mode is not supported, that with kept statistics is"):
        run(graph, {"x": np.zeros((1, 3, 2), np.float32)})
