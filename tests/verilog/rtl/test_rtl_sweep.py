"""Sweeps through Verilator: all combinations equal, and every fault names its operands."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.hardware.rtl_faults import HANDSHAKES, one_table_word_off, wrapped

from fxp.format import FormatError
from lnsarith.cli import main
from verilog.catalogue import design
from verilog.simulate import exhaustive
from verilog.simulate.exhaustive import combinations, sweep
from verilog.simulate.icarus import run_phases
from verilog.tools import ToolError, ToolMissing


def test_all_pairs_of_twelve_bits_equal_the_kernel():
    seen = []
    report = sweep(design("lns-add", "lns12"), progress=seen.append)
    assert report.equal and report.exhaustive
    assert report.compared == report.vectors == report.combinations == 1 << 24 == sum(seen)
    assert json.loads(json.dumps(report.as_dict()))["exhaustive"] is True


@pytest.mark.parametrize("op, arith, latency, count", [
    ("lns-add", "lns9.4", 2, 1 << 18), ("fixed-mul", "fixed8", 3, 1 << 16),
    ("lns-to-fixed", "lns16", 0, 1 << 16)])
def test_small_formats_are_swept_through_pipelines_too(op, arith, latency, count):
    report = sweep(design(op, arith, {}, latency))
    assert report.equal and report.exhaustive and report.compared == count


@pytest.mark.parametrize("latency", [0, 2])
def test_one_wrong_table_word_is_found_and_its_operands_named(latency):
    right = design("lns-add", "lns9.4", {}, latency)
    wrong = one_table_word_off(right)
    report = sweep(wrong)
    assert not report.equal and 0 < report.wrong < report.compared == 1 << 18
    assert len(report.mismatches) == 8
    for each in report.mismatches:
        words = {k: np.array([word]) for k, word in each["inputs"].items()}
        assert right.model(words)["out"][0] == each["expected"]["out"] != each["got"]["out"]
        phase = "stalls" if latency else "words"
        assert run_phases(wrong, {phase: words}).mismatches[0]["got"] == each["got"]
        break  # one through Icarus suffices


@pytest.mark.parametrize("fault", ["loses answers that wait", "accepts nothing",
                                   "changes an answer that waits", "answers twice",
                                   "answers once more at the end",
                                   "withdraws an answer for a cycle",
                                   "waits for ready before it gives an answer"])
def test_a_broken_handshake_is_found(fault):
    report = sweep(HANDSHAKES[fault], count=5000)
    assert not report.equal and (report.wrong or report.faults)


def test_a_custom_function_unit_is_swept_by_its_operands_with_anything_else_beside_them():
    report = sweep(design("fixed-sub", "fixed8", as_cfu=True))
    assert report.equal and report.exhaustive and report.compared == report.combinations == 1 << 16


def test_too_many_combinations_are_sampled_and_the_report_says_so():
    wide = design("lns-add", "lns32")
    report = sweep(wide, count=300_000, seed=5)
    assert report.equal and not report.exhaustive and report.combinations == 0
    assert report.compared == 300_000 and report.threads == 2
    assert combinations(design("lns-add", "lns16")) == 1 << 32


@pytest.mark.parametrize("op, count", [("fixed-xnor-dot", 20_000), ("lns-mac-unit", 600),
                                       ("fixed-systolic", 600)])
def test_wide_ports_and_states(op, count):
    report = sweep(design(op), count=count)
    assert report.equal and report.compared and not report.exhaustive


def test_mismatches_of_wide_ports_are_lists_of_words():
    right = design("fixed-systolic")
    width = right.top.ports[-1].width
    report = sweep(wrapped(right, f"wire [{width - 1}:0] w; assign o_out = ~w;", o_out="w"), 200)
    first = report.mismatches[0]
    assert report.wrong == report.compared
    assert first["got"]["out"] == [-1 - word for word in first["expected"]["out"]]


def test_tables_in_memories_are_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sweep(design("lns-add", "lns9.4", memories=True)).equal


@pytest.mark.parametrize("ranges", [{"x": (-3, 4), "y": (0, 31)}, {"x": (0, 9), "y": (-7, 5)},
                                    {"x": (0, 1), "y": (0, 2), "z": (-1, 6)}])
def test_the_grid_has_every_combination_once(ranges, monkeypatch):
    monkeypatch.setattr(exhaustive, "CHUNK", 16)
    total = int(np.prod([high - low + 1 for low, high in ranges.values()]))
    fake = SimpleNamespace(inputs=ranges, ignored=frozenset())
    rows = [tuple(row) for _, words in exhaustive._grid(fake, total, 0)
            for row in np.stack(list(words.values()), axis=1).tolist()]
    assert rows == sorted(set(rows)) and len(rows) == total
    for k, (low, high) in enumerate(ranges.values()):
        assert {row[k] for row in rows} == set(range(low, high + 1))


def test_what_does_not_compile_is_an_error():
    right = design("fixed-neg", "fixed8")
    broken = replace(right, modules=(replace(right.top, text="module " + right.top.text),))
    with pytest.raises(ToolError, match="verilator ended with"):
        sweep(broken)


def test_an_error_in_the_model_ends_the_sweep():
    calls = []

    def model(words):
        calls.append(words)
        if len(calls) > 3:
            raise FormatError("no more")
        return {"out": -words["x"]}

    with pytest.raises(FormatError, match="no more"):
        sweep(replace(design("fixed-neg", "fixed32"), model=model), count=1 << 22)
    assert len(calls) < 8


def test_without_a_compiler_the_message_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match=r"g\+\+ is not installed: apt install g\+\+"):
        sweep(design("fixed-neg", "fixed8"))


def test_the_command(capsys):
    assert main(["rtl", "sim", "lns-add", "--arith", "lns9.4", "--exhaustive"]) == 0
    out = capsys.readouterr().out
    assert "all 262,144 combinations of words; 262,144 answers compared: equal" in out
    assert main(["rtl", "sim", "add", "--arith", "lns32", "--exhaustive", "--vectors", "9000",
                 "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["exhaustive"], found["compared"]) == (False, 9000)
    for more, message in ((["--vectors", "9"], "leave out --vectors"),
                          (["--waves", "a.vcd"], "no waves"), (["--threads", "0"], "threads")):
        assert main(["rtl", "sim", "lns-add", "--exhaustive", *more]) == 2
        assert message in capsys.readouterr().err
