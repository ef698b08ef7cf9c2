"""Names of designs: two that differ have two, each a legal identifier of at most 64 letters."""

import itertools
import re
import subprocess
from dataclasses import replace
from fractions import Fraction

import pytest
from helpers.front_door import answer, assert_one_line, call
from hypothesis import given
from hypothesis import strategies as st

from fxp.format import FormatError
from fxp.operators.spindle import Spindle, Unit
from lnsarith.catalogue.operators import OPERATORS, parse_format
from nets.settings.settings import Settings
from nets.settings.suited import default_name, settings_for
from verilog.catalogue import design
from verilog.design.name import design_name
from verilog.design.package import folder_files, write_package
from verilog.units.catalogue import UNITS

ROWS = {**OPERATORS, **UNITS}
FORMATS = {"lns": ("lns16", "lns12", "lns16.9", "lns4.0"), "fixed": (
    "fixed16", "fixed12", "fixed16.10", "fixed9.0", "ufixed16.11", "ufixed16.0")}
LONG = "offset=-1/128,-4:+2^-5,3:-2^-4:left,1/4:+2^-3"
# What an option can be beside its choices: neighbours that differ in a sign, a stroke, a point.
VALUES = {
    "delta": ("lut:r=1/4", "lut:dmax=14", "lut:r=1/4,dmax=14", "lut:r=1/4,dmax=1/4", "exact",
              "pwl:segments=16", "pwl:segments=8", "pwl:error=0.05", "interp:r=1/4"),
    "beta": (-1, -10, -5, 0), "ratio": (2, "3/2", "1/2", 3, 32), "gain": (2, "3/2", "1/2", 3, 32),
    "units": ("logistic8", "0:+2^1", "0:-2^1", "0:-2^1:left", "-1:+2^1", "1:+2^1", LONG,
              LONG.replace("1/4", "-1/4")),
    "segments": ("logistic9", "1:0", "-1:0", "1:-1", "1:0,1:2:0", "1:0,-1:2:0"),
    "to": ("fixed8", "fixed8.4", "fixed16.1", "ufixed16.1", "ufixed8.4"),
    "source": ("fixed8", "fixed8.4", "ufixed8.4"), "exponent": ("fixed8", "fixed9.4", "fixed8.3"),
    "guard": (0, 1, 11), "bits": (8, 48, 62), "depth": (1, 11, 1024), "n": (1, 7, 11),
    "rows": (1, 4, 11), "columns": (1, 4, 11),
}


def values_of(row, option):
    """Return the texts that a row's option may have."""
    if row.name == "lns-resize" and option.name == "to":
        return "lns8", "lns8.2", "lns12.2"
    return [*option.choices, *map(str, VALUES.get(option.name, ()))] or [option.default]


@st.composite
def settings(draw):
    """Draw a row of the catalogue, its format, some options, a latency, where tables are."""
    row = ROWS[draw(st.sampled_from(sorted(ROWS)))]
    f = draw(st.sampled_from(FORMATS[row.family]))
    options = {o.name: draw(st.sampled_from(values_of(row, o))) for o in row.options
               if draw(st.booleans())}
    return row, f, options, draw(st.integers(0, 64)), draw(st.booleans())


def named(row, f, options, latency=0, memories=False):
    """Return what a design is, in values, and its name."""
    f, read = parse_format(f), row.settings(options)
    identity = (row.name, str(f), tuple(read.items()), latency, memories)
    return identity, design_name(row.name, f, row.options, read, latency, memories)


def assert_legal(name):
    assert len(name) <= 64 and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name), name


@given(settings(), settings())
def test_designs_that_differ_have_names_that_differ(first, second):
    (one, name), (other, its) = named(*first), named(*second)
    assert (name == its) == (one == other)
    assert_legal(f"tb_{name}_cfu")


@pytest.mark.parametrize("name", ROWS)
def test_no_two_options_of_a_row_share_a_name(name):
    row, seen = ROWS[name], {}
    sets = [{o.name: v} for o in row.options for v in values_of(row, o)]
    pairs = [{**a, **b} for a, b in itertools.combinations(sets, 2)]
    for f in FORMATS[row.family][:3]:
        for options in [{}, *sets, *pairs]:
            identity, called = named(row, f, options)
            assert seen.setdefault(called, identity) == identity, called
            assert_legal(f"tb_{called}_cfu")
    assert len(seen) >= 3


@pytest.mark.parametrize("arguments, name", [
    (("lns-mac", "lns12"), "lns_mac_12_6"),
    (("lns-mac", "lns12", {"delta": "balanced"}, 3), "lns_mac_12_6_balanced_l3"),
    (("fixed-minselect", "fixed16", {"ratio": "2"}), "fixed_minselect_16_11_ratio2"),
    (("fixed-minselect", "fixed16", {"gain": "2"}), "fixed_minselect_16_11_gain2"),
    (("fixed-leaky-relu", "fixed8", {"beta": "-5"}), "fixed_leaky_relu_8_3_betam5"),
    (("fixed-dot", "fixed8", {"n": "3"}, 2), "fixed_dot_8_3_n3_l2"),
    (("lns-systolic", "lns9.4", {"rows": "2", "columns": "3"}), "lns_systolic_9_4_rows2_columns3"),
    (("lns-systolic", "lns9.4", {"columns": "3", "rows": "2"}), "lns_systolic_9_4_rows2_columns3"),
])
def test_names_are_read_easily(arguments, name):
    assert design(*arguments).name == name


