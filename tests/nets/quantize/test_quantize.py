"""Quantisation: integers as the texts say, near the reals they stand for, and its command."""

import json

import numpy as np
import pytest
from helpers import small_convolutions as small
from oracles import quantized as oracle
from PIL import Image

from lnsarith.cli import main
from nets.arithmetic.choose import make_arithmetic
from nets.layers.activations import PReLU, Smooth
from nets.layers.dense import LeakyReLU, ReLU
from nets.network.models import Builder
from nets.network.network import Network, mlp
from nets.quantize.folder import read_integers, write_integers
from nets.quantize.integer import IntegerProduct, Rescale
from nets.quantize.network import Affine, quantize
from nets.quantize.simplify import folded
from nets.settings.settings import Settings


def normed(b):
    b.conv(5, 3, padding="same").max_pool(2).norm().active()
    return b.conv(4, 3).norm().active().average_pool(2)


def late(b):
    return b.conv(3, 2).average_pool(2).norm().active().max_pool(2)


FLOATS = {"arith": "float32"}
# Wide words: sums of narrow ones differ from those of reals by more than int8 does.
LOGS = {"arith": "lns26.18", "delta": "interp:r=1/64,dmax=20"}
FIXED = {"arith": "fixed26.16", "gradients": "fixed26.20", "update": "nearest"}
NETS = {
    "plain": (FLOATS, small.plain, ReLU), "leaky": (LOGS, small.plain, LeakyReLU),
    "strided": (FIXED, small.strided, ReLU), "normed": (FLOATS, normed, ReLU),
    "late": (FLOATS, late, LeakyReLU), "words": (LOGS, normed, LeakyReLU),
    "offset": ({**FLOATS, "input_mean": "0.47", "input_scale": "4"}, small.plain, ReLU),
}


def trained(name):
    """Return a small network that some batches have moved, its gains of either sign."""
    options, make, activation = NETS[name]
    net = small.network(options, make, activation=activation)
    for layer in net.layers:
        for key in ("gamma", "beta"):
            if key in layer.parameters():
                t, rng = layer.parameters()[key], np.random.default_rng(len(key))
                net.ar.set_words(t, net.ar.words(net.ar.normal(rng, 1, t.columns, 1)))
    small.steps(net, 20)
    return net


def logits(net, pixels):
    program = net.program(len(pixels), False)
    program.run(pixels, np.zeros(len(pixels), np.int64))
    return net.ar.reals(program.logits)[:, : net.classes]


def pixels(count, seed=9):
    return small.batch(count, seed)[0]


ABOUT = {"shape": [9, 8, 2], "classes": 10, "dataset": "none", "epoch": 1}


@pytest.mark.parametrize(("per", "bits"), [("channel", 8), ("tensor", 8), ("channel", 4)])
@pytest.mark.parametrize("name", NETS)
def test_texts_read_by_plain_integers_give_the_same_words(name, per, bits, tmp_path):
    made = quantize(trained(name), pixels(50), per, bits)
    write_integers(tmp_path / "q", made, ABOUT, pixels(3))
    network, _ = read_integers(tmp_path / "q")
    plain, images = oracle.Exported(tmp_path / "q"), pixels(3, 10)
    found = network.answers(images)[1:]
    for i, image in enumerate(images.tolist()):
        for layer, words in enumerate(plain.answers(image)):
            assert found[layer][i].tolist() == words, (name, layer)
    assert len({tuple(r) for r in found[-1].tolist()}) > 1  # images are told apart
    golden = [plain.words("golden_classes.hex")[i] for i in range(3)]
    assert network.predict(pixels(3)).tolist() == golden


@pytest.mark.parametrize("name", NETS)
def test_scores_are_near_the_logits_they_stand_for(name):
    net, images = trained(name), pixels(200)
    made = quantize(net, images, "channel")
    wanted, found = logits(net, images), made.scale * made.scores(images)
    spread = wanted.std()
    assert abs(found - wanted).mean() < 0.04 * spread
    assert abs(quantize(net, images, "channel", 3).scores(images) * made.scale - wanted
               ).mean() > 0.1 * spread  # few bits do lose something


