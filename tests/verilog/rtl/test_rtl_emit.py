"""The printed Verilog: widths, names, headers, pipelines, refusals."""

import re
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxp.format import FormatError
from fxp.trace.bits import Table, clamp, lookup, where
from fxp.trace.circuit import trace
from verilog.catalogue import design, rows
from verilog.design.lint import lint, parsed_ports
from verilog.design.stimulus import corner_words, operand_columns
from verilog.emit.lower import width_of
from verilog.emit.module import Port, combinational
from verilog.emit.pipeline import node_delay, shortest_ns, stages_for_latency


@given(st.integers(-(1 << 40), 1 << 40), st.integers(-(1 << 40), 1 << 40))
def test_a_width_holds_its_range_and_no_width_below_does(a, b):
    low, high = min(a, b), max(a, b)
    width = width_of(low, high)

    def holds(bits):
        if low >= 0:
            return high < 1 << bits
        return -(1 << (bits - 1)) <= low and high < 1 << (bits - 1)

    assert holds(width) and (width == 1 or not holds(width - 1))


def test_names_come_from_the_spec_and_widths_from_the_ranges():
    table = Table("steps", [0, 1, 1, 3])

    def ramp(x, y):
        gap = x - y
        cell = clamp(gap, 0, 3)
        height = lookup(table, cell)
        return where(x < y, 0, height)

    circuit = trace(ramp, {"x": (0, 15), "y": (0, 15)})
    text = combinational("ramp", "", circuit, (Port("i_x", 4), Port("i_y", 4),
                                               Port("o_out", 3, True))).text
    lines = [line.strip() for line in text.splitlines()]
    assert "wire [4:0] gap;" in lines
    assert "assign gap = { 1'd0, i_x } - { 1'd0, i_y };" in lines
    assert "wire [1:0] cell_2;" in lines  # cell is a keyword
    assert "assign height = rom_steps(cell_2);" in lines
    assert "assign chosen = (x_below_y)? 2'd0 : height;" in lines
    assert "assign o_out = { 1'd0, chosen };" in lines
    assert not re.search(r"\b[tn]\d+\b", text)


def test_a_module_says_what_it_is_and_what_made_it():
    made = design("lns-add", "lns12", {"delta": "balanced"}, latency=2)
    head, _, rest = made.top.text.partition("`default_nettype none\n")
    assert head.startswith("// SPDX-License-Identifier: MIT\n// lns_add_12_6_balanced_l2: x + y\n")
    for line in ("// format     lns12.6", "// delta      balanced", "// underflow  zero",
                 "// latency    2 cycles, one word a cycle", "// spec       add of lnsarith",
                 f"// circuit    {made.circuit.digest}"):
        assert line in head.splitlines()
    assert "Return the word of x + y" in head
    assert rest.endswith("endmodule\n\n`default_nettype wire\n")


def test_the_same_design_has_the_same_bytes():
    once, again = (design("lns-mac", "lns9.4", latency=3).files for _ in range(2))
    assert once == again


def test_ports_are_read_back_as_the_catalogue_has_them():
    made = design("fixed-mul", "ufixed9.4", {"rounding": "stochastic"})
    name, ports = parsed_ports(made.top.text)
    assert name == made.name
    assert ports == {"i_x": ("input", 9), "i_y": ("input", 9), "i_random": ("input", 4),
                     "o_out": ("output", 9)}


def test_lint_tells_a_dangling_bit_and_a_wrong_port():
    made = design("lns-add", "lns9.4")
    assert lint(made) == []
    module = made.top
    loose = module.text.replace("  wire unused;", "  wire loose;\n  assign loose = i_x[0];\n"
                                "  wire unused;", 1)
    narrow = module.text.replace("input wire [8:0] i_y", "input wire [7:0] i_y")
    for text, reader in ((loose, "verilator"), (narrow, "parse-back"), ("module", "iverilog")):
        broken = made.__class__(**{**vars(made), "modules": (module.__class__(
            module.name, module.ports, text, module.files),)})
        try:
            found = " ".join(lint(broken))
        except Exception as error:  # pyverilog's parser raises on what is no Verilog
            assert text == "module", error
        else:
            assert reader in found


