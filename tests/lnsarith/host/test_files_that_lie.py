"""Hundreds of damages to every kind of file: one line that names it, and nothing else."""

import io
import json
import os
import random
import shutil
import zipfile

import numpy as np
import pytest
from helpers.damages import flipped, texts, trees
from helpers.front_door import DIGITS

from lnsarith.cli import main
from nets.network import memh
from nets.train.forms import ADDED

RUN = [*DIGITS, "--hidden", "6", "--epochs", "2", "--arith", "fixed16"]
BNN = ["train", "--model", "bnn", "--dataset", "digits", "--no-plot", "--hidden", "9",
       "--epochs", "1"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A folder with a run, a binary run and a network of integers."""
    folder = tmp_path_factory.mktemp("sound")
    assert main([*RUN, "--out", str(folder / "run")]) == 0
    assert main([*BNN, "--out", str(folder / "bnn")]) == 0
    assert main(["quantize", str(folder / "run"), "--out", str(folder / "int8"),
                 "--images", "50"]) == 0
    assert main(["spindle", "fit", "--function", "logistic", "--error", "0.05", "--out",
                 str(folder / "fit.json")]) == 0
    return folder


@pytest.fixture(scope="module")
def copy(sound, tmp_path_factory):
    """A copy to be damaged, and mended after each damage."""
    return shutil.copytree(sound, tmp_path_factory.mktemp("copy") / "c")


def complaint(capsys, *argv):
    """Return the exit code of a command and the line with which it refuses."""
    capsys.readouterr()
    code = main([*map(str, argv)])
    out, err = capsys.readouterr()
    assert "fault of ours" not in err, err[:500]
    if code:
        assert (code, out) == (2, ""), (code, out)
        line = err.splitlines()[-1]
        assert line.startswith("lnsarith: ") and len(line) < 1000, err[:2000]
        return code, line
    return code, err


def each_refused(capsys, path, damages, *argv, named="", allowed=()):
    """Damage a file in every way; return how many ways were refused in a line naming it."""
    whole, count = path.read_bytes(), 0
    try:
        for what, content in damages:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            code, line = complaint(capsys, *argv)
            assert code == 2 or any(what.startswith(a) for a in allowed), what
            assert code == 0 or (named or path.name) in line, (what, line)
            count += code == 2
    finally:
        path.write_bytes(whole)
    return count


def test_a_configuration_with_any_damage_is_refused(copy, capsys):
    path = copy / "run" / "config.json"
    tree = json.loads(path.read_bytes())
    each_refused(capsys, path, texts(path.read_bytes()), "eval", copy / "run")
    # Versions are for people; other words of a setting can be as good.
    free = (*(f"versions.{name}" for name in ("lnsarith", "numpy", "numba", "llvmlite")),
            "versions is {}", "transfer is", "data.train", "kind missing",
            *(f"{name} missing" for name in ADDED),
            "slope is -1", "softmax_free is -1", "init_std is", "lr is", "gain is",
            "weight_decay is")
    found = each_refused(capsys, path, trees(tree, 3), "eval", copy / "run", named="",
                         allowed=free)
    assert found > 250


def test_a_log_with_any_damage_is_refused(copy, capsys):
    path = copy / "run" / "log.jsonl"
    lines = path.read_text().splitlines()
    record = json.loads(lines[0])
    damages = [*texts(path.read_bytes()), ("twice", "\n".join([*lines, lines[-1]])),
               ("epoch -3", lines[0].replace('"epoch": 1', '"epoch": -3')),
               *((what, f"{text}\n{lines[1]}\n") for what, text in trees(record, 2))]
    optional = tuple(f"{name} missing" for name in (
        "drift", "dead_updates", "softmax_saturated", "gradient_norms", "gradient_ratio",
        "dead_units")) + tuple(f"{name} is null" for name in (
        "loss", "val_accuracy", "drift", "dead_updates", "gradient_ratio", "dead_units")) + (
        "empty", "gradient_norms", "warnings is []", "drift is") + tuple(
        f"{name} is 1.5" for name in ("loss", "seconds", "images_per_second", "gradient_ratio"))
    assert each_refused(capsys, path, damages, "eval", copy / "run", allowed=optional) > 100


def test_a_log_shorter_than_the_model_is_told(copy, capsys):
    path = copy / "run" / "log.jsonl"
    whole = path.read_text()
    try:
        path.write_text(whole.splitlines()[1] + "\n")
        code, told = complaint(capsys, "eval", copy / "run")
        assert code == 0 and "log.jsonl lacks 1 of the model's 2 epochs" in told
        assert "lacks 1 of" in complaint(capsys, "prune", copy / "run", "--share", "0.5")[1]
        path.write_text(whole.splitlines()[0] + "\n")
        code, told = complaint(capsys, "train", "--resume", "--out", copy / "run")
        assert code == 2 and "the last one among them" in told
        path.unlink()
        code, told = complaint(capsys, "train", "--resume", "--out", copy / "run")
        assert code == 2 and "lacks 2 of the model's 2 epochs" in told
    finally:
        path.write_text(whole)


@pytest.mark.parametrize("folder", ["bnn/export", "int8"])
def test_a_manifest_with_any_damage_is_refused_and_one_with_a_new_sum_is_no_fault(
        copy, capsys, folder):
    path = copy / folder / "manifest.json"
    tree = json.loads(path.read_bytes())
    damages = [*texts(path.read_bytes()), *trees(tree, 6)]
    found = each_refused(capsys, path, damages, "eval", copy / folder, named=copy.name,
                         allowed=("kind is",))
    assert found > 60
    for what, text in trees({k: v for k, v in tree.items() if k != memh.SUM}, 7):
        try:
            forged = json.loads(text)
            forged[memh.SUM] = memh._own_sum(forged)
            path.write_text(json.dumps(forged))
        except (ValueError, TypeError):
            continue
        finally:
            code, line = complaint(capsys, "eval", copy / folder)
            assert code == 0 or folder.split("/")[-1] in line, (what, line)
    path.write_text(json.dumps(tree, indent=2) + "\n")
    assert complaint(capsys, "eval", copy / folder)[0] == 0


def one_more(zone):
    zone["zero"] += 1


@pytest.mark.parametrize(("folder", "change"), [
    ("int8", lambda m: one_more(m["layers"][0]["outputs"])),
    ("int8", lambda m: one_more(m["layers"][0]["inputs"])),
    ("bnn/export", lambda m: m["layers"].reverse()),
])
def test_numbers_of_a_manifest_are_under_its_sum_and_under_the_golden_vectors(
        copy, capsys, folder, change):
    path = copy / folder / "manifest.json"
    whole = path.read_text()
    manifest = json.loads(whole)
    change(manifest)
    try:
        path.write_text(json.dumps(manifest))
        assert "manifest_sha256 is another" in complaint(capsys, "eval", copy / folder)[1]
        manifest[memh.SUM] = memh._own_sum(manifest)
        path.write_text(json.dumps(manifest))
        line = complaint(capsys, "eval", copy / folder)[1]
        assert "golden vectors in golden_" in line or "alone biases" in line
        del manifest[memh.SUM]  # as the first version wrote them
        manifest["kind"] = manifest["kind"][:-1] + "1"
        path.write_text(json.dumps(manifest))
        assert complaint(capsys, "eval", copy / folder)[1] == line
    finally:
        path.write_text(whole)


def test_an_export_of_the_first_version_is_still_read(copy, capsys):
    for folder in ("int8", "bnn/export"):
        path = copy / folder / "manifest.json"
        whole = path.read_text()
        manifest = json.loads(whole)
        del manifest[memh.SUM]
        manifest["kind"] = manifest["kind"][:-1] + "1"
        path.write_text(json.dumps(manifest))
        assert complaint(capsys, "eval", copy / folder)[0] == 0
        path.write_text(whole)


def test_a_run_without_a_kind_is_still_read_and_gone_on_with(copy, capsys, tmp_path):
    for name in ("run", "bnn"):
        old = shutil.copytree(copy / name, tmp_path / name)
        config = json.loads((old / "config.json").read_text())
        del config["kind"]
        (old / "config.json").write_text(json.dumps(config))
        assert complaint(capsys, "eval", old)[0] == 0
        assert complaint(capsys, "train", "--resume", "--out", old, "--no-plot")[0] == 0


@pytest.mark.parametrize("name", ["run", "bnn"])
def test_a_model_with_any_damage_is_refused_or_the_same(copy, capsys, name):
    path = copy / name / "model.npz"
    damages = [*texts(path.read_bytes()), *flipped(path.read_bytes(), random.Random(3), 60)]
    # Bytes before an archive, and what it says of times and systems, are nothing to us.
    assert each_refused(capsys, path, damages, "eval", copy / name,
                        allowed=("byte", "no UTF-8")) > 100


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(arrays, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in arrays.items():
            archive.writestr(name, content)
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), allow_pickle=True)
    return file.getvalue()


def models(path):
    """Yield files that are sound as zip archives, and no models of the run."""
    own = members(path)
    meta = json.loads(np.load(io.BytesIO(own["meta.npy"])).item())
    words = np.load(io.BytesIO(own["0.w.npy"]))
    for what, text in trees(meta, 3):
        yield f"meta {what}", packed({**own, "meta.npy": npy(text)})
    for array in (words[:-1], words.astype(np.int64), words.astype(float), words.astype(object),
                  words[None], np.array(5), np.array("x"), np.zeros((0, 6), np.int16),
                  np.zeros(words.shape, [("a", "i2")])):
        yield f"words {array.dtype} {array.shape}", packed({**own, "0.w.npy": npy(array)})
    head = own["0.w.npy"].replace(b"(64, 6)", b"(99999999, 6)", 1)
    assert head != own["0.w.npy"]
    yield "a long header", packed({**own, "0.w.npy": head})
    yield "a member more", packed({**own, "more.npy": npy(words)})
    yield "a member less", packed({k: v for k, v in own.items() if k != "0.w.npy"})
    yield "deflated", packed(own, zipfile.ZIP_DEFLATED)


def test_a_sound_archive_that_is_no_model_is_refused(copy, capsys):
    path = copy / "run" / "model.npz"
    found = each_refused(capsys, path, models(path), "eval", copy / "run",
                         allowed=("meta step", "meta epoch is 1"))
    assert found > 30


def test_words_beyond_their_format_are_refused(copy, capsys):
    path = copy / "run" / "model.npz"
    whole = path.read_bytes()
    config = copy / "run" / "config.json"
    text = config.read_text()
    own = members(path)
    meta = json.loads(np.load(io.BytesIO(own["meta.npy"])).item())
    meta["formats"] = {k: "fixed12.7" for k in meta["formats"]}
    wide = np.full((64, 6), 4000, np.int16)
    config.write_text(text.replace('"fixed16"', '"fixed12.7"').replace(
        '"gradients": ""', '"gradients": "fixed12.7"'))
    path.write_bytes(packed({**own, "0.w.npy": npy(wide), "meta.npy": npy(json.dumps(meta))}))
    line = complaint(capsys, "eval", copy / "run")[1]
    path.write_bytes(whole)
    config.write_text(text)
    assert "words of 0.w must be -2048..2047" in line


def test_settings_and_fits_with_any_damage_are_refused(copy, capsys, tmp_path):
    config = tmp_path / "own.toml"
    for content in (b"", b"a" * 10_000, b"\xff", b"epochs = " + b"9" * 10_000, b"epochs = nan",
                    b"x = " + b"[" * 100_000, b"epochs = -1", b"hidden = [1, [2]]", b"lr = 1e999",
                    b"lr = inf", b"epochs = 1\nepochs = 2", b"learning = 3", b"batch = true",
                    b"hidden = {a = 1}", b"lr = '1e-999999999'", b"guard = 99999999999999999999",
                    b"val = 1\nval = 2"):
        config.write_bytes(content)
        argv = [*RUN, "--config", config, "--out", tmp_path / "never", "--val", "99999"]
        code, line = complaint(capsys, *argv)
        assert code == 2 and not (tmp_path / "never").exists(), content[:40]
    fit = copy / "fit.json"
    tree = json.loads(fit.read_bytes())
    argv = ["check", "fixed-spindle", "--option", f"units=@{fit}", "--samples", "10"]
    named = {"kind": tree["kind"], "units": tree["units"], "segments": tree["segments"]}
    found = each_refused(capsys, fit, [*texts(fit.read_bytes()), *trees(named)], *argv,
                         allowed=("kind missing", "segments missing", "segments is"))
    assert found > 25


@pytest.mark.parametrize("argv", [
    ("check", "fixed-spindle", "--option", "units=1e999999999:+2^-1"),
    ("check", "fixed-spindle", "--option", "units=0:+2^-999999999"),
    ("check", "fixed-minselect", "--option", "ratio=1e999999999"),
    ("check", "fixed-minselect", "--option", "ratio=2^999999999"),
    ("check", "lns-add", "--delta", "lut:r=1e-999999999"),
    ("check", "lns-add", "--delta", "lut:r=1/" + "9" * 100_000),
    ("check", "lns-add", "--delta", "pwl:segments=" + "9" * 100_000),
    ("check", "lns-add", "--samples", "9" * 100_000), ("check", "lns-add", "--seed", "1e9"),
    ("check", "add", "--arith", "fixed" + "9" * 100_000),
    ("check", "fixed-leaky-relu", "--option", "beta=" + "9" * 100_000),
    ("rtl", "gen", "lns-add", "--vectors", "9" * 5000),
    ("rtl", "gen", "systolic", "--option", "rows=" + "9" * 5000),
    ("rtl", "prove", "lns-add", "--seconds", "1e999"),
    ("spindle", "fit", "--function", "logistic", "--step", "2^-99999999"),
    ("spindle", "fit", "--function", "logistic", "--error", "nan"),
    ("train", "--lr", "1e-999999999"), ("train", "--lr", "2^-999999999"),
    ("train", "--hidden", "9" * 100_000), ("train", "--require", "1e999999999"),
    ("train", "--schedule", "step:" + "9" * 100_000), ("train", "--threads", "9" * 100_000),
    ("train", "--activation", "spindle:offset=1e999999999,0:+2^-1", "--arith", "fixed16"),
    ("study", "batch", "--values", "9" * 100_000),
    ("study", "activations", "--seeds", "9" * 100_000),
], ids=lambda argv: " ".join(argv)[:60])
def test_numbers_that_would_take_forever_are_refused_at_once(argv, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert complaint(capsys, *argv)[0] == 2
    assert not os.listdir(tmp_path)
