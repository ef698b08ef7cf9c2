"""lnsarith study backbone: features of a frozen network, classifiers on them, normality."""

import json

import numpy as np
import onnx
import pytest
from helpers.onnx_models import residual

from lnsarith.cli import main
from nets.graph.features import features
from nets.graph.head import maps_of, scores_of, up_to
from nets.graph.run import run
from nets.importing.onnx_graph import graph_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("backbone")
    onnx.save(residual(), place / "net.onnx")
    r = np.random.default_rng(0)
    y = np.arange(80) % 3
    x = r.integers(0, 90, (80, 12, 12, 3)) + 60 * y[:, None, None, None]
    np.savez(place / "data.npz", x=x.astype(np.uint8), y=y)
    return place


def test_features_are_the_means_of_the_maps_before_the_last_pooling():
    graph = graph_of(residual())
    name = maps_of(scores_of(graph))
    x = np.random.default_rng(2).random((7, 3, 12, 12), np.float32)
    means, samples = features(up_to(graph, name), x, lambda part: part, at_once=3)
    maps = run(graph, {"x": x}, [name])[name]
    assert name == "r2" and maps.shape[1] == 12
    np.testing.assert_allclose(means, maps.mean(axis=(2, 3)), rtol=1e-5)
    assert samples.shape == (1000, 12)
    for k in range(12):
        assert np.isin(samples[:, k], maps[:, k]).all()


def test_the_study_tells_accuracies_ranks_and_normality(folder, capsys):
    code = main(["study", "backbone", "--features", str(folder / "net.onnx"), "--data",
                 str(folder / "data.npz"), "--activations", "relu,spindle", "--seeds", "0,1",
                 "--epochs", "12", "--hidden", "8", "--out", str(folder / "study"), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == 0 and found == json.loads((folder / "study" / "study.json").read_text())
    rows = next(iter(found["sets"].values()))
    assert set(rows) == {"relu", "spindle"}
    assert all(len(row["accuracies"]) == 2 and row["mean"] > 0.5 for row in rows.values())
    assert {rows["relu"]["rank"], rows["spindle"]["rank"]} in ({1, 2}, {1.5})
    normal = next(iter(found["normality"].values()))
    assert len(normal["maps"]) == 12 and 0 <= normal["not_rejected"] <= 12
    assert "AlexNet" in found["absent"] and (folder / "study" / "study.png").exists()


@pytest.mark.parametrize(("words", "told"), [
    ((), "give --dataset NAME"), (("--data", "nowhere"), "nowhere: there is no such file"),
    (("--data", "data.npz", "--tensor", "none"), "there is no tensor 'none'"),
    (("--data", "data.npz", "--activations", "sine"), "activation must be one of")])
def test_bad_input_is_one_line_and_leaves_nothing(words, told, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["study", "backbone", "--features", "net.onnx", *words, "--out", "none"]) == 2
    err = capsys.readouterr().err
    assert told in err and err.count("\n") <= 1 and not (folder / "none").exists()
