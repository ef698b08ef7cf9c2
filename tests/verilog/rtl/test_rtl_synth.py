"""What designs cost: marks, depth, LUTs, MHz, the comparison and its chart."""

import json
import signal
import threading
import time
from dataclasses import replace
from itertools import pairwise

import pytest

from lnsarith.catalogue.operators import find, parse_format
from lnsarith.cli import main
from verilog import tools
from verilog.catalogue import design as design_of
from verilog.cost import compare as cost_rows
from verilog.cost import synth
from verilog.cost.compare import Row, compare
from verilog.cost.plot import draw
from verilog.cost.synth import FLOWS, TARGETS, Cost, _registered, synthesise
from verilog.design.design import operator_design
from verilog.tools import ToolTimeout


def cost(name, arith, target="gates", flow="best", **options):
    return synthesise(operator_design(find(name), parse_format(arith), options), target,
                      flow=flow)


@pytest.mark.parametrize("flow", ["plain", "best"])
def test_an_exact_12_bit_lns_mac_is_smaller_than_fixed_point(flow):
    lns = cost("lns-mac", "lns12", flow=flow, delta="exact")
    assert 0 < lns.gates < cost("fixed-mac", "fixed12", flow=flow).gates


@pytest.mark.parametrize("flow", ["plain", "best"])
def test_a_16_bit_lns_mac_with_20_entries_is_below_half_of_fixed_point(flow):
    lns, fixed = (cost(*which, flow=flow) for which in (
        ("lns-mac", "lns16"), ("fixed-mac", "fixed16")))
    assert 0 < 2 * lns.gates < fixed.gates
    assert lns.depth > 0 and lns.inverters > 0 and lns.flip_flops == 0


def test_the_best_flow_is_the_smallest_for_either_side():
    kept = [f for f in FLOWS if f != "unswept"]
    for name, arith, flows in (("fixed-mac", "fixed8", kept), ("lns-mac", "lns8", ("area",))):
        each = [cost(name, arith, flow=f).gates for f in flows]
        assert cost(name, arith).gates == min(each)


def test_what_the_sweep_does_not_end_on_is_counted_without_it(monkeypatch):
    yosys = synth._yosys

    def endless(folder, design, script, *rest):
        if "-noabc" not in script:
            raise ToolTimeout("yosys took more than 1 s")
        yosys(folder, design, script, *rest)

    plain, unswept = (cost("fixed-mac", "fixed8", flow=f) for f in ("plain", "unswept"))
    assert abs(unswept.gates - plain.gates) < plain.gates / 20
    monkeypatch.setattr(synth, "_yosys", endless)
    design = design_of("fixed-mac", "fixed8")
    assert synthesise(design).gates == unswept.gates
    for settings in ({"flow": "plain"}, {"target": "ice40"}):
        with pytest.raises(ToolTimeout):
            synthesise(design, **settings)


@pytest.mark.parametrize("target", ["ice40", "ecp5", "xilinx"])
def test_fpgas_count_luts_carries_and_depth(target):
    found = cost("fixed-add", "fixed16", target)
    assert found.luts > 16 and found.carries > 0 and found.depth > 0
    assert found.gates == 0 and found.tools.startswith("Yosys 0.")
    assert found.as_dict()["cells"] == dict(found.cells)


def test_flip_flops_of_a_unit_are_counted():
    found = synthesise(design_of("fixed-mac-unit", "fixed9.4", {"kind": "each"}))
    assert found.flip_flops >= 9 + 9 + 1


@pytest.mark.parametrize("target", TARGETS)
def test_registers_cut_the_longest_path(target):
    latencies = (0, 2, 4) if target == "ice40" else (0, 3)  # Yosys takes seconds to begin others
    found = [synthesise(design_of("fixed-mul", "fixed6.2", {}, latency), target, flow="plain")
             for latency in latencies]
    assert all(a.depth > b.depth >= 2 for a, b in pairwise(found))
    assert found[0].flip_flops == 0
    assert all(a.flip_flops < b.flip_flops for a, b in pairwise(found))


