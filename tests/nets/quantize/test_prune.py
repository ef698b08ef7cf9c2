"""Pruning: the smallest weights go, in every arithmetic, and stay zero through training."""

import json

import numpy as np
import pytest
from helpers import small_convolutions as small
from helpers.small_digits import settings
from helpers.small_digits import small as few

from lnsarith.cli import main
from nets.arithmetic.choose import make_arithmetic
from nets.network.network import mlp
from nets.quantize.prune import masks_by_pattern, masks_by_share, parse_pattern, sparsity
from nets.settings.settings import Settings
from nets.train.trainer import Trainer

ARITHMETICS = [
    {"arith": "float32", "momentum": "0.5"}, {"arith": "float32", "optimizer": "adam"},
    {"arith": "lns16"}, {"arith": "lns12", "momentum": "0.5", "update": "stochastic"},
    {"arith": "fixed16", "momentum": "0.5"}, {"arith": "fixed12"},
]


def network(sizes=(11, 6, 4), seed=1):
    ar = make_arithmetic(Settings(arith="float64"))
    return mlp(ar, np.random.default_rng(seed), sizes[0], sizes[1:-1], sizes[-1], 0.5)


def magnitudes(net):
    return {k: abs(net.ar.reals(t)) for k, t in net.parameters().items() if k.endswith(".w")}


@pytest.mark.parametrize("share", [0, 0.25, 0.8, 1])
def test_the_smallest_of_each_layer_go(share):
    net = network()
    masks = masks_by_share(net, share)
    assert masks.keys() == {"0.w", "2.w"}
    for name, size in magnitudes(net).items():
        ranked = sorted(size.ravel().tolist())[: round(share * size.size)]
        assert sorted(size[masks[name]].tolist()) == ranked


def test_the_smallest_of_all_layers_go_where_the_scope_is_global():
    net = network()
    net.parameters()["2.w"].fields["value"][...] *= 10
    masks, sizes = masks_by_share(net, 0.7, "global"), magnitudes(net)
    ranked = sorted(v for size in sizes.values() for v in size.ravel().tolist())
    gone = sorted(v for name in sizes for v in sizes[name][masks[name]].tolist())
    assert gone == ranked[: round(0.7 * (66 + 24))]
    assert masks["0.w"].mean() > 0.9 > masks["2.w"].mean()


@pytest.mark.parametrize(("kept", "of"), [(2, 4), (1, 3), (3, 4), (1, 16)])
def test_a_pattern_keeps_the_largest_of_each_group_of_inputs(kept, of):
    net = network()
    masks = masks_by_pattern(net, kept, of)
    for name, size in magnitudes(net).items():
        for column in range(size.shape[1]):
            for first in range(0, size.shape[0], of):
                group = size[first : first + of, column].tolist()
                left = size[first : first + of, column][~masks[name][first : first + of, column]]
                assert sorted(left.tolist()) == sorted(group)[-kept:]


@pytest.mark.parametrize("options", ARITHMETICS, ids=str)
def test_pruned_weights_stay_zero_and_others_move(options):
    net = small.network(options)
    net.mask(masks_by_share(net, 0.75))
    net.hold()
    before = {k: net.ar.reals(t).copy() for k, t in net.parameters().items()}
    small.steps(net, 8)
    for name, mask in net.masks.items():
        after = net.ar.reals(net.parameters()[name])
        assert mask.mean() == pytest.approx(0.75, abs=0.01)
        assert (after[mask] == 0).all() and (after[~mask] != before[name][~mask]).any()
        assert (before[name][~mask] != 0).any()
    assert all(zeros >= 0.74 * count for zeros, count in sparsity(net).values())


def test_weights_held_at_zero_are_no_dead_updates():
    trainer = Trainer(settings(arith="float32", hidden=(8,), val=42), few(142))
    trainer.network.mask(masks_by_share(trainer.network, 0.9))
    assert trainer.train_epoch().dead_updates < 0.05


@pytest.mark.parametrize("text", ["", "2", "4:4", "0:4", "5:4", "2:4:8", "1:65", "-1:4"])
def test_another_pattern_is_refused(text):
    with pytest.raises(ValueError, match="pattern must be N:M with 1 <= N < M <= 64"):
        parse_pattern(text)


def answer(capsys, *args):
    capsys.readouterr()
    assert main([*map(str, args), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module", params=["lns16", "fixed12"])
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prune") / "run"
    assert main(["train", "--dataset", "digits", "--no-plot", "--epochs", "6", "--momentum", ".5",
                 "--arith", request.param, "--hidden", "30", "--recipe", "icassp2020",
                 "--out", str(folder)]) == 0
    return folder


def test_a_pruned_run_is_trained_on_evaluated_and_resumed_to_the_same_bytes(run, tmp_path, capsys):
    own = answer(capsys, "eval", run)
    bare = answer(capsys, "prune", run, "--share", "0.8", "--out", tmp_path / "bare")
    assert bare["original_accuracy"] == own["test_accuracy"] > 0.9
    assert bare["pruned_accuracy"] == bare["test_accuracy"] < own["test_accuracy"]
    assert answer(capsys, "eval", tmp_path / "bare")["test_accuracy"] == bare["test_accuracy"]
    whole = answer(capsys, "prune", run, "--share", "80%", "--epochs", 4, "--out", tmp_path / "w")
    assert whole["test_accuracy"] > bare["test_accuracy"] + 0.02
    assert whole["sparsity"] >= 0.8 and len(whole["layers"]) == 2
    answer(capsys, "prune", run, "--share", "0.8", "--epochs", 2, "--out", tmp_path / "p")
    parts = answer(capsys, "prune", run, "--share", "80%", "--epochs", 4, "--resume",
                   "--out", tmp_path / "p")
    assert parts["model_sha256"] == whole["model_sha256"]
    after = answer(capsys, "eval", tmp_path / "p")
    assert after["test_accuracy"] == whole["test_accuracy"] and after["epoch"] == 10
    again = answer(capsys, "prune", tmp_path / "w", "--pattern", "1:4", "--out", tmp_path / "a")
    assert again["sparsity"] > whole["sparsity"]


def complaint(capsys, *args):
    capsys.readouterr()
    assert main(["prune", *map(str, args)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("lnsarith: ") and err.count("\n") == 1
    return err


def test_bad_input_is_told_in_a_line(run, tmp_path, capsys):
    for args, words in (
        ((run, "--share", "80"), "share must be a share such as 0.95 or 95%, got '80'"),
        ((run, "--pattern", "4:2"), "pattern must be N:M"),
        ((run, "--pattern", "2:4", "--scope", "global"), "scope has a meaning only with --share"),
        ((run, "--share", "0.5", "--scope", "all"), "scope must be one of layer, global"),
        ((run, "--share", "0.5", "--epochs", "-1"), "epochs must be 0..100000"),
        ((run, "--share", "0.5", "--out", run), "is not empty"),
        ((tmp_path, "--share", "0.5"), "holds no run"),
        ((run,), "one of the arguments --share --pattern is required"),
    ):
        assert words in complaint(capsys, *args), args


def test_a_mask_that_does_not_fit_is_told(run, tmp_path, capsys):
    answer(capsys, "prune", run, "--share", "0.5", "--out", tmp_path / "p")
    path = tmp_path / "p" / "model.npz"
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "0.w.mask": arrays["0.w.mask"][:, :3]})
    assert main(["eval", str(tmp_path / "p")]) == 2
    assert "0.w.mask should be 64 x 30, is 64 x 3" in capsys.readouterr().err