def test_a_table_in_files_is_another_design():
    names = {design("lns-add", "lns9.4", memories=memories).name for memories in (False, True)}
    assert names == {"lns_add_9_4", "lns_add_9_4_memh"}


@pytest.mark.parametrize("as_cfu", [False, True])
def test_a_fit_of_many_units_becomes_files_with_short_names(as_cfu, tmp_path):
    units = tuple(Unit(Fraction(k, 64), -3, (-1) ** k, k % 3 == 0) for k in range(24))
    made = design("fixed-spindle", "fixed16", {"units": str(Spindle(units))}, 1, as_cfu=as_cfu)
    written = write_package(made, tmp_path / made.name, vectors=10)
    for name in [made.name, *(m.name for m in made.modules), *(n.split(".")[0] for n in written)]:
        assert_legal(name)
    other = (*units[:-1], Unit(units[-1].knee, -2, -1))
    assert made.name != design("fixed-spindle", "fixed16", {"units": str(Spindle(other))}, 1,
                               as_cfu=as_cfu).name


@pytest.mark.parametrize("arguments", [
    dict(name="lns-add", arith="lns9.4", memories=True), dict(name="lns-mac-unit", arith="lns9.4"),
    dict(name="fixed-dot", arith="fixed8", options={"n": "3"}, latency=2),
    dict(name="lns-systolic", arith="lns9.4", options={"stationary": "weight", "rows": "2"}),
    dict(name="lns-mac", arith="lns9.4", as_cfu=True),
])
def test_a_name_given_is_that_of_the_top_and_begins_all_others(arguments):
    made = design(**arguments, called="mine")
    assert made.name == made.top.name == "mine"
    assert all(m.name == "mine" or m.name.startswith("mine_") for m in made.modules)
    files = folder_files(made, 5, 0)
    assert {"mine.v", "mine.core", "tb_mine.v"} < set(files)
    assert all(name.startswith("mine") for name in made.files)


@pytest.mark.parametrize("name", ["9a", "a-b", "", "é", "a b", "always", "logic", "unique", "a.v",
                                  "../a", "a\n", "a" * 57])
def test_what_is_no_name_of_a_module_is_refused(name):
    with pytest.raises(FormatError, match="name must "):
        design("lns-neg", "lns9.4", called=name)


def test_the_longest_name_leaves_room_for_the_others():
    made = design("lns-mac", "lns9.4", as_cfu=True, called="a" * 56)
    for name in (f"tb_{made.name}", *(m.name for m in made.modules)):
        assert_legal(name)


def test_two_custom_function_units_stand_in_one_project(tmp_path):
    names = ("First", "second")
    for name, op in zip(names, ("lns-mac", "lns-add")):
        write_package(design(op, "lns9.4", as_cfu=True, called=name), tmp_path / name, vectors=40)
    sources = [f"../{n}/{line}" for n in names
               for line in (tmp_path / n / "files.f").read_text().split()]
    assert len(set(sources)) == 6 and "../second/second_Cfu.v" in sources
    for name in names:
        folder = tmp_path / name
        subprocess.run(["iverilog", "-g2001", "-Wall", "-Wno-timescale", "-o", "both.vvp", *sources,
                        f"tb_{name}.v"], cwd=folder, check=True, capture_output=True)
        ran = subprocess.run(["vvp", "-N", "both.vvp"], cwd=folder, text=True, capture_output=True)
        assert (ran.returncode, ran.stdout[:4]) == (0, "PASS"), ran.stdout


def test_gen_calls_the_folder_as_it_is_told(tmp_path):
    told = answer("rtl", "gen", "neg", "--arith", "lns9.4", "--name", "turned", cwd=tmp_path)
    assert told["design"] == "turned" and told["folder"] == "rtl/turned"
    assert (tmp_path / "rtl" / "turned" / "turned.core").is_file()
    code, out, err = call("rtl", "gen", "neg", "--name", "module", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert_one_line(err, "name must be no keyword of Verilog or SystemVerilog, got module")


def test_folders_of_runs_have_short_names_too():
    binary = settings_for({"model": "bnn"})
    deep = replace(binary, hidden=(1000,) * 30)
    wide = replace(deep, hidden=(*deep.hidden[1:], 999))
    assert default_name(binary) == "mnist-binary-256-256-256-threshold-s0"
    assert len({default_name(deep), default_name(wide)}) == 2
    long = Settings(delta="lut:r=1/4,dmax=12,index=truncate,sample=mean", dataset="emnist-letters")
    assert default_name(Settings()) == "mnist-lns16-lut-s0"
    for name in (default_name(deep), default_name(long)):
        assert 55 <= len(name) <= 64 and re.fullmatch(r"[a-z0-9.-]+-[0-9a-f]{8}", name)