def test_placing_gives_the_median_of_the_seeds():
    design = operator_design(find("lns-add"), parse_format("lns9.4"), latency=2)
    assert "i_clk(i_clk)" in _registered(design)
    found = synthesise(design, "ice40", place=True, seeds=(1, 2, 3))
    assert sorted(found.mhz_by_seed.values())[1] == found.mhz > 10
    assert "nextpnr-ice40 0." in found.tools


@pytest.mark.parametrize("given, message", [
    ({"target": "asic"}, "target must be one of gates, ice40, ecp5, .*, xilinx, got 'asic'"),
    ({"flow": "fast"}, "flow must be one of .* or best, got 'fast'"),
    ({"target": "gates", "place": True},
     "target must be one of ice40, ecp5, ecp5-memories to be placed, got 'gates'")])
def test_what_cannot_be_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        synthesise(operator_design(find("fixed-min"), parse_format("fixed8")), **given)


def test_the_comparison_draws_bars_and_tells_what_failed(tmp_path):
    rows = list(compare([Row("fixed-mac", 8), Row("lns-mac", 8, "lut", options={"delta": "lut"}),
                         Row("lns-mac", 40, "lut")]))
    assert [bool(r.best) for r in rows] == [True, True, False]
    assert "bits must be 4..32" in rows[2].failed
    assert rows[1].best.gates < rows[0].best.gates <= rows[0].plain.gates
    draw(tmp_path / "cost.png", rows)
    assert (tmp_path / "cost.png").stat().st_size > 5000
    assert rows[0].as_dict()["best"]["gates"] == rows[0].best.gates


def test_the_command_prints_the_cost_of_a_design(capsys):
    assert main(["rtl", "synth", "fixed-min", "--arith", "fixed8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gates"] > 0
    assert main(["rtl", "synth", "fixed-min", "--arith", "fixed8"]) == 0
    assert "gates" in capsys.readouterr().out


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_an_interrupt_keeps_the_rows_that_are_done_and_stops_the_tools(more, monkeypatch, capsys):
    wanted = [Row("fixed-mac", 8), Row("lns-mac", 8, "lut"), *(Row("lns-add", b) for b in (8, 9))]
    told, real = threading.Event(), cost_rows.compare

    def counted(row, _):
        if row.operator != "lns-add":
            found = Cost("d", "gates", "plain", "Yosys", {}, gates=200 if row.method else 100)
            return replace(row, best=found, plain=found)
        told.wait(30)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        tools.run(["sleep", "60"])

    def compare(rows):
        for number, row in enumerate(real(rows)):
            yield row
            if number == 1:  # the third is asked for, so two have been told
                told.set()

    monkeypatch.setattr(cost_rows, "rows_of_macs", lambda: wanted[:2])
    monkeypatch.setattr(cost_rows, "rows_of_operators", lambda: wanted[2:])
    monkeypatch.setattr(cost_rows, "_counted", counted)
    monkeypatch.setattr(cost_rows, "compare", compare)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs tests may not care
    start = time.monotonic()
    try:
        assert main(["rtl", "synth", "--all", *more]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - start < 30
    out, err = capsys.readouterr()
    if more:
        assert [r["operator"] for r in json.loads(out)["rows"]] == ["fixed-mac", "lns-mac"]
    else:
        rows = [line.split() for line in out.splitlines()[3:]]
        assert [r[0] for r in rows] == ["fixed-mac", "lns-mac"] and rows[1][-1] == "2.00"
    assert err.splitlines()[-1] == "lnsarith: interrupted; 2 of 4 rows are done"


@pytest.mark.parametrize("arguments, message", [
    ([], "give a design, or --all"), (["fixed-min", "--all"], "give a design, or --all, not both"),
    (["fixed-min", "--plot", "a.png"], "--plot draws the comparison: give --all too")])
def test_the_command_refuses_what_does_not_go_together(arguments, message, capsys):
    assert main(["rtl", "synth", *arguments]) == 2
    assert capsys.readouterr().err == f"lnsarith: {message}\n"
