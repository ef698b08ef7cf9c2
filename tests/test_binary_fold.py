"""Batch norms as integer thresholds, logits as integer scores: on every count."""

import itertools
from fractions import Fraction

import numpy as np
import oracle_binary as oracle
import pytest

from fxp.popcount import pack_bits, words_of
from nets.binary import fold
from nets.binary.folder import read_export, write_export
from nets.binary.layers import EPSILON, Head, Hidden
from nets.binary.packed import BitInput, PackedLayer, PackedNetwork
from nets.model import RunError


def hidden(inputs, units, seed=0):
    """Return a hidden layer with norms of every kind."""
    rng = np.random.default_rng(seed)
    layer = Hidden("layer 3", rng, inputs, units)
    layer.gamma[...] = rng.normal(0, 1, units)
    layer.beta[...] = rng.normal(0, 2, units)
    layer.mean[...] = rng.normal(0, inputs / 4, units)
    layer.variance[...] = rng.exponential(inputs, units)
    layer.gamma[:3] = 0, 0, -1
    layer.beta[:5] = 1, -1, 0, 1e3, -1e3
    layer.mean[2], layer.mean[5:] = 1, np.rint(layer.mean[5:])  # sums that hit the norm's 0
    layer.beta[6:9] = 0
    return layer


@pytest.mark.parametrize("inputs, planes", [(1, 1), (17, 1), (64, 1), (1, 8), (12, 8)])
def test_a_threshold_fires_as_the_exact_norm_does_for_every_count(inputs, planes):
    layer = hidden(inputs, 24, inputs)
    found = fold.fold_hidden(layer, planes)
    span = inputs * (2**planes - 1)
    inverted = layer.gamma < 0
    for unit, threshold in enumerate(found.thresholds.tolist()):
        deviation = float(np.sqrt(layer.variance[unit] + EPSILON))
        norm = [float(a[unit]) for a in (layer.gamma, layer.beta, layer.mean)] + [deviation]
        assert 0 <= threshold <= span + 1
        for count in range(span + 1):
            own = span - count if inverted[unit] else count
            assert (own >= threshold) is oracle.fires(*norm, 2 * count - span)
        row = int.from_bytes(found.rows[unit].astype("<u8").tobytes(), "little")
        signs = layer.sign[:, unit] * (-1 if inverted[unit] else 1)
        assert row == sum(1 << i for i, sign in enumerate(signs) if sign > 0)


def test_a_wrong_threshold_does_not_pass_the_proof(monkeypatch):
    first = fold._first
    monkeypatch.setattr(fold, "_first", lambda norm, span: first(norm, span) + 1)
    with pytest.raises(fold.FoldError, match="layer 3: the threshold .* of unit .* differ for"):
        fold.fold_hidden(hidden(17, 24), 1)


@pytest.mark.parametrize("seed", range(4))
def test_scores_order_the_classes_as_logits_do_for_all_counts(seed):
    rng = np.random.default_rng(seed)
    head = Head("layer 0", rng, 5, 4, 5)
    head.bias[...] = rng.normal(0, 0.3, 4)
    head.log_scale[...] = rng.normal()
    if seed == 3:
        head.bias[...] = 0, 0, head.bias[2], 0
    layer = fold.fold_head(head, 1)
    scale = Fraction(float(head.scale))
    for counts in itertools.product(range(6), repeat=4):
        exact = [scale * (2 * p - 5) + Fraction(float(b)) for p, b in zip(counts, head.bias)]
        floats = head.logits(2 * np.array(counts) - 5)
        scores = [(p << layer.fraction) + int(b) for p, b in zip(counts, layer.biases)]
        assert scores.index(max(scores)) == exact.index(max(exact)) == int(floats.argmax())


def test_no_fraction_that_would_do_is_an_error(monkeypatch):
    monkeypatch.setattr(fold, "FRACTION", 1)
    head = Head("layer 2", np.random.default_rng(0), 9, 3, 9)
    head.bias[...] = 0.1, 0.2, 0.3
    with pytest.raises(fold.FoldError, match="layer 2: no integers of 1 bits"):
        fold.fold_head(head, 1)


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