def test_tables_go_to_hex_files_when_asked():
    inside = design("lns-add", "lns9.4", {"delta": "exact"})
    outside = design("lns-add", "lns9.4", {"delta": "exact"}, memories=True)
    assert "case(" in inside.top.text and not inside.top.files
    assert "case(" not in outside.top.text
    (file, words), = outside.top.files.items()
    assert f'$readmemh("{file}"' in outside.top.text
    table = outside.circuit.tables[0].values
    read = np.array([int(w, 16) for w in words.split()])
    assert (read == np.array(table[: len(read)]) % 512).all()


def test_a_table_of_640_entries_is_printed_within_a_second():
    seconds = []
    for _ in range(3):  # of this process alone, as others run beside it
        start = time.process_time()
        made = design("lns-add", "lns16", {"delta": "lut:r=1/64"})
        seconds.append(time.process_time() - start)
    assert min(seconds) < 1
    # Both halves have 640 cells; the zero that most of the address space has is `default`.
    assert made.top.text.count(": rom_lut = ") > 1000


@pytest.mark.parametrize("latency", [1, 2, 5, 9])
def test_no_stage_takes_longer_than_promised(latency):
    circuit = design("lns-mac", "lns12").circuit
    stages = stages_for_latency(circuit, latency)
    limit = shortest_ns(circuit, latency)
    for node in circuit.nodes:
        below = [a for a in node.args if not a.is_const]
        assert all(stages[a.index] <= stages[node.index] for a in below)
    assert max(stages[n.index] for n in circuit.outputs.values()) < latency
    assert limit >= max(map(node_delay, circuit.nodes))
    if latency > 1:
        assert limit < shortest_ns(circuit, latency - 1)


@pytest.mark.parametrize("arguments, message", [
    (dict(name="lns-add", arith="fixed16"), "unknown operator|takes an lns format"),
    (dict(name="lns-add", arith="lns16", latency=65), "latency must be 0..64, got 65"),
    (dict(name="lns-add", arith="lns16", latency=-1), "latency must be 0..64, got -1"),
    (dict(name="lns-add", arith="lns16", target_ns=0.1), "target of 0.1 ns is below"),
    (dict(name="lns-add", arith="lns16", latency=2, target_ns=5.0), "exclude each other"),
    (dict(name="lns-mac", arith="lns20", as_cfu=True), "operand x has 20 bits"),
    (dict(name="mac-unit", as_cfu=True, latency=2), "registers of its own"),
    (dict(name="mac-unit", latency=2), "registers of its own"),
    (dict(name="systolic", options={"rows": "0"}), "rows must be an integer 1..128"),
    (dict(name="systolic", options={"rows": "100", "columns": "100"}), "at most 4096 elements"),
    (dict(name="systolic", options={"row": "4"}), "has no option 'row'; it takes rows"),
    (dict(name="fixed-dot", options={"kind": "each"}), "has no option 'kind'; it takes n"),
    (dict(name="fixed-mac-unit", arith="fixed32"), "1024 products takes 74 bits, at most 62"),
    (dict(name="xnor-unit", arith="fixed16"), "unsigned words"),
    (dict(name="lns-mac-unit", arith="fixed16"), "unknown operator|such as lns16"),
])
def test_what_cannot_be_is_refused_with_a_reason(arguments, message):
    with pytest.raises(FormatError, match=message):
        design(**arguments)


def test_every_row_has_a_name_of_its_own_and_a_format_that_suits():
    listed = rows()
    assert len({r["name"] for r in listed}) == len(listed) > 40
    for row in listed:
        assert row["computes"] and row["operands"] and row["format"]


def test_corners_hold_the_ends_and_the_words_around_zero():
    corners = corner_words(-2048, 2047).tolist()
    assert {-2048, -2047, 2046, 2047, -1, 0, 1, 1024, -1024} <= set(corners)
    assert all(-2048 <= w <= 2047 for w in corners)
    assert {0x555, 0x333} <= set(corners)


def test_columns_are_corners_against_corners_then_random():
    columns = operand_columns({"x": (-8, 7), "y": (0, 3)}, 1000, seed=3)
    grid = corner_words(-8, 7).size * corner_words(0, 3).size
    pairs = set(zip(columns["x"][:grid].tolist(), columns["y"][:grid].tolist()))
    assert len(pairs) == grid
    assert columns["x"].size == columns["y"].size == 1000
    again = operand_columns({"x": (-8, 7), "y": (0, 3)}, 1000, seed=3)
    assert all((columns[k] == again[k]).all() for k in columns)
