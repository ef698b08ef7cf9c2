"""Batch norms as integer thresholds, logits as integer scores: on every count."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from oracles import binary as oracle

from fxp.run.popcount import pack_bits, words_of
from nets.arithmetic.choose import make_arithmetic
from nets.arithmetic.formulas import EPSILON
from nets.binary import fold
from nets.binary.folder import read_export, write_export
from nets.binary.packed import BitInput, PackedLayer, PackedNetwork
from nets.layers.binary.layers import BinaryConv2d, BinaryDense, BinaryNorm, Scale
from nets.layers.spatial.pool import MaxPool
from nets.layers.window import Window
from nets.network.model import RunError
from nets.settings.suited import settings_for

AR = make_arithmetic(settings_for({"model": "bnn"}))


def norm_of_every_kind(inputs, units, seed=0):
    """Return a norm whose gammas are of either sign and none, whose sums hit its zero."""
    rng = np.random.default_rng(seed)
    norm = BinaryNorm(AR, (1, 1, units))
    gamma, beta, mean, variance = (
        t.fields["value"][0] for t in (norm.gamma, norm.beta, norm.mean, norm.variance))
    gamma[...] = rng.normal(0, 1, units)
    beta[...] = rng.normal(0, 2, units)
    mean[...] = rng.normal(0, inputs / 4, units)
    variance[...] = rng.exponential(inputs, units)
    gamma[:3] = 0, 0, -1
    beta[:5] = 1, -1, 0, 1e3, -1e3
    mean[2], mean[5:] = 1, np.rint(mean[5:])
    beta[6:9] = 0
    return norm


def hidden(inputs, units, seed=0, peak=1):
    """Return a hidden layer with norms of every kind."""
    product = BinaryDense(AR, np.random.default_rng(seed), inputs, units, 0.1, name="dense4")
    product.peak = peak
    return fold.Stage(product, norm=norm_of_every_kind(inputs, units, seed))


def head(inputs, classes, seed, bias, log_scale=0.0):
    """Return a last layer."""
    product = BinaryDense(AR, np.random.default_rng(seed), inputs, classes, 0.1, name="dense1")
    scale = Scale(AR, product)
    scale.b.fields["value"][0] = bias
    scale.log_scale.fields["value"][...] = log_scale
    return fold.Stage(product, norm=scale)


@pytest.mark.parametrize("inputs, planes", [(1, 1), (17, 1), (64, 1), (1, 8), (12, 8)])
def test_a_threshold_fires_as_the_exact_norm_does_for_every_count(inputs, planes):
    stage = hidden(inputs, 24, inputs, 2**planes - 1)
    found = fold.fold_hidden(stage)
    span = inputs * (2**planes - 1)
    gamma, beta, mean, variance = (t.fields["value"][0].astype(float) for t in (
        stage.norm.gamma, stage.norm.beta, stage.norm.mean, stage.norm.variance))
    inverted = gamma < 0
    weights = stage.product.w.fields["value"]
    for unit, threshold in enumerate(found.thresholds.tolist()):
        deviation = float(np.sqrt(variance[unit] + EPSILON))
        norm = [float(a[unit]) for a in (gamma, beta, mean)] + [deviation]
        assert 0 <= threshold <= span + 1
        for count in range(span + 1):
            own = span - count if inverted[unit] else count
            assert (own >= threshold) is oracle.fires(*norm, 2 * count - span)
        row = int.from_bytes(found.rows[unit].astype("<u8").tobytes(), "little")
        ones = (weights[:, unit] >= 0) != inverted[unit]
        assert row == sum(1 << i for i, one in enumerate(ones) if one)


@pytest.mark.parametrize("inputs, planes", [(1, 1), (64, 1), (12, 8)])
def test_a_threshold_without_norm_fires_as_scale_and_bias_do(inputs, planes):
    span, rng = inputs * (2**planes - 1), np.random.default_rng(inputs)
    stage = head(inputs, 20, 1, rng.normal(0, 1, 20))
    stage.product.peak = 2**planes - 1
    found = fold.fold_hidden(stage)
    scale, bias = Fraction(stage.norm.scale), stage.norm.b.fields["value"][0].tolist()
    for threshold, b in zip(found.thresholds.tolist(), bias, strict=True):
        assert [count >= threshold for count in range(span + 1)] == [
            scale * (2 * count - span) + Fraction(b) >= 0 for count in range(span + 1)]


@pytest.mark.parametrize("planes", [1, 8])
def test_windows_pooled_before_the_norm_fire_as_their_greatest_sums_do(planes):
    rng, peak = np.random.default_rng(planes), 2**planes - 1
    conv = BinaryConv2d(AR, rng, Window("conv1", (4, 4, 1), 3), 24, 0.1)
    conv.peak = peak
    pool = MaxPool(Window("pool1", conv.shape, 2, 2))
    norm = norm_of_every_kind(9, 24, 3)
    stage = fold.Stage(conv, pool, norm)
    packed = PackedNetwork(BitInput(16, 127 if planes == 1 else None), [
        fold.fold_hidden(stage), fold.fold_head(head(24, 3, 0, [0, 0, 0]))])
    images = rng.integers(0, 256, (300, 16), np.uint8)
    x = np.where(images > 127, 1, -1) if planes == 1 else 2 * images.astype(int) - 255
    x, weights = x.reshape(-1, 4, 4), np.where(conv.w.fields["value"] >= 0, 1, -1)
    sums = np.array([[x[:, i:i + 3, j:j + 3].reshape(-1, 9) @ weights for j in (0, 1)]
                     for i in (0, 1)]).max(axis=(0, 1))
    gamma, beta, mean, variance = (t.fields["value"][0].astype(float).tolist() for t in (
        norm.gamma, norm.beta, norm.mean, norm.variance))
    wanted = [[oracle.fires(gamma[u], beta[u], mean[u], float(np.sqrt(
        np.float64(variance[u]) + EPSILON)), int(total)) for u, total in enumerate(row)]
        for row in sums]
    bits = packed.answers(images)[1]
    found = np.unpackbits(bits.astype("<u8").view(np.uint8), axis=1, bitorder="little")[:, :24]
    assert np.array_equal(found.astype(bool), wanted)
    assert 0.1 < found.mean() < 0.9 and packed.layers[0].every.any()


def test_a_wrong_threshold_does_not_pass_the_proof(monkeypatch):
    first = fold._first
    monkeypatch.setattr(fold, "_first", lambda norm, span: first(norm, span) + 1)
    with pytest.raises(fold.FoldError, match="dense4: the threshold .* of unit .* differ for"):
        fold.fold_hidden(hidden(17, 24))


@pytest.mark.parametrize("seed", range(4))
def test_scores_order_the_classes_as_logits_do_for_all_counts(seed):
    rng = np.random.default_rng(seed)
    stage = head(5, 4, seed, rng.normal(0, 0.3, 4), rng.normal())
    bias = stage.norm.b.fields["value"][0]
    if seed == 3:
        bias[...] = 0, 0, bias[2], 0
    layer = fold.fold_head(stage)
    scale = Fraction(stage.norm.scale)
    for counts in itertools.product(range(6), repeat=4):
        exact = [scale * (2 * p - 5) + Fraction(float(b)) for p, b in zip(counts, bias)]
        floats = stage.norm.normed(2 * np.array(counts) - 5)
        scores = [(p << layer.fraction) + int(b) for p, b in zip(counts, layer.biases)]
        assert scores.index(max(scores)) == exact.index(max(exact)) == int(floats.argmax())


def test_no_fraction_that_would_do_is_an_error(monkeypatch):
    monkeypatch.setattr(fold, "FRACTION", 1)
    with pytest.raises(fold.FoldError, match="dense1: no integers of 1 bits"):
        fold.fold_head(head(9, 3, 0, [0.1, 0.2, 0.3]))


def test_what_is_written_is_read_back(tmp_path):
    rng = np.random.default_rng(7)
    bits = [rng.integers(0, 2, shape, np.uint8) for shape in ((70, 33), (3, 70))]
    rows = [np.zeros((len(b), words_of(b.shape[1])), np.uint64) for b in bits]
    for b, words in zip(bits, rows):
        pack_bits(b, words)
    first = PackedLayer("layer 0", 33, rows[0], 8, thresholds=rng.integers(0, 33 * 255 + 1, 70))
    first.thresholds[:2] = 0, 33 * 255 + 1
    last = PackedLayer("layer 1", 70, rows[1], biases=np.array([-5, 4, -8]), fraction=2)
    network = PackedNetwork(BitInput(33, None), [first, last])
    images = rng.integers(0, 256, (5, 33), np.uint8)
    write_export(tmp_path / "e", network, {"note": "a"}, images)
    found, manifest = read_export(tmp_path / "e")
    plain = oracle.Exported(tmp_path / "e")
    assert manifest["note"] == "a" and found.entry == network.entry
    for own, other in zip(network.layers, found.layers):
        for name in ("rows", "thresholds", "biases"):
            assert np.array_equal(getattr(own, name), getattr(other, name))
        assert (own.inputs, own.planes, own.fraction) == (other.inputs, other.planes,
                                                          other.fraction)
    assert plain.layers[1][2] == [-5, 4, -8]
    assert found.predict(images).tolist() == [plain.predict(i.tolist())[1] for i in images]


def test_only_an_exported_folder_is_replaced(tmp_path):
    last = PackedLayer("layer 0", 3, np.zeros((2, 1), np.uint64), biases=np.array([0, 1]))
    network, none = PackedNetwork(BitInput(3, 9), [last]), np.zeros((0, 3), np.uint8)
    for _ in range(2):
        write_export(tmp_path / "new", network, {}, none)
    assert {p.name for p in (tmp_path / "new").iterdir()} == {
        "manifest.json", "layer0_rows.hex", "layer0_biases.hex"}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("text")
    with pytest.raises(RunError, match="mine exists and is no exported network"):
        write_export(tmp_path / "mine", network, {}, none)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_layers_that_do_not_fit_name_both_shapes():
    entry = BitInput(70, 127)
    first = PackedLayer("layer 0", 70, np.zeros((40, 2), np.uint64),
                        thresholds=np.zeros(40, np.int64))
    last = PackedLayer("layer 1", 41, np.zeros((3, 1), np.uint64), biases=np.zeros(3, np.int64))
    with pytest.raises(ValueError, match="layer 1 takes 41 inputs .* 3 x 41 bits, but layer 0 "
                                         "has 40 units"):
        PackedNetwork(entry, [first, last])
    with pytest.raises(ValueError, match="layer 1 takes 41 .* but an image has 70 pixels"):
        PackedNetwork(entry, [last])
    with pytest.raises(ValueError, match="layer 0 has 70 inputs, so rows of 2 words, got 40 x 3"):
        PackedLayer("layer 0", 70, np.zeros((40, 3), np.uint64))
    network = PackedNetwork(BitInput(41, 9), [last])
    for pixels, message in ((np.zeros((2, 40), np.uint8), "3 x 41 bits, got 2 x 40"),
                            (np.zeros((2, 41)), "pixels must be uint8, got float64"),
                            (np.zeros((0, 41), np.uint8), "got 0 x 41")):
        with pytest.raises(ValueError, match=message):
            network.predict(pixels)