@pytest.mark.parametrize("name", NETS)
def test_folded_steps_are_the_network(name):
    net, images = trained(name), pixels(20)
    table = np.array([float(net.ar.settings.pixel(v)) for v in range(256)])
    x = table[images]
    for step in folded(net):
        x = step.forward(x)
    wanted = logits(net, images)
    tolerance = 1e-4 if NETS[name][0]["arith"] == "float32" else 1e-2
    assert abs(x - wanted).max() < tolerance * wanted.std()


def test_a_channel_of_negative_gain_takes_the_least_of_a_window():
    assert any(step.least.any() for step in folded(trained("normed")) if hasattr(step, "least"))


@pytest.mark.parametrize("least, most, word", [(0.0, 2.55, -128), (-1.0, 1.55, -28)])
def test_zero_has_a_word_of_its_own(least, most, word):
    words = Affine.over(least, most, 8)
    assert words.words(np.array([0.0])).tolist() == [word]
    assert words.words(np.array([least, most, 99.0])).tolist() == [-128, 127, 127]


def test_sums_are_rounded_once_and_ties_go_up():
    half = Rescale(np.array([1]), np.array([1]), np.array([1]), 0, -128, 127)
    assert half.words(np.array([[3], [1], [-1], [-3], [999]]))[:, 0].tolist() == [2, 1, 0, -1, 127]
    most = (1 << 31) - 1
    wide = Rescale(np.array([most]), np.array([0]), np.array([62]), 5, -128, 127)
    assert wide.words(np.array([[most], [-most]]))[:, 0].tolist() == [6, 5]


def test_weights_per_channel_use_all_words_where_those_per_tensor_do_not():
    net = trained("plain")
    w = net.layers[0].w
    values = net.ar.words(w).copy()
    values[:, 0] /= 300
    net.ar.set_words(w, values)
    largest = [abs(quantize(net, pixels(9), per).steps[0].weights).max(axis=0).tolist()
               for per in ("channel", "tensor")]
    assert largest[0] == [127] * 5
    assert largest[1][0] <= 1 and max(largest[1]) == 127


def test_a_channel_without_weights_keeps_its_bias():
    net = trained("plain")
    dense = net.layers[-1]
    for t, value in ((dense.w, 0), (dense.b, 0.75)):
        words = net.ar.words(t).copy()
        words[:, 4] = value
        net.ar.set_words(t, words)
    made = quantize(net, pixels(9))
    assert made.scale * made.scores(pixels(5))[:, 4] == pytest.approx([0.75] * 5, abs=1e-3)


def dense(hidden=(6,), between=ReLU, arith="float32"):
    ar = make_arithmetic(Settings(arith=arith))
    return mlp(ar, np.random.default_rng(1), 12, hidden, 4, 0.5, lambda: [between()])


@pytest.mark.parametrize(("make", "words"), [
    (lambda: quantize(dense(between=lambda: Smooth("tanh")), row()), "relu, leaky and prelu can"),
    (lambda: quantize(dense(), row(), bits=9), "bits must be 2..8"),
    (lambda: quantize(dense(), row(), per="row"), "per must be one of channel, tensor"),
    (lambda: quantize(dense(), row()[:0]), "at least one image"),
    (lambda: quantize(dense(), row(), coverage=0.1), "coverage must lie in 0.5..1"),
    (lambda: quantize(norm_behind(), row()), "conv1: batch normalisation behind an activation"),
    (lambda: quantize(dense(), row()).scores(row()[:, :5]), "takes uint8 rows of 12 pixels"),
    (lambda: quantize(broken(), row()), "dense2 gives numbers that are not finite"),
    (lambda: quantize(dense(between=downhill), row()), "dense1: the slope of its PReLU is -0.5"),
])
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def row():
    return np.arange(24, dtype=np.uint8).reshape(2, 12)


