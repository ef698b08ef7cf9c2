"""The lnsarith command with binary networks: runs, exported folders, complaints."""

import json
from argparse import Namespace

import numpy as np
import pytest
from helpers import data_mirror
from helpers.front_door import assert_one_line, call
from oracles import binary as oracle

from lnsarith.cli import main
from lnsarith.commands.networks.eval.model import open_model
from nets.binary.folder import read_export
from nets.data.sets import load
from nets.network.evaluation import flat
from nets.train.run import RunError

BNN = ("train", "--model", "bnn", "--dataset", "digits", "--no-plot")


def answer(capsys, *args, code=0):
    """Return what a command prints with --json, in this process."""
    assert main([*map(str, args), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def complaint(capsys, *args):
    """Return the line with which a command refuses."""
    assert main([*map(str, args)]) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert err.startswith("lnsarith: ")
    return err


@pytest.fixture(scope="module", params=["threshold", "none"])
def run(request, tmp_path_factory):
    """Return the folder of a run that was trained for a few epochs."""
    folder = tmp_path_factory.mktemp("binary") / "run"
    assert main([*BNN, "--hidden", "70,20", "--binarize-input", request.param, "--epochs", "6",
                 "--lr", "0.02", "--out", str(folder)]) == 0
    return folder


def test_an_exported_network_predicts_what_the_run_does(run, capsys):
    own, bits = answer(capsys, "eval", run), answer(capsys, "eval", run / "export")
    assert own["test_accuracy"] > 0.7 and own["loss"] > 0 and bits["loss"] is None
    for key in ("correct", "class_accuracy", "confusions", "images", "epoch", "dataset"):
        assert own[key] == bits[key]


@pytest.mark.parametrize("how", ["threshold", "none"])
def test_a_convolution_network_is_trained_exported_and_evaluated_in_bits(how, tmp_path, capsys):
    data = data_mirror.write(tmp_path / "d" / "mnist", data_mirror.make_files(counts=(60, 10)))
    at = ("--data-dir", data.parent)
    found = answer(capsys, "train", "--model", "lenet5", "--arith", "binary", "--epochs", "1",
                   "--binarize-input", how, "--val", "10", "--batch", "16", "--no-plot", *at,
                   "--out", tmp_path / "r")
    assert found["export_differs"] == 0 and found["network"] == "lenet5"
    own, bits = (answer(capsys, "eval", tmp_path / name, *at) for name in ("r", "r/export"))
    assert own["confusions"] == bits["confusions"] and own["correct"] == bits["correct"]
    network, manifest = read_export(tmp_path / "r" / "export")
    assert [(row["name"], row.get("pool"), row.get("padding")) for row in manifest["layers"]] == [
        ("conv1", 2, "same"), ("conv2", 2, "valid"), ("dense1", None, None),
        ("dense2", None, None), ("dense3", None, None)]
    plain, images = oracle.Exported(tmp_path / "r" / "export"), flat(load(
        "mnist", data.parent).test_images)[:3]
    answers = [plain.predict(image.tolist()) for image in images]
    assert network.predict(images).tolist() == [c for _, c in answers]
    assert network.answers(images)[-1].tolist() == [counts for counts, _ in answers]


def test_texts_read_by_plain_integers_predict_the_same(run):
    images = flat(load("digits").test_images)[:40]
    network, manifest = read_export(run / "export")
    plain = oracle.Exported(run / "export")
    found = [plain.predict(image.tolist()) for image in images]
    assert network.predict(images).tolist() == [c for _, c in found]
    assert network.answers(images)[-1].tolist() == [counts for counts, _ in found]
    assert manifest["sha256"].keys() == {p.name for p in (run / "export").iterdir()} - {
        "manifest.json"}


def test_golden_vectors_are_the_answers_to_the_first_images(run):
    images = flat(load("digits").test_images)
    plain = oracle.Exported(run / "export")
    count, planes = plain.manifest["golden"]["images"], plain.manifest["input"]["planes"]
    lines = plain.numbers(run / "export" / "golden_input.hex")
    assert len(lines) == count * planes
    classes = plain.numbers(run / "export" / "golden_classes.hex")
    totals = plain.numbers(run / "export" / "golden_counts.hex")
    width = plain.manifest["layers"][-1]["count_bits"]
    threshold = plain.manifest["input"]["threshold"]
    for i in range(10):
        own = lines[i * planes:(i + 1) * planes]
        assert own == oracle.pixel_bits(images[i].tolist(), threshold)
        counts, chosen = plain.predict(images[i].tolist())
        assert classes[i] == chosen
        assert totals[i] == sum(c << (width * k) for k, c in enumerate(counts))


def test_images_are_seen_alike_by_run_and_export(run, tmp_path, capsys):
    from PIL import Image

    images = load("digits").test_images
    names = []
    for i in range(3):
        names.append(tmp_path / f"{i}.png")
        Image.fromarray(images[i]).save(names[-1])
    own, bits = (answer(capsys, "predict", folder, *names)["predictions"]
                 for folder in (run, run / "export"))
    plain = oracle.Exported(run / "export")
    for i, (a, b) in enumerate(zip(own, bits)):
        assert a["class"] == b["class"] == plain.predict(flat(images)[i].tolist())[1]
        assert a["probabilities"] == pytest.approx(b["probabilities"], abs=0.01)


def test_who_wants_words_of_a_format_is_told_that_there_are_none(run):
    with pytest.raises(RunError, match="export holds a network of bits; give the run"):
        open_model(Namespace(run_folder=str(run / "export")))


def test_bits_are_not_quantised_pruned_or_fed_to_a_unit_of_words(run, capsys):
    assert "binary here has weights of one bit" in complaint(capsys, "quantize", run)
    assert "none can be zero" in complaint(capsys, "prune", run, "--share", ".5")
    assert "a layer of binary arithmetic runs on xnor-unit, not on fixed-mac-unit" in complaint(
        capsys, "rtl", "sim", "mac-unit", "--run", run)


def test_a_run_goes_on_to_the_bytes_of_an_uninterrupted_one(tmp_path, capsys):
    common = [*BNN, "--hidden", "16", "--lr", "0.01", "--schedule", "constant"]
    whole = answer(capsys, *common, "--epochs", "3", "--out", tmp_path / "whole")
    answer(capsys, *common, "--epochs", "1", "--out", tmp_path / "parts")
    parts = answer(capsys, "train", "--resume", "--model", "bnn", "--epochs", "3", "--no-plot",
                   "--out", tmp_path / "parts")
    assert parts["model_sha256"] == whole["model_sha256"] and parts["export_differs"] == 0
    same = "layer0_rows.hex", "layer1_biases.hex", "golden_counts.hex"
    for name in same:
        assert ((tmp_path / "whole/export" / name).read_bytes()
                == (tmp_path / "parts/export" / name).read_bytes())
    again = answer(capsys, "train", "--resume", "--no-plot", "--out", tmp_path / "parts")
    assert again["model_sha256"] == whole["model_sha256"]
    line = complaint(capsys, "train", "--resume", "--seed", "5", "--out", tmp_path / "parts")
    assert "has seed = 0, got 5; only epochs may change" in line


def test_a_process_prints_one_object_and_judges_it(tmp_path):
    code, out, err = call(*BNN, "--hidden", "8", "--epochs", "1", "--require", "99.9%", "--json",
                          "--out", "r", cwd=tmp_path)
    assert code == 1 and json.loads(out)["hidden"] == [8] and "below --require" in err
    code, out, err = call("eval", "r/export", "--dataset", "mnist", "--data-dir", ".",
                          cwd=tmp_path)
    assert code == 2
    assert_one_line(err, "mnist")


@pytest.mark.parametrize("args, message", [
    (("--binarize-input", "maybe"), "binarize_input must be one of threshold, probability, none"),
    (("--arith", "lns16"), "model bnn is mlp with arith binary; with arith lns16 give"),
    (("--hidden", "a"), "hidden must be an integer"),
    (("--val", "5000"), "val must leave at least one training image")])
def test_settings_that_cannot_be_are_told_in_a_line(args, message, tmp_path, capsys):
    assert message in complaint(capsys, *BNN, *args, "--out", tmp_path / "r")


def test_damaged_folders_are_told_in_a_line(run, tmp_path, capsys):
    import shutil

    folder = shutil.copytree(run / "export", tmp_path / "export")
    rows = folder / "layer1_rows.hex"
    text = rows.read_text()
    rows.write_text(text.replace(text[0], "1" if text[0] == "0" else "0", 1))
    assert "layer1_rows.hex has sha256" in complaint(capsys, "eval", folder)
    rows.unlink()
    assert "lacks layer1_rows.hex; export it anew" in complaint(capsys, "eval", folder)
    shutil.copytree(run / "export", folder, dirs_exist_ok=True)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["layers"][1]["inputs"] = 64
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "manifest.json is not what was written" in complaint(capsys, "eval", folder)
    del manifest["manifest_sha256"]
    assert manifest["kind"] == "lnsarith binary network 2"
    manifest["kind"] = "lnsarith binary network 1"  # had no sum of the manifest
    (folder / "manifest.json").write_text(json.dumps(manifest))
    line = complaint(capsys, "eval", folder)
    assert "dense2: " in line and "layer1_rows.hex has 380 bytes, more than the 340" in line
    model = shutil.copytree(run, tmp_path / "run", ignore=lambda *_: ["export"]) / "model.npz"
    model.write_bytes(model.read_bytes()[:-100])
    assert "is no model of this program, or damaged" in complaint(capsys, "eval", model.parent)


def test_images_of_another_size_are_told_in_a_line(run, tmp_path, capsys, monkeypatch):
    from dataclasses import replace

    from nets.data import sets as data

    other = load("digits")
    wide = replace(other, train_images=np.zeros((4, 8, 9), np.uint8),
                   train_labels=np.zeros(4, np.int64))
    monkeypatch.setattr(data, "load", lambda *args: wide)
    assert "is for images of 8 x 8 in 10 classes" in complaint(capsys, "eval", run / "export")
