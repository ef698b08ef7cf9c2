"""lnsarith rtl front: a row a network, kept as soon as it is found."""

import json

import pytest

from lnsarith.cli import main
from lnsarith.commands.rtl import training
from lnsarith.commands.rtl.front import measure
from lnsarith.commands.rtl.front.kept import Kept, digest_of
from verilog.cost import cores, ecp5
from verilog.prove import netlist
from verilog.trainer import cost

CELLS = {"lut4": 2500, "flip_flops": 900, "carries": 1, "block_memories": 60, "lut_memories": 8,
         "multipliers": 0}


@pytest.fixture
def tools(monkeypatch):
    """Stands in for Yosys and nextpnr; tells what they were asked."""
    asked = []

    def mapped(core, folder, say, seconds, multipliers):
        asked.append("mapped" if multipliers else "without")
        (folder / ecp5.NETLIST).write_text("{}")
        more = "mul" in {n.op for n in core.lane_circuit.nodes} and multipliers
        return {**CELLS, "multipliers": 16 if more else 0, "lut4": 2500 if more else 2900}

    def placed(folder, seed, goal, seconds):
        asked.append(f"placed {seed}")
        assert (folder / ecp5.NETLIST).read_text() == "{}"
        return 120.0, {"TRELLIS_COMB": 4000}

    monkeypatch.setattr(cores, "map_core", mapped)
    monkeypatch.setattr(ecp5, "place", placed)
    monkeypatch.setattr(ecp5, "placer", lambda: "nextpnr 0")
    monkeypatch.setattr(netlist, "yosys_version", lambda: "Yosys 0")
    return asked


def front(capsys, folder, *more):
    status = main(["rtl", "front", "--dataset", "digits", "--epochs", "1", "--cache", str(folder),
                   *more])
    return status, capsys.readouterr()


def test_rows_are_found_once_and_drawn(tools, capsys, tmp_path):
    found = front(capsys, tmp_path / "kept", "--only", "fixed12", "--no-place", "--json")
    (row,) = json.loads(found[1].out)["rows"]
    assert tools == ["mapped", "without"]
    assert (row["lut4"], row["lut4_without_multipliers"], row["multipliers"]) == (2500, 2900, 16)
    assert 0.5 < row["test_accuracy"] < 1 and "mhz" not in row
    assert row["clocks_image"] > 64 * 100 / 16
    place = tmp_path / "front.png"
    status, said = front(capsys, tmp_path / "kept", "--only", "fixed12", "--plot", str(place))
    assert (status, tools[2:]) == (0, ["placed 1"]) and place.stat().st_size > 10_000
    assert "120.0" in said.out and "nextpnr 0, seed 1" in said.out and "epoch" not in said.err
    assert "test %, 2,500 LUT4" in said.err and "120.0 MHz" in said.err
    status, said = front(capsys, tmp_path / "kept", "--only", "fixed12", "--no-place", "--csv")
    assert len(tools) == 3 and said.out.splitlines()[1].startswith("fixed12,16,2,")


def test_several_seeds_give_a_median_and_each_is_placed_once(tools, capsys, tmp_path,
                                                              monkeypatch):
    monkeypatch.setattr(ecp5, "place", lambda folder, seed, goal, seconds: (
        tools.append(f"placed {seed}"), (100.0 + 7 * seed, {"TRELLIS_COMB": 4000 + seed}))[1])
    for seeds in ("2", "1,2,4"):
        status, said = front(capsys, tmp_path, "--only", "fixed12", "--place-seeds", seeds,
                             "--json")
    (row,) = json.loads(said.out)["rows"]
    assert [t for t in tools if "placed" in t] == ["placed 2", "placed 1", "placed 4"]
    assert (row["mhz"], row["comb"]) == (114.0, 4002)
    assert row["mhz_by_seed"] == {"1": 107.0, "2": 114.0, "4": 128.0}
    assert row["images_per_second"] == round(114e6 / row["clocks_image"])


def test_what_is_kept_starts_nothing(tools, capsys, tmp_path):
    status, said = front(capsys, tmp_path, "--only", "fixed12", "--kept")
    assert (status, tools) == (0, []) and "fixed12: not trained yet" in said.out
    front(capsys, tmp_path, "--only", "fixed12", "--no-place")
    status, said = front(capsys, tmp_path, "--only", "fixed1", "--kept", "--json")
    rows = {row["name"]: row for row in json.loads(said.out)["rows"]}
    assert rows["fixed12"]["lut4"] == 2500 and len(tools) == 2
    assert {n for n, row in rows.items() if "failed" in row} == {"fixed16", "fixed16 trainer"}


def test_an_interrupted_front_keeps_its_rows(tools, capsys, tmp_path, monkeypatch):
    def cut(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(measure.Measuring, "_trainer", cut)
    status, said = front(capsys, tmp_path, "--only", "fixed16", "--no-place")
    assert status == 130 and "1 of 2 rows are kept in" in said.err
    assert "fixed16  16  2" in said.out and "fixed16 trainer" not in said.out
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_what_cannot_be_has_its_reason(tools, capsys, tmp_path, monkeypatch):
    def full(*_):
        raise measure_error

    from verilog.tools import ToolError

    measure_error = ToolError("it does not fit")
    monkeypatch.setattr(cores, "map_core", full)
    status, said = front(capsys, tmp_path, "--only", "fixed12", "--no-place")
    assert status == 0 and "fixed12: it does not fit" in said.out
    status, said = front(capsys, tmp_path, "--only", "float")
    assert status == 2 and "no row has 'float' in its name" in said.err


def test_a_trainer_that_differed_is_simulated_anew(tools, capsys, tmp_path, monkeypatch):
    """What differed once may be right by another engine."""
    differ = [7, 0]
    monkeypatch.setattr(training.Training, "simulated", lambda self, steps: (
        {"differ": differ.pop(0), "cycles_a_step": 50.0}, b""))
    monkeypatch.setattr(cost, "map_trainer", lambda core, folder, *_: (
        folder / ecp5.NETLIST).write_text("{}"))
    monkeypatch.setattr(ecp5, "counts", lambda *_: CELLS)
    asked = "--only", "lns12 lut trainer", "--no-place"
    status, said = front(capsys, tmp_path, *asked)
    assert status == 2 and "7 words of the lns12 lut trainer differ" in said.err
    status, said = front(capsys, tmp_path, *asked)
    assert (status, differ) == (0, []) and "2,500 LUT4" in said.err
    assert front(capsys, tmp_path, *asked)[0] == 0  # and kept


def test_what_is_damaged_is_made_again(tmp_path):
    kept, digest = Kept(tmp_path), digest_of({"a.v": "// Generated by lnsarith 1\nmodule a;\n"}, 1)
    assert kept.answer(digest) is None and not kept.netlist(digest, tmp_path / "n")
    assert kept.keep(digest, {"lut4": 3}) == kept.answer(digest) == {"lut4": 3}
    (tmp_path / f"{digest}.json").write_text("[")
    assert kept.answer(digest) is None
    assert digest == digest_of({"a.v": "// Generated by lnsarith 2\nmodule a;\n"}, 1)
    assert digest != digest_of({"a.v": "module b;\n"}, 1)