def norm_behind():
    ar = make_arithmetic(Settings(**FLOATS))
    b = Builder(ar, np.random.default_rng(3), (2, 2, 3), lambda n, _: 0.5)
    return Network(ar, b.conv(2, 1).active().norm().flat().dense(4).layers, 12, 4)


def broken():
    net = dense()
    net.layers[-1].w.fields["value"][0, 0] = np.nan
    return net


def downhill():
    layer = PReLU(make_arithmetic(Settings(**FLOATS)))
    layer.slope.fields["value"][...] = -0.5
    return layer


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quantize") / "run"
    assert main(["train", "--dataset", "digits", "--no-plot", "--epochs", "8", "--norm", "batch",
                 "--arith", "float32", "--out", str(folder)]) == 0
    return folder


def answer(capsys, *args):
    capsys.readouterr()
    assert main([*map(str, args), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_command_writes_a_folder_that_eval_and_predict_run(run, tmp_path, capsys):
    told = answer(capsys, "quantize", run, "--per", "tensor", "--out", tmp_path / "q")
    own, integers = answer(capsys, "eval", run), answer(capsys, "eval", tmp_path / "q")
    assert told["original_accuracy"] == own["test_accuracy"] > 0.9
    assert told["test_accuracy"] == integers["test_accuracy"] > own["test_accuracy"] - 0.01
    assert told["same_class"] > 0.98 and integers["epoch"] == 8
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(tmp_path / "line.png")
    rows = [answer(capsys, "predict", f, tmp_path / "line.png")["predictions"][0]["probabilities"]
            for f in (run, tmp_path / "q")]
    np.testing.assert_allclose(*rows, atol=0.05)
    assert main(["quantize", str(run), "--bits", "4"]) == 0
    text = capsys.readouterr().out
    assert "weights of 4 bits" in text and (run / "int4" / "manifest.json").exists()


def complaint(capsys, *args):
    capsys.readouterr()
    assert main([*map(str, args)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("lnsarith: ") and err.count("\n") == 1
    return err


def test_bad_input_is_told_in_a_line(run, tmp_path, capsys):
    assert main(["quantize", str(run), "--out", str(tmp_path / "q")]) == 0
    for args, words in (
        ((run, "--bits", "9"), "bits must be 2..8, got 9"),
        ((run, "--bits", "x"), "bits must be an integer"),
        ((run, "--images", "0"), "images must be 1 or more"),
        ((run, "--coverage", "1.5"), "coverage must be a share"),
        ((run, "--out", run), "exists and is no exported network"),
        ((tmp_path,), "holds no run"),
        ((tmp_path / "q",), "give the run it was made from"),
    ):
        assert words in complaint(capsys, "quantize", *args)
    for name, content, words in (("table.hex", "00\n", "has sha256"), ("manifest.json", "", "")):
        (tmp_path / "q" / name).write_text(content)
        assert words in complaint(capsys, "eval", tmp_path / "q")
    assert main(["quantize", str(run), "--out", str(tmp_path / "r")]) == 0
    (tmp_path / "r" / "layer0_weights.hex").unlink()
    assert "lacks layer0_weights.hex; export it anew" in complaint(capsys, "eval", tmp_path / "r")


def wide(depth, weight=127):
    """Return a product of one channel, of so many equal weights; its answers are its sums."""
    sums = Rescale(np.array([1 << 30]), np.array([1 << 30]), np.array([30]), 0, -(1 << 31),
                   (1 << 31) - 1)
    return IntegerProduct("dense1", np.full((depth, 1), weight), np.array([3]), None,
                          (-128, -128, 127), sums)


def test_sums_of_many_products_are_exact():
    q = np.random.default_rng(0).integers(-128, 128, (50, 4001))
    wanted = [[127 * sum(v + 128 for v in row) + 3] for row in q.tolist()]
    assert wide(4001).answer(q).tolist() == wanted
    assert max(wanted)[0] > 1 << 24


def test_sums_beyond_32_bits_are_refused():
    with pytest.raises(ValueError, match="dense1: sums of 70000 products reach 2266950003"):
        wide(70000)
