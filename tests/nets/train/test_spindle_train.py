"""Training with fitted activations: words, derivatives, run folders, complaints."""

import json

import numpy as np
import pytest
from helpers.front_door import assert_one_line
from oracles import units as oracle_units

from fxp.format import FormatError
from fxp.operators.spindle import Spindle
from lnsarith.cli import main
from lnsarith.spindle.kernels import Kernels
from nets.arithmetic.choose import make_arithmetic
from nets.layers.spindle import Frozen
from nets.settings.settings import Settings

FOUR = "offset=1/8,-1:+2^-2,3/2:-2^-3,1/2:-2^-4:left,1/4:+2^-5:left"
EIGHT = ("offset=7/1024,-4:+2^-5,-47/16:+2^-4,-23/16:+2^-3,0:+2^-6,5/4:-2^-3,2:-2^-6,3:-2^-4,"
         "61/16:-2^-5")
KERNELS = "kernels=0.25:2.0:-1.0,0.75:0.5:1.5"


def tensor(ar, values, role="activations"):
    t = ar.empty(*values.shape, role)
    ar.set_words(t, values)
    return t


def through(ar, layer, x, d):
    """Return the words of a layer's output for x, and of its gradient for d."""
    x, dy = tensor(ar, x), tensor(ar, d, "gradients")
    y, calls = layer.forward(ar, x)
    dx, back = layer.backward(ar, x, dy, True)
    for call in calls + back:
        call()
    return ar.words(y), ar.words(dx)


@pytest.mark.parametrize("units", [FOUR, EIGHT])
@pytest.mark.parametrize("backend", ["vector", "numpy"])
def test_words_are_those_of_exact_fractions(units, backend):
    settings = Settings(arith="fixed12.5", gradients="fixed14.12", activation=f"spindle:{units}")
    ar = make_arithmetic(settings, backend=backend)
    x = np.arange(-2048, 2048).reshape(4, -1)
    d = np.random.default_rng(1).integers(-8192, 8191, x.shape, endpoint=True)
    y, dx = through(ar, Frozen(Spindle.parse(units)), x, d)
    for word, out in zip(x.ravel().tolist(), y.ravel().tolist()):
        assert out == oracle_units.fixed_spindle(word, 12, 5, True, units, 12, 5, True,
                                                 "nearest-even")
    for word, grad, out in zip(x.ravel().tolist(), d.ravel().tolist(), dx.ravel().tolist()):
        assert out == oracle_units.fixed_spindle_gradient(word, grad, (12, 5), (14, 12), units)


def four(x):
    return (0.125 + np.maximum(x + 1, 0) / 4 - np.maximum(x - 1.5, 0) / 8
            - np.maximum(0.5 - x, 0) / 16 + np.maximum(0.25 - x, 0) / 32)


def two(x):
    return 0.25 / (1 + np.exp(-1 - 2 * x)) + 0.75 / (1 + np.exp(1.5 - x / 2))


@pytest.mark.parametrize("function, formula", [(Spindle.parse(FOUR), four),
                                               (Kernels.parse(KERNELS), two)])
def test_functions_and_derivatives_are_those_of_the_formulas(function, formula):
    ar = make_arithmetic(Settings(arith="float64"))
    x = np.random.default_rng(2).normal(0, 3, (5, 40))
    assert np.abs(x[..., None] - [-1, 1.5, 0.5, 0.25]).min() > 1e-4  # of the knees
    d = np.random.default_rng(3).normal(0, 1, x.shape)
    y, dx = through(ar, Frozen(function), x, d)
    up, down = (through(ar, Frozen(function), x + h, d)[0] for h in (1e-5, -1e-5))
    np.testing.assert_allclose(dx, d * (up - down) / 2e-5, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(y, formula(x), rtol=1e-12)


def train(*arguments):
    return main([*("train --dataset digits --no-plot --epochs 2 --batch 16 "
                   "--recipe icassp2020").split(), *map(str, arguments)])


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with files of activations, the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "units.json").write_text(json.dumps({"units": EIGHT}))
    rows = [[0.25, 2.0, -1.0], [0.75, 0.5, 1.5]]
    (tmp_path / "kernels.json").write_text(json.dumps({"kernels": rows}))
    return tmp_path


