"""Simulation under cocotb: right designs pass, each kind of fault is found."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from helpers.hardware.rtl_faults import (
    ADD,
    BUBBLES,
    HALF_RESET,
    HANDSHAKES,
    KEPT_SUM,
    RESPONSES,
    rewritten,
    wrapped,
)

from fxp.format import FormatError
from lnsarith.cli import main
from verilog.catalogue import design
from verilog.simulate import bench_run, wave_picture
from verilog.simulate.icarus import run_phases, simulate
from verilog.simulate.trace import read_vcd
from verilog.tools import ToolError, ToolMissing


@pytest.mark.parametrize("op, arith, latency", [
    ("lns-add", "lns9.4", 0), ("lns-sub", "lns16", 0), ("fixed-compare", "fixed8", 0),
    ("lns-mac", "lns9.4", 4), ("fixed-mul", "fixed12.7", 1)])
def test_every_word_is_answered_as_by_the_kernel(op, arith, latency):
    report = simulate(design(op, arith, {}, latency), 1500, seed=3)
    assert report.equal and report.compared == report.vectors == 1500
    assert not report.mismatches and not report.faults
    assert set(report.phases) == ({
        "full speed", "stalls", "patient", "reset"} if latency else {"words"})
    assert json.loads(json.dumps(report.as_dict()))["equal"] is True


@pytest.mark.parametrize("op", ["fixed-systolic", "lns-mac-unit", "fixed-xnor-dot"])
def test_units_with_a_state_and_wide_ports_are_answered_in_order(op):
    unit = design(op)
    report = simulate(unit, 300)
    expected = 300 if unit.latency is not None else report.compared
    assert report.equal and report.compared == expected > 5


def test_a_pipeline_takes_a_word_a_cycle():
    report = run_phases(ADD, {"full speed": ADD.stimulus(200, 0)})
    reset, drain = 2, ADD.latency + 8
    assert report.cycles == reset + 200 + ADD.latency + drain


def test_swapped_operands_are_found_and_named():
    right = design("fixed-sub", "fixed8")
    report = simulate(wrapped(right, i_x="i_y", i_y="i_x"), 300)
    assert not report.equal and report.wrong > 200 and len(report.mismatches) == 8
    first = report.mismatches[0]
    x, y = first["inputs"]["x"], first["inputs"]["y"]
    assert first["expected"] == {"out": min(max(x - y, -128), 127)}
    assert first["got"] == {"out": min(max(y - x, -128), 127)}


def test_a_sum_without_saturation_is_found():
    right = design("fixed-add", "fixed8")
    report = simulate(rewritten(right, "assign o_out = i_x + i_y;"), 300)
    assert 0 < report.wrong < 200
    for each in report.mismatches:
        assert abs(each["got"]["out"] - each["expected"]["out"]) < 256
        assert not -128 <= sum(each["inputs"].values()) <= 127


def test_an_unknown_bit_is_wrong_and_shown():
    right = design("fixed-neg", "fixed8")
    report = simulate(rewritten(right, "assign o_out = {i_x[7:1], 1'bx};"), 20)
    assert report.wrong == 20 and report.mismatches[0]["got"]["out"].endswith("X")


@pytest.mark.parametrize("fault", HANDSHAKES)
def test_a_broken_handshake_is_found(fault):
    report = simulate(HANDSHAKES[fault], 300)
    assert not report.equal and report.fault_count and report.faults


def test_a_latency_that_is_not_the_told_one_is_found():
    report = simulate(replace(design("lns-add", "lns9.4", {}, 3), latency=2), 100)
    assert not report.wrong and "came after 3 cycles, not 2" in report.faults[0]


def test_a_word_that_outlives_a_reset_is_found():
    report = simulate(HALF_RESET, 300)
    assert report.faults and all(f.startswith("reset: ") for f in report.faults)


def test_a_pipeline_that_keeps_its_bubbles_while_it_waits_is_found():
    report = simulate(BUBBLES, 300)
    assert report.faults == ("patient: while the answer waits, 2 stages take 1 words",)


def test_a_sum_that_a_reset_does_not_clear_is_found():
    report = simulate(KEPT_SUM, 300)
    assert report.wrong and not report.faults


@pytest.mark.parametrize("fault", RESPONSES)
def test_a_custom_function_unit_answers_32_bits_whatever_the_unused_ones_are(fault):
    assert not simulate(RESPONSES[fault], 300).equal


def test_mismatches_of_wide_ports_are_lists_of_words():
    right = design("fixed-systolic")
    width = right.top.ports[-1].width
    report = simulate(wrapped(right, f"wire [{width - 1}:0] w; assign o_out = ~w;", o_out="w"), 100)
    first = report.mismatches[0]
    assert first["got"]["out"] == [-1 - word for word in first["expected"]["out"]]


def test_a_simulation_that_breaks_off_is_an_error_and_not_a_pass(monkeypatch, tmp_path):
    words = {"words": design("fixed-neg", "fixed8").stimulus(50, 0)}
    right = design("fixed-neg", "fixed8")
    with pytest.raises(ToolError, match="syntax error"):
        run_phases(rewritten(right, "asign o_out = 1;"), words)
    with pytest.raises(ToolError, match="the bench broke|left no result"):
        run_phases(rewritten(right, "assign o_out = 0; initial #55 $finish;"), words)
    with pytest.raises(ToolError, match="the bench broke: 0 tests ran"):
        run_phases(right, {"no such phase": words["words"]})  # every test is skipped
    (tmp_path / "empty_bench.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    for bench in ("empty_bench", "no_such_bench"):
        monkeypatch.setattr(bench_run, "BENCH", bench)
        with pytest.raises(ToolError, match="left no result|the bench broke|broke off"):
            run_phases(right, words)


def test_cocotb_finds_the_names_of_pytest_that_it_looks_at_and_no_more_is_loaded(tmp_path):
    """Ends that it tells apart are told apart here too: none may be taken for another."""
    (tmp_path / "pytest.py").write_text(bench_run.PYTEST)
    text = """if True:
        import inspect, re, sys
        import cocotb.regression as regression
        import pytest
        names = {*re.findall(r"pytest[.](\\w+)[.]Exception", inspect.getsource(regression))}
        ends = [getattr(pytest, name).Exception for name in sorted(names)]
        apart = len({*ends}) == len(ends) and not any(issubclass(AssertionError, e) for e in ends)
        regression.RegressionManager.setup_pytest_assertion_rewriting()
        print(sorted(names), apart, sum(name.startswith("_pytest") for name in sys.modules))
    """
    run = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env={
        **os.environ, "PYTHONPATH": str(tmp_path), "COCOTB_REWRITE_ASSERTION_FILES": ""})
    assert run.stdout == "['raises', 'skip', 'xfail'] True 3\n", run.stderr


def test_a_bench_that_compares_too_little_is_an_error(monkeypatch):
    right = design("fixed-neg", "fixed8")
    found = bench_run._results
    for change, message in ((lambda f: [{**f[0], "compared": 49}], "compared 49 answers, not 50"),
                            (lambda f: [], "the bench ran")):
        monkeypatch.setattr(bench_run, "_results", lambda *a, c=change: c(found(*a)))
        with pytest.raises(ToolError, match=message):
            run_phases(right, {"words": right.stimulus(50, 0)})


def test_a_simulation_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr(bench_run, "SECONDS", 3)
    right = design("fixed-neg", "fixed8")
    forever = rewritten(right, "reg r; assign o_out = {8{r}}; initial begin r = 0; "
                        "while (1) r = ~r; end")
    with pytest.raises(ToolError, match="took more than"):
        simulate(forever, 10)


def test_without_icarus_the_message_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="apt install iverilog"):
        simulate(ADD, 10)
    assert main(["rtl", "sim", "lns-add"]) == 2
    assert capsys.readouterr().err.startswith("lnsarith: iverilog is not installed: apt install")


def test_without_cocotb_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cocotb_tools.runner", None)
    with pytest.raises(ToolMissing, match=r"cocotb is not installed: pip install 'lnsarith"):
        simulate(ADD, 10)


@pytest.mark.parametrize("latency", [0, 2])
def test_waves_are_written_and_hold_every_word(tmp_path, latency):
    right = design("lns-add", "lns9.4", {}, latency)
    for name in ("run.vcd", "run.fst"):
        simulate(right, 40, waves=tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["run.fst", "run.vcd"]
    traces = read_vcd(tmp_path / "run.vcd", right.name)
    assert (tmp_path / "run.fst").read_bytes()[:9] == bytes([0, *(329).to_bytes(8, "big")])
    assert set(traces) >= {p.name for p in right.top.ports}
    if not latency:
        words = right.stimulus(40, 0)["x"] & 511
        seen = [int(bits, 2) for _, bits in traces["i_x"]]
        assert seen == [w for k, w in enumerate(words) if k == 0 or w != words[k - 1]]


@pytest.mark.parametrize("op, arith, latency, suffix", [
    ("lns-add", "lns16", 2, "png"), ("lns-to-fixed", "lns16", 0, "svg"),
    ("fixed-systolic", None, 0, "png")])
def test_pictures_are_whole_files(tmp_path, op, arith, latency, suffix):
    path = tmp_path / f"ports.{suffix}"
    report = simulate(design(op, arith, {}, latency), 40, picture=path)
    assert report.equal and list(tmp_path.iterdir()) == [path]
    assert path.read_bytes().startswith(b"\x89PNG" if suffix == "png" else b"<?xml")
    assert path.stat().st_size > 10_000


def test_a_picture_decodes_words_into_numbers():
    right = design("lns-to-fixed", "lns16")
    x, out = right.top.ports
    assert wave_picture._texts(right, x, f"{1 << 10:016b}") == ["1024", "2"]
    assert wave_picture._texts(right, x, f"{1 << 14:016b}") == ["16384", "0"]
    assert wave_picture._texts(right, out, f"{0xF800:016b}") == ["-2048", "-1"]
    dot = design("fixed-xnor-dot")
    a = next(p for p in dot.top.ports if p.name == "i_a")
    lanes, bits = dot.lanes["a"]
    pattern = "".join(f"{k:0{bits}b}" for k in reversed(range(lanes)))
    assert wave_picture._texts(dot, a, pattern) == ["0", "1", "2", "3", f"{lanes - 4} more"]


def test_files_that_cannot_be_written_are_refused_before_the_run(tmp_path):
    for given, message in (({"waves": tmp_path / "a.txt"}, r"must end in \.vcd or \.fst"),
                           ({"picture": tmp_path / "a.gif"}, r"must end in \.png or"),
                           ({"waves": tmp_path / "none" / "a.vcd"}, "No such file")):
        with pytest.raises(FormatError, match=message):
            simulate(None, **given)


def test_the_command_says_equal_or_shows_what_differs(capsys, monkeypatch):
    arguments = ["rtl", "sim", "lns-add", "--arith", "lns9.4", "--latency", "2"]
    assert main([*arguments, "--vectors", "200"]) == 0
    out = capsys.readouterr().out
    assert "200 answers compared" in out and out.count("\n") == 3 and ": equal" in out
    assert main([*arguments, "--vectors", "200", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["equal"] and found["compared"] == 200 and found["simulator"] == "icarus"
    from lnsarith.commands.rtl import sim as rtl_sim

    monkeypatch.setattr(rtl_sim, "design_of",
                        lambda args: HANDSHAKES["changes an answer that waits"])
    assert main([*arguments, "--vectors", "200"]) == 1
    out = capsys.readouterr().out
    assert "wrong" in out and "faults of the handshake" in out and "expected out=" in out
    assert main([*arguments, "--vectors", "0"]) == 2
