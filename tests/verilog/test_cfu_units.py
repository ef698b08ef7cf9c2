"""Units as custom function units: commands against the engine, C against the unit, names."""

from dataclasses import replace

import numpy as np
import pytest

from fxp.format import FormatError
from lnsarith.cli import main
from verilog import tools
from verilog.catalogue import design
from verilog.design.lint import lint
from verilog.design.package import folder_files, write_package
from verilog.prove.design import prove_design
from verilog.simulate.icarus import simulate
from verilog.simulate.waves import cfu_view
from verilog.units.catalogue import UNITS

CASES = [("fixed-mac-unit", "fixed9.4", {}), ("lns-mac-unit", "lns9.4", {"guard": "2"}),
         ("fixed-minselect-mac-unit", "fixed9.4", {}), ("fixed-xnor-unit", "ufixed16.0", {}),
         ("fixed-dot", "fixed8.0", {"to": "fixed32.0"}), ("fixed-dot", "fixed16.8", {}),
         ("fixed-rescale", "fixed8.0", {}),
         ("fixed-systolic", "fixed8.0", {"rows": "3", "columns": "2", "to": "fixed32.0"}),
         ("lns-systolic", "lns12", {"rows": "2", "columns": "2"})]


def unit(name, f, options):
    return design(name, f, options, as_cfu=True)


@pytest.mark.parametrize("name, f, options", CASES)
def test_a_unit_is_clean_and_answers_every_command_whatever_waits(name, f, options):
    made = unit(name, f, options)
    assert lint(made) == []
    report = simulate(made, vectors=220)
    assert report.equal and report.compared == 220, (report.mismatches, report.faults)


def codes(made):
    return {c.name: c.code for c in made.commands}


@pytest.mark.parametrize("name, f, options", CASES[:3])
def test_sums_are_those_of_the_engine(name, f, options):
    """The model of the commands against the matrix product that the engine compiles."""
    made, row = unit(name, f, options), UNITS[name]
    mac, rng = row.mac(row_format(name, f), row.settings(options)), np.random.default_rng(2)
    count, depth = 6, 9
    a, b = (rng.integers(*w.words, (count, depth)) for w in (mac.a, mac.b))
    init = rng.integers(*mac.out.words, count)
    code, steps = codes(made), []
    for k in range(count):
        steps += [(code["set"], init[k], 0)]
        steps += [(code["accumulate"], x, y) for x, y in zip(a[k], b[k])]
        steps += [(code["read"], 0, 0)]
    columns = np.array(steps, np.int64).T
    words = dict(zip(("function", "inputs_0", "inputs_1"), columns & np.int64((1 << 32) - 1)))
    read = made.model(words)["word"][columns[0] == code["read"]]
    expected = [mac.multiply(a[k : k + 1], b[k][:, None], init[k].reshape(1, 1))[0, 0]
                for k in range(count)]
    assert read.tolist() == [int(w) & 0xFFFFFFFF for w in expected]


def row_format(name, f):
    from lnsarith.catalogue.operators import parse_format

    return parse_format(f)


def test_the_requantising_is_that_of_the_integer_network():
    from nets.quantize.integer import Rescale

    rng, made = np.random.default_rng(3), unit(*CASES[6])
    code, count = codes(made), 200
    sums = rng.integers(-(1 << 31), 1 << 31, count) >> rng.integers(0, 24, count)
    m = rng.integers(0, 1 << 31, (count, 2))
    shift = rng.integers(1, 63, count)
    ends = np.sort(rng.integers(-128, 128, (count, 3)), axis=1)
    expected, steps = [], []
    for s, (p, q), n, (low, zero, high) in zip(sums, m, shift, ends):
        one = [np.array([x]) for x in (p, q, n)]
        expected.append(int(Rescale(*one, zero, low, high).words(np.array([s]))[0]) & 0xFFFFFFFF)
        packed = (n - 1) | (zero & 255) << 8 | (low & 255) << 16 | (high & 255) << 24
        steps += [(code["scale"], p, q), (code["rescale"], s, packed)]
    columns = np.array(steps, np.int64).T & np.int64((1 << 32) - 1)
    words = dict(zip(("function", "inputs_0", "inputs_1"), columns))
    assert made.model(words)["word"][1::2].tolist() == expected


@pytest.mark.parametrize("name, f, options", [CASES[k] for k in (1, 3, 4, 6, 7, 8)] + [
    ("lns-mac", "lns9.4", {}), ("fixed-xnor-popcount", "ufixed16.0", {})])