@pytest.mark.parametrize("arith, name", [("fixed16", "units"), ("float32", "units"),
                                         ("float32", "kernels")])
def test_a_run_needs_its_file_no_more(here, capsys, arith, name):
    given = ("--arith", arith, "--activation", f"spindle:{name}.json")
    assert train(*given, "--out", "whole", "--epochs", "3") == 0
    assert train(*given, "--out", "parts") == 0
    assert train(*given, "--out", "parts", "--resume", "--epochs", "3") == 0
    assert (here / "whole/model.npz").read_bytes() == (here / "parts/model.npz").read_bytes()
    (here / f"{name}.json").unlink()
    capsys.readouterr()
    assert main(["eval", "parts", "--json"]) == 0
    accuracy = json.loads(capsys.readouterr().out)["test_accuracy"]
    assert accuracy == json.loads((here / "parts/log.jsonl").read_text().splitlines()[-1])[
        "test_accuracy"]
    assert train("--out", "parts", "--resume", "--epochs", "4") == 0


def test_a_network_learns_with_units_and_not_without(here, capsys):
    (here / "flat.json").write_text(json.dumps({"units": "offset=1/2,7:+2^-16"}))
    found = []
    for name in ("units", "flat"):
        assert train("--arith", "fixed16", "--activation", f"spindle:{name}.json", "--out", name,
                     "--epochs", "10", "--init-std", "0.2", "--json") == 0
        found.append(json.loads(capsys.readouterr().out)["test_accuracy"])
    assert found[0] > 0.8 and found[1] < 0.3


@pytest.mark.parametrize("given, message", [
    (("fixed16", "none.json"), "cannot read none.json: No such file"),
    (("fixed16", "broken.json"), "broken.json: it is no JSON"),
    (("fixed16", "list.json"), "list.json: it must be an object, got a list of 1"),
    (("fixed16", "three.json"), "three.json: a gain is + or - a power of two, got '3'"),
    (("float32", "sum.json"), "sum.json: the A of the kernels must add up to 1, not to 1.3"),
    (("float32", "row.json"), "row.json: kernels[0] must be a list of 3..3, got a list of 2"),
    (("float32", "kernels=1:0:0"), "a kernel is A, B, C with A and B above 0, got 1, 0, 0"),
    (("float32", "kernels=1:2"), "a kernel is A:B:C, got '1:2'"),
    (("fixed16", "kernels.json"), "kernels go with float32 arithmetic, not with fixed16"),
    (("lns16", "units.json"), "fixed-point arithmetic, not with lns16"),
    (("fixed10.2", "units.json"), "knee -47/16 is no multiple of 2^-2, the unit of fixed10.2"),
    (("fixed8.6", "units.json"), "knee -4 is outside fixed8.6"),
])
def test_what_cannot_be_is_one_line(here, capsys, given, message):
    for name, text in (("broken", '{"units":'), ("list", "[1]"), ("three", '{"units": "1:3"}'),
                       ("sum", '{"kernels": [[0.5, 1, 0], [0.8, 1, 0]]}'),
                       ("row", '{"kernels": [[1, 2]]}')):
        (here / f"{name}.json").write_text(text)
    before = sorted(here.iterdir())
    assert train("--arith", given[0], "--activation", f"spindle:{given[1]}") == 2
    err = capsys.readouterr().err
    assert message in err
    assert_one_line(err)
    assert sorted(here.iterdir()) == before


def test_a_run_does_not_go_on_with_another_activation(here, capsys):
    given = ("--arith", "fixed16", "--out", "r", "--activation")
    assert train(*given, "spindle:units.json", "--epochs", "1") == 0
    assert train(*given, "spindle:logistic8", "--resume", "--epochs", "1") == 0
    capsys.readouterr()
    assert train(*given, f"spindle:{FOUR}", "--resume") == 2
    assert "r has activation = spindle:offset=7/1024" in capsys.readouterr().err


def test_mode_paper_has_no_fitted_activations():
    with pytest.raises(FormatError, match="not with fixed16 in mode paper"):
        Settings(arith="fixed16", mode="paper", activation="spindle:0:1")
