"""Plugins: what they bring is known everywhere, runs keep them, and their faults are told."""

import json
import sys

import pytest
from helpers.front_door import DIGITS, ROOT, answer, assert_one_line, call

from lnsarith.catalogue.operators import OPERATORS
from lnsarith.delta.methods import METHODS
from lnsarith.plugins import load
from lnsarith.plugins.load import load_plugin
from lnsarith.plugins.registry import PluginError
from lnsarith.plugins.skeleton import skeleton
from lnsarith.testing import check_delta, check_operator

RAMP = '''
from dataclasses import dataclass
from fractions import Fraction

from fxp.trace.bits import minimum, where
from lnsarith.delta.method import Delta, cancelling


@dataclass(frozen=True)
class Ramp(Delta):
    """D+ as a line that falls to zero at 2**width, D- as minus twice that."""

    name = "@NAME@"
    width: int = 2

    def at(self, frac, cancel):
        def delta(gap, opposite):
            t = (1 << frac) - minimum(gap >> self.width, 1 << frac)
            return where(opposite != 0, 0 - t - t, t)

        return cancelling(delta, cancel)


DELTAS = [Ramp]
'''
SMALL = ("--epochs", 1, "--arith", "lns9.4", "--hidden", 8)


@pytest.fixture(autouse=True)
def forgotten():
    """What a test makes known in this process is forgotten behind it."""
    before = dict(METHODS), dict(OPERATORS), list(load._loaded)
    yield
    for known, old in zip((METHODS, OPERATORS), before):
        known.clear()
        known.update(old)
    load._loaded[:] = before[2]


