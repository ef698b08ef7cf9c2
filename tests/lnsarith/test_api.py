"""What `import lnsarith` promises: names, laziness, checks, training and runs."""

import ast
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import lnsarith
from fxp.arrays.array import FixedArray
from fxp.format import Fixed, FormatError
from lnsarith.catalogue.array import LnsArray
from lnsarith.catalogue.bench.report import check as check_operator
from lnsarith.catalogue.operators import OPERATORS
from lnsarith.cli import main
from lnsarith.lns.format import Lns
from nets.data import sets as data
from nets.network.model import NotFinite
from nets.train.run import RunError

QUICK = {"arith": "lns12", "recipe": "icassp2020", "hidden": (16,), "epochs": 1}
DIGITS = data.load("digits")
ARRAYS = (DIGITS.train_images, DIGITS.train_labels, DIGITS.test_images, DIGITS.test_labels)


def answer(capsys, *args):
    """Return what a command prints with --json, and its exit code of zero is sure."""
    assert main([*map(str, args), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return lnsarith.train(dataset="digits", out=tmp_path_factory.mktemp("run") / "a", **QUICK)


def test_every_name_is_there_and_listed_for_people_and_type_checkers():
    assert lnsarith.Lns is Lns and lnsarith.Fixed is Fixed
    assert lnsarith.LnsArray is LnsArray and lnsarith.FixedArray is FixedArray
    assert sorted(lnsarith.__all__) == lnsarith.__all__ and set(lnsarith.__all__) <= set(
        dir(lnsarith))
    for name in lnsarith.__all__:
        assert getattr(lnsarith, name) is not None
    tree = ast.parse(Path(lnsarith.__file__).read_text("utf-8"))
    shown = next(node for node in tree.body if isinstance(node, ast.If)
                 and isinstance(node.test, ast.Name))
    names = {alias.name for line in shown.body for alias in line.names}
    assert names == set(lnsarith.__all__)
    for name in lnsarith.__all__:  # a module of that name would take its place
        home = Path(lnsarith.__file__).parent / name
        assert not home.exists() and not home.with_suffix(".py").exists()
    with pytest.raises(AttributeError, match="no attribute 'tarin'; there are .*train"):
        lnsarith.tarin  # noqa: B018


def test_importing_loads_nothing_heavy_and_names_survive_their_modules():
    program = """
import sys, lnsarith
assert not {"numpy", "numba", "fxp", "importlib.metadata"} & set(sys.modules), sys.modules
from lnsarith import Lns
assert "numba" not in sys.modules and "nets" not in sys.modules
import lnsarith.catalogue.bench.report, lnsarith.catalogue.bench.bench
import lnsarith.commands.networks.train.command
import lnsarith.host.version
from lnsarith import check, train, find
assert callable(lnsarith.check) and callable(lnsarith.train) and callable(check)
assert isinstance(lnsarith.__version__, str)
from lnsarith import *
assert callable(train) and callable(where)
print("done")"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          check=False)
    assert told.stdout == "done\n", told.stderr


def test_operators_are_found_and_checked_by_names_and_formats_as_text():
    assert lnsarith.operators() == tuple(OPERATORS.values())
    assert {row.family for row in lnsarith.operators("lns")} == {"lns"}
    with pytest.raises(ValueError, match="family must be one of fixed, lns, got 'float'"):
        lnsarith.operators("float")
    add = lnsarith.find("add")
    assert add is OPERATORS["lns-add"] and add.ports("lns8.3") == add.ports(Lns(8, 3))
    assert add.circuit("lns8.3", delta="exact").params == add.circuit(
        Lns(8, 3), delta="exact").params
    with pytest.raises(FormatError, match="not a logarithmic format: 'fixed8'"):
        add.ports("fixed8")
    report = lnsarith.check("add", "lns8.3", delta="lut:r=1/4", exhaustive=True)
    assert report == check_operator("lns-add", Lns(8, 3), {"delta": "lut:r=1/4"}, exhaustive=True)
    assert lnsarith.check("mul", Fixed(6, 3)).operator == "fixed-mul"
    assert lnsarith.check("fixed-add", samples=100).f == "fixed16.11"
    with pytest.raises(FormatError, match="has no option 'detla'"):
        lnsarith.check("add", "lns8.3", detla="exact")


def test_training_gives_the_bytes_of_the_command_whatever_the_road(run, tmp_path, capsys):
    told = answer(capsys, "train", "--dataset", "digits", "--arith", "lns12", "--recipe",
                  "icassp2020", "--hidden", 16, "--epochs", 1, "--no-plot", "--out",
                  tmp_path / "command")
    assert run.model_sha256 == told["model_sha256"]
    config = [json.loads((folder / "config.json").read_text("utf-8"))
              for folder in (run.folder, tmp_path / "command")]
    assert config[0] == config[1]
    assert run.log[-1]["test_accuracy"] == told["test_accuracy"]
    suited = {"val": np.int64(200), "lr": Fraction(1, 32), "seed": 0}  # as for digits
    own = lnsarith.train(dataset=ARRAYS, out=tmp_path / "own", **suited, **QUICK)
    assert own.dataset == "own" and own.model_sha256 == run.model_sha256
    form = lnsarith.train(dataset="digits", out=tmp_path / "form", **{**QUICK, "arith": Lns(12, 6)})
    assert form.settings["arith"] == "lns12.6" and form.model_sha256 == run.model_sha256
    said = capsys.readouterr()
    assert said.out == said.err == ""


def test_a_run_goes_on_to_the_bytes_of_an_uninterrupted_one(tmp_path):
    seen = []
    settings = {**QUICK, "epochs": 2, "lr": 0.03125, "hidden": [16]}
    whole = lnsarith.train(dataset="digits", out=tmp_path / "whole", on_epoch=seen.append,
                           **settings)
    assert seen == whole.log and [record["epoch"] for record in seen] == [1, 2]

    def stop(record):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lnsarith.train(dataset="digits", out=tmp_path / "part", on_epoch=stop, **settings)
    with pytest.raises(RunError, match="is not empty"):
        lnsarith.train(dataset="digits", out=tmp_path / "part", **settings)
    part = lnsarith.train(dataset="digits", out=tmp_path / "part", resume=True, **settings)
    assert part.model_sha256 == whole.model_sha256 and len(part.log) == 2


def test_a_loaded_run_predicts_and_evaluates_as_the_command_does(run, capsys):
    loaded = lnsarith.load(str(run.folder))
    told = answer(capsys, "eval", run.folder)
    for kept in (run, loaded, lnsarith.load(run.folder / "model.npz")):
        found = kept.evaluate()
        assert (found.accuracy, found.loss) == (told["test_accuracy"], told["loss"])
        assert found.correct == told["correct"]
        assert np.array_equal(kept.predict(DIGITS.test_images), found.predicted)
        assert kept.evaluate(DIGITS.test_images[:7], DIGITS.test_labels[:7]).correct == int(
            (found.predicted[:7] == DIGITS.test_labels[:7]).sum())
    assert loaded.settings == run.settings and loaded.settings["arith"] == "lns12"
    assert loaded.log == run.log and loaded.shape == (8, 8) and loaded.classes == 10
    assert loaded.predict(DIGITS.test_images[:0]).shape == (0,)
    assert repr(loaded) == f"lnsarith.load({str(run.folder)!r})"


def test_binary_networks_and_their_bits_are_loaded(tmp_path, capsys):
    folder = tmp_path / "bnn"
    answer(capsys, "train", "--model", "bnn", "--dataset", "digits", "--hidden", 16, "--epochs", 1,
           "--no-plot", "--out", folder)
    for place in (folder, folder / "export"):
        found = lnsarith.load(place).evaluate()
        told = answer(capsys, "eval", place)
        assert found.accuracy == told["test_accuracy"] and found.correct == told["correct"]


def test_networks_of_integers_are_loaded(tmp_path, capsys):
    lnsarith.train(dataset="digits", out=tmp_path / "a", **{**QUICK, "arith": "float32"})
    answer(capsys, "quantize", tmp_path / "a", "--out", tmp_path / "q")
    told = answer(capsys, "eval", tmp_path / "q")
    export = lnsarith.load(tmp_path / "q")
    assert export.evaluate().correct == told["correct"]
    for name in ("settings", "log"):
        with pytest.raises(ValueError, match=f"q is an export, which has no {name}; load the run"):
            getattr(export, name)
    with pytest.raises(ValueError, match="backend must be vector or numpy, got 'none'"):
        lnsarith.load(tmp_path / "q", backend="none")


def test_arrays_alone_hold_back_every_fifth_image_of_a_class(tmp_path):
    both = [np.concatenate(ARRAYS[i::2]) for i in (0, 1)]
    run = lnsarith.train(dataset=(both[0][:300], both[1][:300]), out=tmp_path / "a", **QUICK)
    counts = np.bincount(both[1][:300])
    held = int((counts // 5).sum())
    assert run.settings["val"] == (300 - held) // 6
    assert run.log[0]["val_accuracy"] is not None
    with pytest.raises(ValueError, match="was trained on arrays; give evaluate images"):
        run.evaluate()
    assert run.evaluate(dataset="digits").predicted.shape == DIGITS.test_labels.shape


@pytest.mark.parametrize("settings, error, says", [
    ({"arhit": "lns12"}, TypeError, "no setting is called 'arhit'; did you mean arith?"),
    ({"arith": "lns99"}, FormatError, "bits must be 4..32"),
    ({"epochs": 0}, FormatError, "epochs must be 1"), ({"epochs": True}, ValueError, "epochs"),
    ({"backend": "scalar"}, ValueError, "backend must be vector or numpy, got 'scalar'"),
    ({"resume": True, "out": None}, TypeError, "give out="),
    ({"dataset": "digit"}, data.DataError, "no data set is called 'digit'"),
    ({"dataset": ARRAYS[:3]}, TypeError, "dataset is a name, or"),
    ({"dataset": 5}, TypeError, "dataset is a name, or"),
    ({"dataset": (ARRAYS[0] / 255, ARRAYS[1])}, ValueError, "images are uint8 .* got float64"),
    ({"dataset": (ARRAYS[0], ARRAYS[1][:5])}, ValueError, "one for each of 1442 images"),
    ({"dataset": (ARRAYS[0], ARRAYS[1] - 1)}, ValueError, "labels are integers from 0"),
    ({"dataset": (*ARRAYS[:2], ARRAYS[2][:, :4], ARRAYS[3])}, ValueError, "as large as")], ids=str)
def test_settings_that_cannot_be_are_refused_as_by_the_command(settings, error, says, tmp_path):
    with pytest.raises(error, match=says):
        lnsarith.train(**{"dataset": "digits", "out": tmp_path / "a", **QUICK, **settings})


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_epoch_without_a_finite_loss_is_not_kept(tmp_path):
    settings = {**QUICK, "arith": "float32", "lr": 65536, "init_std": 60000, "epochs": 3}
    with pytest.raises(NotFinite, match="epoch 1: .*finite"):
        lnsarith.train(dataset="digits", out=tmp_path / "a", **settings)
    with pytest.raises(RunError, match="no model yet"):
        lnsarith.load(tmp_path / "a")


@pytest.mark.parametrize("give, error, says", [
    (lambda r: r.predict(DIGITS.test_images / 255), ValueError,
     r"n x 8 x 8 \(uint8\), got .*float"),
    (lambda r: r.predict(DIGITS.test_images[0]), ValueError, "got 8 x 8"),
    (lambda r: r.predict(np.zeros((2, 28, 28), np.uint8)), ValueError, "got 2 x 28 x 28"),
    (lambda r: r.evaluate(DIGITS.test_images), TypeError, "images and labels"),
    (lambda r: r.evaluate(DIGITS.test_images, DIGITS.test_labels[:3]), ValueError, "355 integers"),
    (lambda r: r.evaluate(DIGITS.test_images[:2], [0, 10]), ValueError, r"labels must be 0\.\.9"),
    (lambda r: r.evaluate(DIGITS.test_images[:0], []), ValueError, "no images"),
    (lambda r: lnsarith.load(r.folder.parent), RunError, "holds no run")], ids=range(8))
def test_images_and_folders_that_do_not_fit_are_refused(run, give, error, says):
    with pytest.raises(error, match=says):
        give(run)
