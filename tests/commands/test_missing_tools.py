"""What is not installed is named, with how to get it: packages of extras, and programs."""

import configparser
import os
import re

import pytest
from helpers.front_door import ROOT, assert_one_line, call

from lnsarith.host.extras import EXTRAS, how_to_get
from verilog import tools

ADD = ("fixed-add", "--arith", "fixed4.1")


def without(folder, *packages):
    """Return an environment in which packages cannot be imported."""
    for package in packages:
        fake = folder / "without" / package
        fake.mkdir(parents=True)
        (fake / "__init__.py").write_text(
            f"raise ModuleNotFoundError(\"No module named '{package}'\", name={package!r})\n")
    return {"PYTHONPATH": f"{folder / 'without'}{os.pathsep}{ROOT}"}


@pytest.mark.parametrize("command", [
    ("list",), ("gen", *ADD), ("lint", *ADD), ("sim", *ADD), ("prove", *ADD), ("synth", *ADD),
    ("synth", "--all"), ("sim", *ADD, "--exhaustive")], ids=" ".join)
def test_without_the_extra_every_command_of_rtl_names_it(command, tmp_path):
    code, out, err = call("rtl", *command, cwd=tmp_path, env=without(tmp_path, "pyverilog"))
    assert (code, out) == (2, "")
    assert_one_line(err, "pyverilog is not installed: pip install 'lnsarith[rtl]'")
    assert [p.name for p in tmp_path.iterdir()] == ["without"]


@pytest.mark.parametrize("packages, command, message", [
    (["cocotb_tools"], "sim", "cocotb is not installed: pip install 'lnsarith[rtl]'"),
    (["bitwuzla", "z3"], "prove", "no solver is installed (bitwuzla")])
def test_a_package_that_one_command_needs_is_named(packages, command, message, tmp_path):
    code, out, err = call("rtl", command, *ADD, cwd=tmp_path, env=without(tmp_path, *packages))
    assert (code, out) == (2, "")
    assert_one_line(err, message)


@pytest.mark.parametrize("program, command", [
    ("iverilog", ("sim", *ADD)), ("iverilog", ("lint", *ADD)),
    ("g++", ("sim", *ADD, "--exhaustive"))])
def test_a_missing_program_is_named_with_its_package(program, command, tmp_path):
    code, out, err = call("rtl", *command, cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert (code, out) == (2, "")
    assert_one_line(err, f"{program} is not installed: apt install {program}")


@pytest.mark.parametrize("find, name, hint", [
    (tools.yowasp, "nextpnr-none", "pip install 'lnsarith[rtl]'"),
    (tools.program, "g++", "apt install g++"), (tools.program, "vvp", "apt install iverilog"),
    (tools.program, "perl", "apt install perl"),
    (tools.program, "nothing-like-it", "install nothing-like-it")])
def test_a_program_that_is_not_there_raises_with_a_hint(find, name, hint, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(tools.ToolMissing, match=re.escape(f"{name} is not installed: {hint}")):
        find(name)


def test_every_package_named_is_in_its_extra():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    for package, extra in EXTRAS.values():
        names = re.findall(r"^[\w.-]+", setup["options.extras_require"][extra], re.M)
        assert package in names


def test_what_no_extra_brings_stays_a_fault():
    assert how_to_get(ModuleNotFoundError("No module named 'fxp.nothing'", name="fxp.nothing")) is (
        None)
    assert how_to_get(ImportError("pyverilog")) is None
