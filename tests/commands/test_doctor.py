"""What is installed, what is missing and how to get it; completion; skeletons of one's own."""

import configparser
import os
import re

import pytest
from helpers.front_door import ROOT, answer, assert_one_line, call

from lnsarith.commands.doctor.parts import PACKAGES, PROGRAMS


def test_doctor_tells_versions_vectors_caches_and_data_sets(tmp_path):
    found = answer("doctor", cwd=tmp_path, env={"LNSARITH_CACHE": str(tmp_path / "kept")})
    assert all(p["version"] and p["get"] is None for p in found["packages"]
               if p["name"] in ("numpy", "numba", "matplotlib", "cocotb"))
    assert found["vectors"]["bits"] in (128, 256, 512) and found["threads"] >= 1
    assert found["caches"][0] == {"name": "kernels", "folder": str(tmp_path / "kept"), "bytes": 0,
                                  "chosen_by": "$LNSARITH_CACHE", "writable": True}
    assert {"name": "digits", "found": "scikit-learn", "bytes": 0} in found["data_sets"]


def test_doctor_tells_what_is_missing_what_it_gives_and_how_to_get_it(tmp_path):
    fake = tmp_path / "without"
    fake.mkdir()
    (fake / "iverilog").write_text("#!/bin/sh\necho Icarus Verilog version 99.5\n")
    (fake / "iverilog").chmod(0o755)
    found = answer("doctor", "--data-dir", tmp_path, cwd=tmp_path, env={"PATH": str(fake)})
    programs = {p["name"]: p for p in found["programs"]}
    assert programs["iverilog"]["version"] == "99.5"
    assert programs["g++"]["version"] is None
    assert programs["g++"]["get"] == "apt install g++"
    assert [s for s in found["data_sets"] if s["name"] == "mnist"][0]["found"] is None
    code, out, _ = call("doctor", cwd=tmp_path, env={"PATH": str(fake)})
    assert code == 0
    assert re.search(r"g\+\+ +missing +rtl sim --exhaustive  \(apt install g\+\+\)", out)


def test_every_package_that_an_extra_brings_is_one_that_doctor_knows():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extras = {k: set(re.findall(r"^[\w.-]+", v, re.M))
              for k, v in setup["options.extras_require"].items()}
    for name, _, _, extra in PACKAGES:
        named = extras[extra] if extra else re.findall(
            r"^[\w.-]+", setup["options"]["install_requires"], re.M)
        assert name in named or name == "llvmlite", (name, extra)
    assert {p for p in extras["rtl"]} <= {name for name, _, _, _ in PACKAGES}
    assert len({row[0] for row in PROGRAMS}) == len(PROGRAMS)


@pytest.mark.parametrize("typed, offered", [
    ("lnsarith tra", {"train"}), ("lnsarith rtl s", {"sim", "synth"}),
    ("lnsarith train --shuff", {"--shuffle"}), ("lnsarith doctor --d", {"--data-dir"})])
def test_the_shell_completes_commands_actions_and_options(typed, offered, tmp_path):
    out = tmp_path / "out"
    env = {"_ARGCOMPLETE": "1", "COMP_LINE": typed, "COMP_POINT": str(len(typed)), "IFS": "\n",
           "_ARGCOMPLETE_STDOUT_FILENAME": str(out)}
    code, _, err = call(cwd=tmp_path, env=env)
    assert (code, err) == (0, "")
    assert {word.split(":")[0].strip() for word in re.split(r"[\n\v]", out.read_text())} == offered


def test_help_and_version_load_no_arithmetic(tmp_path):
    for argv in (["--help"], ["--version"]):
        code, out, err = call(*argv, cwd=tmp_path, env={"PYTHONPROFILEIMPORTTIME": "1"})
        assert code == 0 and out
        assert not re.search(r"\| +(numpy|numba|scipy|matplotlib|argcomplete)$", err, re.M)


def test_new_writes_files_that_work_and_takes_no_others_place(tmp_path):
    made = answer("new", "operator", "fixed-cut", "--out", "own", cwd=tmp_path)
    assert made["files"] == [os.path.join("own", n) for n in (
        "cut.py", "cut_oracle.py", "test_cut.py")]
    found = answer("check", "fixed-cut", "--arith", "fixed8.4", "--exhaustive", "--plugin",
                   "own/cut.py", cwd=tmp_path)
    assert found["max_ulp"] <= 0.5 and found["count"] == 256
    code, _, err = call("new", "operator", "cut", "--out", "own", cwd=tmp_path)
    assert code == 2
    assert_one_line(err, "cut.py is there already; choose another --out or name")
    code, _, err = call("new", "delta", "class", cwd=tmp_path)
    assert_one_line(err, "class is a word of Python; choose another name")
