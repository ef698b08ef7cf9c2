"""Folders of generated Verilog, and the commands that write and check them."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from helpers.front_door import answer, assert_one_line, call
from helpers.hardware.rtl_faults import HALF_RESET, HANDSHAKES, KEPT_SUM, RESPONSES

from lnsarith.host.files.whole import write_folder_whole
from verilog.catalogue import design
from verilog.design.package import folder_files, write_package


def bench(folder, name):
    """Run the plain test bench of a folder; return its exit code and what it says."""
    run = subprocess.run(f"iverilog -g2001 -Wall -Wno-timescale -o tb.vvp -f files.f tb_{name}.v "
                         "&& vvp -N tb.vvp", shell=True, cwd=folder, text=True,
                         capture_output=True)
    return run.returncode, run.stdout + run.stderr


DESIGNS = [
    dict(name="lns-add", arith="lns9.4"),
    dict(name="lns-add", arith="lns9.4", options={"delta": "exact"}, memories=True),
    dict(name="fixed-mul", arith="ufixed9.4", options={"rounding": "stochastic"}, latency=2),
    dict(name="lns-mac", arith="lns9.4", as_cfu=True),
    dict(name="lns-mac-unit", arith="lns9.4", options={"guard": "2"}),
    dict(name="xnor-unit", arith="ufixed8.0", options={"depth": "40"}),
    dict(name="fixed-systolic", arith="fixed8", options={"rows": "2", "columns": "3"}),
    dict(name="lns-systolic", arith="lns9.4", options={"stationary": "weight", "rows": "3"}),
]


@pytest.mark.parametrize("arguments", DESIGNS, ids=lambda a: a["name"])
def test_the_plain_bench_passes_and_fails_when_a_golden_word_is_changed(arguments, tmp_path):
    made = design(**arguments)
    write_package(made, tmp_path / "d", vectors=300)
    code, said = bench(tmp_path / "d", made.name)
    assert (code, said.split(":")[0]) == (0, "PASS"), said
    golden = tmp_path / "d" / f"golden_o_{list(made.outputs)[0]}.hex"
    words = golden.read_text().split()
    words[7] = f"{int(words[7], 16) ^ 1:x}"
    golden.write_text("\n".join(words))
    code, said = bench(tmp_path / "d", made.name)
    assert code == 1 and re.search("FAIL: [12] wrong, 0 faults", said) and "answer 7:" in said


FAULTS = {**HANDSHAKES, **RESPONSES, "outlives a reset": HALF_RESET,
          "a sum that a reset does not clear": KEPT_SUM}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_plain_bench_finds_what_is_wrong_with_a_handshake_a_reset_or_a_response(
        fault, tmp_path):
    write_package(FAULTS[fault], tmp_path / "d", vectors=200)
    code, said = bench(tmp_path / "d", FAULTS[fault].name)
    assert code == 1 and "FAIL: " in said and "PASS" not in said, said


def test_a_folder_holds_what_a_project_needs(tmp_path):
    made = design("lns-add", "lns12", {"delta": "exact"}, latency=1, memories=True)
    names = write_package(made, tmp_path / "d", vectors=10)
    assert sorted(names) == sorted(p.name for p in (tmp_path / "d").iterdir())
    assert (tmp_path / "d" / "files.f").read_text() == f"{made.name}.v\n"
    manifest = json.loads((tmp_path / "d" / "manifest.json").read_text())
    assert manifest["settings"]["delta"] == "exact" and manifest["latency"] == 1
    assert {p["name"] for p in manifest["ports"]} >= {"i_clk", "i_valid", "o_ready", "i_x"}
    core = (tmp_path / "d" / f"{made.name}.core").read_text()
    assert core.startswith("CAPI=2:\n") and all(f"- {n}" in core for n in made.files)
    assert write_package(made, tmp_path / "d", vectors=10) == names  # replaces its own


def test_the_same_settings_write_the_same_bytes():
    made = [design("lns-mac-unit", "lns9.4") for _ in range(2)]
    first, second = (folder_files(m, 50, 3) for m in made)
    assert first == second


def test_a_folder_of_someone_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="no folder of generated Verilog"):
        write_package(design("lns-neg", "lns9.4"), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("step", ["write_text", "replace"])
def test_nothing_is_left_of_a_folder_that_could_not_be_finished(tmp_path, monkeypatch, step):
    made = design("lns-neg", "lns9.4")
    write_package(made, tmp_path / "d", vectors=5)
    before = {p.name: p.read_bytes() for p in (tmp_path / "d").iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, step, full)
    for folder in ("d", "e"):
        with pytest.raises(OSError, match="No space"):
            write_package(made, tmp_path / folder, vectors=5)
    assert [p.name for p in tmp_path.iterdir()] == ["d"]
    assert {p.name: p.read_bytes() for p in (tmp_path / "d").iterdir()} == before


def test_gen_writes_a_folder_and_tells_of_it(tmp_path):
    told = answer("rtl", "gen", "add", "--arith", "lns12", "--latency", "2", "--vectors", "20",
                  "--out", tmp_path / "d", cwd=tmp_path)
    assert told["design"] == "lns_add_12_6_l2" and told["latency"] == 2 and told["clocked"]
    assert sorted(told["files"]) == sorted(p.name for p in (tmp_path / "d").iterdir())


def test_gen_prints_to_stdout_when_asked(tmp_path):
    code, out, _ = call("rtl", "gen", "fixed-add", "--arith", "fixed8", "--out", "-", cwd=tmp_path)
    assert code == 0 and "module fixed_add_8_3" in out
    assert not list(tmp_path.iterdir())


def test_list_names_every_operator_and_unit(tmp_path):
    kinds = {r["name"]: r["kind"] for r in answer("rtl", "list", cwd=tmp_path)["designs"]}
    assert kinds["lns-add"] == "operator" and kinds["lns-systolic"] == "unit"
    _, plain, _ = call("rtl", "list", cwd=tmp_path)
    assert all(name in plain for name in kinds)


def test_lint_says_that_a_design_is_clean(tmp_path):
    code, out, _ = call("rtl", "lint", "lns-mac", "--arith", "lns9.4", "--cfu", cwd=tmp_path)
    assert code == 0 and "clean" in out


@pytest.mark.parametrize("arguments, message", [
    (["gen", "lns-ad"], "did you mean"),
    (["gen", "lns-add", "--arith", "lns99"], "bits must be 4..32, got 99"),
    (["gen", "lns-add", "--delta", "exact", "--arith", "lns32"], "exact table of 26 fraction"),
    (["gen", "lns-add", "--latency", "99"], "latency must be 0..64, got 99"),
    (["gen", "lns-add", "--vectors", "0"], "vectors must be 1.."),
    (["gen", "lns-add", "--seed", "-1"], "seed must be 0..2147483648, got -1"),
    (["gen", "lns-add", "--seed", "9999999999"], "seed must be 0..2147483648, got 9999999999"),
    (["gen", "lns-add", "--target-ns", "nan"], "a target must be a number of ns above 0, got nan"),
    (["gen", "lns-add", "--target-ns", "inf"], "a target must be a number of ns above 0, got inf"),
    (["gen", "lns-dot", "--target-ns", "nan"], "a target must be a number of ns above 0, got nan"),
    (["gen", "lns-add", "--target-ns", "-1"], "a target must be a number of ns above 0, got -1"),
    (["gen", "lns-add", "--target-ns", "0"], "a target must be a number of ns above 0, got 0"),
    (["gen", "lns-add", "--latency", "2", "--target-ns", "3"], "exclude each other"),
    (["gen", "lns-mac", "--arith", "lns32", "--cfu"], "operand x has 32 bits"),
    (["gen", "mac-unit", "--latency", "3"], "registers of its own"),
    (["gen"], "the following arguments are required: OP"),
    (["make"], "there is no lnsarith rtl make"),
])
def test_what_cannot_be_is_one_line_and_exit_2(arguments, message, tmp_path):
    code, out, err = call("rtl", *arguments, cwd=tmp_path)
    assert code == 2 and out == ""
    assert_one_line(err, message)
    assert not list(tmp_path.iterdir())


def test_the_old_folder_comes_back_when_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    folder = tmp_path / "d"
    write_folder_whole(folder, {"a": "old"})
    replace, moves = Path.replace, []

    def second_fails(self, target):
        moves.append(target)
        if len(moves) == 2:
            raise OSError(5, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", second_fails)
    with pytest.raises(OSError, match="Input/output"):
        write_folder_whole(folder, {"a": "new"})
    assert [p.name for p in tmp_path.iterdir()] == ["d"]
    assert (folder / "a").read_text() == "old"
