"""Circuits as C99 against the compiled kernels: on this machine, and on a RISC-V."""

import re
from math import prod

import numpy as np
import pytest
from helpers.hardware.c_functions import STRICT, compiled, on_riscv

from fxp.run.backend import elementwise
from lnsarith.catalogue.operators import OPERATORS, parse_format
from lnsarith.cli import main
from verilog import tools
from verilog.c99.function import c_file
from verilog.design.covering import words_for

SMALL = {"lns": "lns8.3", "fixed": "fixed8.4", "ufixed": "ufixed8.0"}
LARGE = {"lns": "lns16.10", "fixed": "fixed32.20", "ufixed": "ufixed32.0"}
FITTING = {"fixed-mac": "fixed24.12", "fixed-minselect-mac": "fixed24.12",
           "fixed-mul": "fixed31.16", "fixed-spindle": "fixed24.12", "fixed-pwl": "fixed24.12"}


def circuits(formats):
    """Return the circuit of every operator in one format each, by name."""
    found = {}
    for name, row in OPERATORS.items():
        kind = "ufixed" if row.usual_format.startswith("ufixed") else row.family
        text = FITTING.get(name, formats[kind]) if formats is LARGE else formats[kind]
        found[row.oracle] = row.circuit(parse_format(text))
    return found


def every_word(circuit):
    """Return all combinations of up to 18 bits of operands, else corners and random words."""
    spans = {k: (n.low, n.high) for k, n in circuit.inputs.items()}
    sizes = [high - low + 1 for low, high in spans.values()]
    if prod(sizes) > 1 << 18:
        return words_for(circuit, spans, 20_000, 3)
    axes = [np.arange(low, high + 1) for low, high in spans.values()]
    grid = np.meshgrid(*axes, indexing="ij")
    return {k: g.ravel().astype(np.int64) for k, g in zip(spans, grid)}


def answers(circuit, words):
    return np.asarray(elementwise(circuit, words)).astype(np.int64)


@pytest.mark.parametrize("formats", [SMALL, LARGE], ids=["small", "large"])
def test_every_operator_in_c_is_its_kernel(formats, tmp_path):
    made = circuits(formats)
    functions = compiled(made, tmp_path)
    assert len(functions) == len(OPERATORS)
    for name, circuit in made.items():
        words = every_word(circuit)
        wrong = functions[name](words) != answers(circuit, words)
        assert not wrong.any(), (name, {k: v[wrong][:3] for k, v in words.items()})


def test_operators_of_three_operands_in_c_are_their_kernels_for_all_words_of_8_bits(tmp_path):
    rows = [row for row in OPERATORS.values() if len(row.operands) == 3]
    made = {row.oracle: row.circuit(parse_format(SMALL[row.family])) for row in rows}
    functions = compiled(made, tmp_path)
    count = 0
    for name, circuit in made.items():
        assert list(circuit.inputs)[0] == "acc"
        first, *axes = [np.arange(n.low, n.high + 1) for n in circuit.inputs.values()]
        for part in np.array_split(first, 16):
            grid = np.meshgrid(part, *axes, indexing="ij")
            words = {k: g.ravel() for k, g in zip(circuit.inputs, grid)}
            assert (functions[name](words) == answers(circuit, words)).all(), name
            count += part.size * axes[0].size * axes[1].size
    assert len(made) == 3 and count == 3 << 24


def test_a_wrong_constant_is_seen(tmp_path):
    circuit = circuits(SMALL)["lns_add"]

    def spoilt(text):
        return re.sub(r"= \{\n    (\d+)", lambda m: f"= {{\n    {int(m[1]) + 1}", text, count=1)

    words = every_word(circuit)
    function = compiled({"lns_add": circuit}, tmp_path, spoilt)["lns_add"]
    assert (function(words) != answers(circuit, words)).any()


def test_every_operator_on_a_riscv_is_its_kernel():
    """Some words each, corners first: the simulated processor takes a second for a million
    cycles."""
    made = circuits(SMALL)
    words = {name: words_for(c, {k: (n.low, n.high) for k, n in c.inputs.items()}, 60, 1)
             for name, c in made.items()}
    expected = {name: answers(c, words[name]) for name, c in made.items()}
    assert on_riscv(made, words, expected) == []
    spoilt = {**expected, "lns_mul": expected["lns_mul"] + 1}
    assert on_riscv(made, words, spoilt) == ["lns_mul"]


def test_no_table_is_larger_than_the_circuit_s():
    for name, circuit in circuits(SMALL).items():
        text = c_file(name, circuit, "", {})
        sizes = [int(n) for n in re.findall(r"^static const \w+ \w+\[(\d+)\]", text, re.M)]
        tables = {len(t) for t in circuit.tables}
        assert not sizes or max(sizes) <= max(tables), name
        assert not re.search(r"\b(float|double|malloc)\b", text)


def test_the_commands_print_it(capsys, tmp_path):
    assert main(["ops", "mac", "--arith", "lns8.3", "--c"]) == 0
    operator = capsys.readouterr().out
    assert main(["rtl", "gen", "lns-mac", "--arith", "lns8.3", "--c"]) == 0
    assert capsys.readouterr().out == operator
    file = tmp_path / "unit.c"
    assert main(["rtl", "gen", "lns-mac-unit", "--arith", "lns8.3", "--c", "--out",
                 str(file)]) == 0
    tools.run([tools.program("gcc"), *STRICT, "-c", str(file), "-o", str(tmp_path / "unit.o")])
    assert main(["rtl", "gen", "lns-systolic", "--c"]) == 2
    assert main(["ops", "--c"]) == 2 and main(["ops", "lns-add", "--arith", "lns12"]) == 2


def test_names_that_c_has_words_for_are_changed(tmp_path):
    from fxp.trace.circuit import trace

    circuit = trace(lambda register, int: register - int, {"register": (0, 9), "int": (0, 9)})
    words = {"register": np.array([7, 2]), "int": np.array([3, 9])}
    assert compiled({"f": circuit}, tmp_path)["f"](words).tolist() == [4, -7]