def ramp(gap, opposite, frac, width=2):
    if opposite and gap == 0:
        return None
    t = 2**frac - min(gap // 2**width, 2**frac)
    return -2 * t if opposite else t


def written(folder, name, text=RAMP):
    path = folder / f"{name.replace('-', '_')}.py"
    path.write_text(text.replace("@NAME@", name))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with ramp.py and a run r trained with it, and what train said."""
    folder = tmp_path_factory.mktemp("plugin")
    written(folder, "ramp")
    return folder, answer("--plugin", "ramp.py", *DIGITS, *SMALL, "--delta", "ramp:width=1",
                          "--out", "r", cwd=folder)


def test_a_run_keeps_its_plugin_and_eval_finds_it(run):
    folder, result = run
    kept = json.loads((folder / "r" / "config.json").read_text())["plugins"]
    assert [row["file"] for row in kept] == [str(folder / "ramp.py")]
    assert answer("eval", "r", cwd=folder)["test_accuracy"] == result["test_accuracy"]


def test_a_plugin_that_is_missing_or_has_changed_is_told_and_a_copy_will_do(run, tmp_path):
    folder, result = run
    text = (folder / "ramp.py").read_text()
    copy = written(tmp_path, "ramp")
    try:
        (folder / "ramp.py").write_text(text + "\n# changed\n")
        code, out, err = call("eval", "r", cwd=folder)
        assert (code, out) == (2, "")
        assert_one_line(err, "was trained with the plugin", "ramp.py", "has changed", "--plugin")
        (folder / "ramp.py").unlink()
        code, out, err = call("eval", "r", cwd=folder)
        assert (code, out) == (2, "")
        assert_one_line(err, "which is missing")
        found = answer("eval", "r", "--plugin", copy, cwd=folder)
        assert found["test_accuracy"] == result["test_accuracy"]
    finally:
        (folder / "ramp.py").write_text(text)


@pytest.mark.parametrize("text, words", [
    ("x = 1\n", "has neither DELTAS = [...] nor OPERATORS"),
    ("DELTAS = 3\n", "DELTAS must be a list, got int"),
    ("DELTAS = [3]\n", "holds classes made from Delta, got 3"),
    ("def f(:\n", "line 1: invalid syntax"),
    ("\n1 / 0\n", "line 2: ZeroDivisionError: division by zero"),
    ("import no_such_package\n", "ModuleNotFoundError"),
    (RAMP.replace("@NAME@", "lut"), "the name lut is taken"),
    (RAMP.replace("@NAME@", "Ra mp"), "must be small letters such as my-method, got 'Ra mp'"),
    (RAMP.replace("@dataclass(frozen=True)\n", ""), "put @dataclass(frozen=True) above it"),
    (RAMP.replace("width: int = 2", "width: float = 2.0"), "Ramp.width must have a default of"),
    (RAMP.replace("def at(", "def att("), "has no method at(self, frac, cancel)"),
    ("OPERATORS = [lambda x: x]\n", "OPERATORS holds rows Operator(name, ...)"),
])
def test_a_file_that_is_no_plugin_is_refused_in_a_line_and_nothing_of_it_stays(
        text, words, tmp_path):
    path = written(tmp_path, "refused", text)
    known = set(sys.modules)
    with pytest.raises(PluginError) as told:
        load_plugin(path)
    assert str(told.value).startswith(f"plugin {path}") and "\n" not in str(told.value)
    assert words in str(told.value)
    assert not {m for m in set(sys.modules) - known if m.startswith("lnsarith_plugin")}


def test_a_file_that_is_not_there_or_changes_is_refused(tmp_path):
    with pytest.raises(PluginError, match="none.py: No such file"):
        load_plugin(tmp_path / "none.py")
    path = written(tmp_path, "ramp-changed")
    assert load_plugin(path) is load_plugin(path)
    path.write_text(path.read_text() + "\n")
    with pytest.raises(PluginError, match="has changed since this process loaded it"):
        load_plugin(path)


def test_an_installed_package_brings_its_plugin(tmp_path):
    written(tmp_path, "packaged_ramp", RAMP.replace("@NAME@", "packaged-ramp"))
    (tmp_path / "packaged-1.2.dist-info").mkdir()
    (tmp_path / "packaged-1.2.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: packaged\nVersion: 1.2\n")
    (tmp_path / "packaged-1.2.dist-info" / "entry_points.txt").write_text(
        "[lnsarith.plugins]\nramp = packaged_ramp\nbroken = no_such_module\n")
    env = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    result = answer(*DIGITS, *SMALL, "--delta", "packaged-ramp", "--out", "r", cwd=tmp_path,
                    env=env)
    kept = json.loads((tmp_path / "r" / "config.json").read_text())["plugins"]
    assert kept[0]["package"] == "packaged 1.2"
    assert answer("eval", "r", cwd=tmp_path, env=env)["model_sha256"] == result["model_sha256"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    code, _, err = call("eval", tmp_path / "r", cwd=elsewhere)
    assert code == 2
    assert_one_line(err, "packaged_ramp.py of packaged 1.2", "not installed as it was")


def test_the_check_of_a_delta_method_finds_one_wrong_word(tmp_path):
    path = written(tmp_path, "ramp-checked")
    found = check_delta(path, "ramp-checked:width=1", ramp, ["lns6.2"], (1, 4), hardware=False)
    assert found.compared == {"gaps at 1 fraction bits": 28, "gaps at 4 fraction bits": 320,
                              "lns6.2": 4096}
    assert set(found.backends) == {"vector", "scalar", "numpy"}

    def wrong(gap, opposite, frac, width=2):
        return ramp(gap, opposite, frac, width) if (gap, frac) != (5, 4) else 99

    with pytest.raises(AssertionError, match="at 4 fraction bits: gap=5 opposite=False gives"):
        check_delta(path, "ramp-checked:width=1", wrong, ["lns6.2"], (1, 4), hardware=False)
    with pytest.raises(AssertionError, match="lns-add in lns6.2, delta ramp-checked, on integers"):
        check_delta(path, "ramp-checked", lambda g, o, frac: ramp(g, o, frac) if (g, frac) != (
            5, 2) else 1, ["lns6.2"], (1,), hardware=False)


def test_the_check_of_an_operator_finds_one_wrong_word():
    def product(x, y, bits, frac, signed, rounding):
        assert rounding == "down"
        low = -(2 ** (bits - 1)) if signed else 0
        return max(low, min(low + 2**bits - 1, (x * y) // 2**frac))

    given = {"formats": ["fixed6.3"], "options": [{"rounding": "down"}], "hardware": False}
    assert check_operator(None, "fixed-mul", product, **given).compared == {
        "fixed6.3, rounding down": 4096}
    with pytest.raises(AssertionError, match="x=-32 y=7 gives -28, expected 1"):
        check_operator(None, "fixed-mul", lambda x, y, bits, frac, signed, rounding: 1 if (
            x, y) == (-32, 7) else product(x, y, bits, frac, signed, rounding), **given)


def test_an_activation_of_ones_own_must_have_a_gradient(tmp_path):
    code, _, err = call(*DIGITS, "--arith", "lns12", "--activation", "op:sqrt", cwd=tmp_path)
    assert code == 2
    assert_one_line(err, "activation op:sqrt must be an operator of one operand with a gradient",
                    "no lns operator has one")
    code, _, err = call(*DIGITS, "--arith", "float32", "--activation", "op:x", cwd=tmp_path)
    assert_one_line(err, "goes with lns or fixed arithmetic, not with float32")


def test_a_skeleton_has_a_name_that_python_and_verilog_take():
    assert sorted(skeleton("operator", "lns-two-words")) == [
        "test_two_words.py", "two_words.py", "two_words_oracle.py"]
    assert all("@" not in text.replace("@dataclass", "") for kind, name in (
        ("delta", "a-b"), ("operator", "fixed-b"), ("operator", "lns-c")) for text in
        skeleton(kind, name).values())
    for name in ("Big", "1st", "-x", "a b", "a--b", "é"):
        with pytest.raises(PluginError, match="must be small letters such as my-own"):
            skeleton("operator", name)
