"""The labs on a RISC-V in simulation: every word the engine's, wrong and stuck units told."""

import json
import re

import numpy as np
import pytest
from helpers.small_integers import WIDE, every_kind, pixels, product

from fxp.format import FormatError
from lnsarith.cli import main
from lnsarith.commands.lab.integers import integer_network
from nets.layers.window import Window
from nets.quantize.integer import IntegerNetwork
from verilog import tools
from verilog.soc import simulator
from verilog.soc.labs import LABS
from verilog.soc.run import run_lab

PORTS = """module Cfu (input cmd_valid, output cmd_ready, input [9:0] cmd_payload_function_id,
  input [31:0] cmd_payload_inputs_0, input [31:0] cmd_payload_inputs_1, output rsp_valid,
  input rsp_ready, output [31:0] rsp_payload_outputs_0, input reset, input clk);
  reg [31:0] n;
  always @(posedge clk) n <= reset ? 0 : n + (cmd_valid & cmd_ready);
  assign rsp_payload_outputs_0 = 0;
"""


@pytest.fixture(scope="module")
def network():
    return every_kind()


@pytest.fixture(scope="module")
def cycles(network):
    """Return the cycles of each lab on a network of every kind of layer, all words equal."""
    images = pixels(network)
    made, found = integer_network(network, images), {}
    for lab in (LABS[n] for n in (0, 1, 2, 4)):
        report = run_lab(lab, made)
        assert report.difference is None, (lab.number, report.difference)
        assert report.scores == network.scores(images).tolist()
        found[lab.number] = report.layer_cycles
    return found


def test_every_lab_answers_with_the_engine_s_words_in_fewer_cycles(cycles):
    """The simulation counts cycles: no machine can change them."""
    total = {lab: sum(counts) for lab, counts in cycles.items()}
    assert all(len(counts) == 5 for counts in cycles.values())
    assert total[1] * 1.2 < total[0] and total[2] * 2 < total[0] and total[4] * 3 < total[0]


def test_a_word_that_is_wrong_is_told(network):
    made = integer_network(network, pixels(network))
    text = LABS[2].unit().files
    name = next(n for n in text if n.startswith("int8"))
    broken = re.sub(r"\+ (\d+)'d1;", r"+ \1'd3;", text[name], count=1)  # how a scale is rounded
    assert broken != text[name]
    found = run_lab(LABS[2], made, {**text, name: broken})
    assert found.difference and found.difference.layer == "conv1"
    assert found.difference.got != found.difference.expected


@pytest.mark.parametrize("body, told", [
    ("assign cmd_ready = n < 9; assign rsp_valid = cmd_valid & cmd_ready;",
     "does not take a command (funct3 4 funct7 0): cmd_valid 1, cmd_ready 0"),
    ("assign cmd_ready = 1; assign rsp_valid = cmd_valid & (n < 9);",
     "has not answered a command that it took: rsp_valid 0, rsp_ready 1")])
def test_a_unit_that_hangs_is_cut_off_and_what_it_waits_for_is_told(body, told, network):
    made = integer_network(network, pixels(network))
    with pytest.raises(simulator.Hang) as error:
        run_lab(LABS[2], made, {"Cfu.v": f"{PORTS}{body}\nendmodule\n"}, most_cycles=500_000)
    assert told in str(error.value) and "last program counter 0x000" in str(error.value)


def test_labs_0_to_2_run_on_a_network_trained_on_digits(capsys, tmp_path):
    picture = tmp_path / "labs.png"
    assert main(["lab", "run", "0", "1", "2", "--images", "1", "--no-cost", "--json", "--plot",
                 str(picture)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [r["lab"] for r in found["labs"]] == [0, 1, 2]
    assert all(r["equal"] and r["scores"] == found["scores"] for r in found["labs"])
    assert found["labs"][1]["speed_up"] > 1.2 and found["labs"][2]["speed_up"] > 3
    assert found["classes"] == [int(np.argmax(s)) for s in found["scores"]]
    assert picture.stat().st_size > 5000


@pytest.mark.parametrize("arguments, told", [
    (["run", "9"], "there is no lab 9; there are 0, 1, 2, 3, 4, 5"),
    (["run", "5", "--arith", "int8"], "lab 5 takes another kind of network than int8"),
    (["run", "1", "--images", "0"], "images must be 1..100, got 0"),
    (["run", "1", "--cycles", "0"], "cycles must be 1 or more, got 0"),
    (["run", "1", "--plot", "x.txt"], "x.txt"),
    (["run", "1", "--arith", "float32"], "a lab runs words, not float32; lnsarith quantize makes"),
    (["run", "1", "2", "--own", "README"], "README")])
def test_wrong_usage_is_told_in_a_line(arguments, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["lab", *arguments]) == 2
    said = capsys.readouterr().err
    assert told in said and len(said.splitlines()) == 1


def test_missing_tools_are_named_with_what_to_install(monkeypatch, network):
    monkeypatch.setattr(tools.shutil, "which", lambda name: None)
    with pytest.raises(tools.ToolMissing, match="apt install g\\+\\+"):
        run_lab(LABS[0], integer_network(network, pixels(network)))
    monkeypatch.setattr(simulator.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(tools.ToolMissing, match="pythondata-cpu-vexriscv"):
        simulator.processor()


@pytest.mark.parametrize("arith", ["lns12", "minselect12"])
def test_lab_5_sums_what_is_no_integer_as_the_engine_does(arith, capsys):
    assert main(["lab", "run", "5", "--arith", arith, "--images", "1", "--no-cost",
                 "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [r["lab"] for r in found["labs"]] == [0, 5] and found["arith"] == arith
    assert all(r["equal"] and r["scores"] == found["scores"] for r in found["labs"])
    assert found["labs"][1]["speed_up"] > 2


def test_the_array_s_emulation_in_c_runs_the_same_firmware(network):
    images = pixels(network, 1)
    report = run_lab(LABS[3], integer_network(network, images), emulate=True)
    assert report.difference is None and report.scores == network.scores(images).tolist()


def test_labs_list_their_commands(capsys):
    assert main(["lab", "list", "--json"]) == 0
    labs = json.loads(capsys.readouterr().out)["labs"]
    assert [lab["lab"] for lab in labs] == [0, 1, 2, 3, 4, 5] and labs[0]["commands"] == []
    assert {"load", "swap", "stream", "read"} <= set(labs[3]["commands"])


def test_a_network_that_the_firmware_has_no_room_for_is_refused():
    rng = np.random.default_rng(5)
    wide = Window("conv1", (3, 140, 1), 3)
    steps = [product(rng, "conv1", 9, 2, -128, 0.002, wide),
             product(rng, "dense1", 276, 3, -7, 0.01, ends=WIDE)]
    network = IntegerNetwork(np.arange(256) - 128, steps, 1.0)
    with pytest.raises(FormatError, match="conv1: the array keeps sums of 128 places"):
        run_lab(LABS[3], integer_network(network, pixels(network)))