def test_the_emulation_in_c_answers_as_the_unit(name, f, options, tmp_path):
    made = unit(name, f, options)
    for file, text in made.texts.items():
        (tmp_path / file).write_text(text)
    words = words_of_registers(made, made.stimulus(300, 4))
    rows = ",\n".join(f"{{{a}u, {b}u, {c}u, {w}u}}" for a, b, c, w in zip(
        *(words[k].tolist() for k in ("function", "inputs_0", "inputs_1")),
        words["answer"].tolist()))
    calls = "\n".join(f"    (void)cfu_{c.name}({', '.join('1' for _ in c.operands)});"
                      for c in made.commands)
    (tmp_path / "main.c").write_text(f"""#define CFU_EMULATE
#include "cfu.h"
static const uint32_t rows[][4] = {{{rows}}};
int main(void) {{
    for (int k = 0; k < 300; k++)
        if (cfu_emulated(rows[k][0], rows[k][1], rows[k][2]) != rows[k][3]) return 1;
{calls}
    return 0;
}}
""")
    tools.run([tools.program("gcc"), "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror",
               "main.c", "cfu_emulated.c", "-o", "emulated"], cwd=tmp_path)
    tools.run([str(tmp_path / "emulated")])


def words_of_registers(made, words):
    """Return function, both input registers, and the answer, of a unit or an operator."""
    (out,) = made.model(words).values()
    registers = {k: words.get(k, 0 * out) for k in ("function", "inputs_0", "inputs_1")}
    if "inputs_0" not in words:
        for name, (register, low, bits) in made.places.items():
            registers[f"inputs_{register}"] = registers[f"inputs_{register}"] | (
                words[name] & ((1 << bits) - 1)) << low
    return {**registers, "answer": out & np.int64((1 << 32) - 1)}


def test_the_package_tells_commands_with_the_places_of_operands_and_the_unit_s_own_ports():
    made = unit(*CASES[4])
    text = folder_files(made, 20, 0)["README.md"]
    assert "| `cmd_payload_function_id` | input | 10 |" in text and "i_function" not in text
    assert "| 2 | 0 | `cfu_accumulate` | the sum grows by 4 products | a `inputs_0[31:0]`" in text
    assert "proj/PROJECT/cfu.v" in text
    assert {"cfu.h", "cfu_emulated.c", "Cfu.v"} <= set(folder_files(made, 20, 0))
    operator = folder_files(design("fixed-mac", "fixed9.4", as_cfu=True), 20, 0)
    assert "cfu_compute(uint32_t acc, uint32_t x, uint32_t y)" in operator["cfu.h"]


def test_pictures_have_the_ports_that_the_processor_sees(tmp_path):
    made = unit(*CASES[0])
    view = cfu_view(made)
    assert view.labels["i_valid"] == "cmd_valid" and view.functions[2] == "accumulate"
    picture = tmp_path / "w.svg"
    simulate(made, vectors=30, picture=picture)
    assert picture.stat().st_size > 20_000


def test_two_units_stand_in_one_project(tmp_path):
    names = []
    for own, case in (("first", CASES[0]), ("second", CASES[7])):
        made = design(case[0], case[1], case[2], as_cfu=True, called=own)
        write_package(made, tmp_path / own, vectors=20)
        names += [p.name for p in (tmp_path / own).glob("*.v")]
        assert f"{own}_cfu.h" in made.texts and f"{own}_Cfu.v" in made.files
        assert f"{own}_cfu_" in made.texts[f"{own}_cfu.h"]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("arguments, told", [
    (dict(name="fixed-systolic", arith="fixed16", options={"rows": "5"}), "give at most 4"),
    (dict(name="fixed-systolic", arith="fixed8.0", options={"stationary": "output"}),
     "an array keeps its weights"),
    (dict(name="fixed-dot", arith="fixed16", options={"n": "3"}), "give at most 2"),
    (dict(name="lns-mac-unit", arith="lns16", latency=2), "no latency"),
    (dict(name="fixed-rescale", arith="fixed16"), "words of fixed8.0"),
    (dict(name="lns-mac-unit", arith="fixed16"), "takes a format such as lns16")])
def test_what_cannot_be_a_unit_is_told(arguments, told):
    with pytest.raises(FormatError, match=told):
        design(**arguments, as_cfu=True)


def test_a_mutant_of_the_array_is_caught():
    """The place of a sum that goes on, and what a load waits for, are seen to matter."""
    made = unit(*CASES[7])
    inner = next(m for m in made.modules if "memory" in m.text)
    spoilt = replace(inner, text=inner.text.replace("held_first ? biases : sums",
                                                    "held_first ? sums : biases"))
    modules = tuple(spoilt if m is inner else m for m in made.modules)
    assert not simulate(replace(made, modules=modules), vectors=220).equal


def test_a_sum_behind_commands_is_proved_and_an_array_says_where_it_is():
    proofs = prove_design(unit("lns-mac-unit", "lns9.4", {}), 60)
    assert proofs and all(p.passed for p in proofs), [p.as_dict() for p in proofs]
    with pytest.raises(FormatError, match="the array itself is"):
        prove_design(unit(*CASES[7]), 60)


def test_the_command_writes_it(tmp_path, capsys):
    out = tmp_path / "u"
    assert main(["rtl", "gen", "fixed-mac-unit", "--cfu", "--vectors", "20", "--out",
                 str(out)]) == 0
    assert (out / "cfu.h").exists() and "cfu.h" in capsys.readouterr().out
