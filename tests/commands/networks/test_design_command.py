"""lnsarith design delta: a design is found, trains, is simulated, proved and costed; what is no
design is told in a line."""

import json
from pathlib import Path

import pytest
from helpers.front_door import assert_one_line

from lnsarith.cli import main
from lnsarith.delta.file import designs
from lnsarith.delta.methods import inlined, parse
from nets.settings.suited import settings_for

SMALL = ("design", "delta", "--bits", "8", "--guard", "1", "--entries", "12", "--out", "d.json")
METHOD = "file:d.json"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def design(tmp_path_factory):
    """Return the text of a design."""
    path = tmp_path_factory.mktemp("design") / "d.json"
    assert main([*SMALL[:-1], str(path)]) == 0
    return path.read_text()


@pytest.fixture
def designed(here, design):
    Path("d.json").write_text(design)


def said(capsys, *args):
    assert main([*args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_has_its_design_in_itself(designed, capsys):
    train = ("train", "--dataset", "digits", "--epochs", "1", "--hidden", "8", "--arith", "lns9.3",
             "--no-plot", "--delta", METHOD, "--out", "run")
    trained = said(capsys, *train)
    Path("d.json").rename("e.json")
    assert said(capsys, "eval", "run")["test_accuracy"] == trained["test_accuracy"]
    text = json.loads(Path("run/config.json").read_text())["delta"]
    assert text.startswith("cells:frac=3,plus=0:") and text.count("zero") == 1
    assert settings_for({"arith": "lns9.3", "delta": "file:e.json"}).delta == text
    Path("s.toml").write_text('[settings]\ndataset = "digits"\narith = "lns12"\n'
                              f'delta = ["{METHOD}", "lut"]\n'.replace("delta", "[grid]\ndelta"))
    assert main(["sweep", "s.toml", "--dry-run"]) == 2
    assert_one_line(capsys.readouterr().err, "d.json", "No such file")


def test_a_design_is_simulated_and_proved_and_its_name_tells_it(designed, capsys):
    sim = said(capsys, "rtl", "sim", "lns-mac-unit", "--arith", "lns8", "--delta", METHOD,
               "--option", "guard=1", "--vectors", "300")
    assert sim["equal"] and sim["compared"] > 10
    proved = said(capsys, "rtl", "prove", "lns-add", "--arith", "lns8", "--delta", METHOD)
    assert len(proved["proofs"]) >= 8 and all(p["passed"] for p in proved["proofs"])
    assert main([*SMALL[:-4], "--entries", "16", "--out", "e.json"]) == 0
    capsys.readouterr()
    other = said(capsys, "rtl", "prove", "lns-add", "--arith", "lns8", "--delta", "file:e.json")
    assert other["design"] != proved["design"]


def test_a_budget_of_gates_is_met_as_synthesis_counts_them(here, capsys):
    args = ("design", "delta", "--bits", "6", "--frac", "1", "--guard", "0", "--out", "g.json")
    found = said(capsys, *args, "--gates", "210")
    cost = said(capsys, "rtl", "synth", "lns-mac-unit", "--arith", "lns6.1", "--delta",
                "file:g.json")
    assert cost["gates"] == found["gates"] <= 210
    before = Path("g.json").read_bytes()
    assert main([*args, "--gates", "20"]) == 2
    assert_one_line(capsys.readouterr().err.splitlines()[-1] + "\n", "no design has at most 20",
                    "the smallest one")
    assert Path("g.json").read_bytes() == before


@pytest.mark.parametrize("change, word", [
    ({"kind": "lnsarith spindle fit 1"}, "kind must be 'lnsarith delta design 1'"),
    ({"bits": 40}, "bits must be an integer 4..32, got 40"),
    ({"bits": 6, "frac": 5}, "frac must be an integer 0..4"),
    ({"guard": 11}, "frac must be an integer 0..12, got 13"),
    ({"plus": [[0, 5]] * 300}, "a list of 2..128"),
    ({"plus": [[0, 10**30], [1, 0]]}, "integer"), ({"plus": [[0, 0.5], [1, 0]]}, "an integer"),
    ({"minus": [[0, None], [None, 0]]}, "without a start"),
    ({"minus": [[0, -5], [9, 0]]}, "begin with a cell that is zero"),
])
def test_a_file_that_is_no_design_is_told_in_a_line(designed, capsys, change, word):
    content = {**json.loads(Path("d.json").read_text()), **change}
    Path("d.json").write_text(json.dumps(content))
    assert main(["check", "add", "--arith", "lns8", "--delta", METHOD]) == 2
    assert_one_line(capsys.readouterr().err, "d.json", word, "lnsarith design delta --out")


@pytest.mark.parametrize("args, word", [
    (("--entries", "3"), "entries must be 8..192"), (("--entries", "1" * 70), "entries must be"),
    (("--entries", "20", "--gates", "500"), "not both"), (("--gates", "0"), "gates must be"),
    (("--guard", "13"), "1..12 fraction bits, got 15"), (("--out", "no/d.json"), "no/d.json"),
    (("--bits", "3"), "bits must be an integer 4..32"), (("--frac", "7"), "0..6, got"),
])
def test_what_cannot_be_asked_for_is_told_in_a_line(here, capsys, args, word):
    assert main(["design", "delta", "--bits", "8", "--out", "d.json", *args]) == 2
    assert_one_line(capsys.readouterr().err, word)
    assert not Path("d.json").exists()


@pytest.mark.parametrize("command", [
    ("train", "--dataset", "digits", "--arith", "lns12", "--out", "run"),
    ("train", "--dataset", "digits", "--arith", "lns9.3", "--guard", "1", "--out", "run"),
    ("check", "add", "--arith", "lns12"), ("rtl", "gen", "lns-mac-unit", "--arith", "lns9.4"),
])
def test_a_design_for_other_words_is_told_in_a_line(designed, capsys, command):
    assert main([*command, "--delta", METHOD]) == 2
    assert_one_line(capsys.readouterr().err, "at most 3 fraction bits", "guard bits")
    assert sorted(p.name for p in Path().iterdir()) == ["d.json"]


def test_a_file_that_is_missing_is_told_in_a_line(here, capsys):
    assert main(["train", "--dataset", "digits", "--arith", "lns12", "--delta", METHOD]) == 2
    assert_one_line(capsys.readouterr().err, "d.json", "No such file")


def test_designs_that_come_with_the_package_are_methods_by_their_names(here, capsys):
    assert {"lns8-527", "lns10-772", "lns12-805"} <= set(designs())
    for name, path in designs().items():
        method = parse(f"design:{name}")
        assert method == parse(f"file:{path}") and inlined(f"design:{name}") == str(method)
    assert settings_for({"arith": "lns12", "guard": 2, "delta": "design:lns12-805"}).delta == str(
        parse("design:lns12-805"))
    assert main(["check", "add", "--arith", "lns12", "--delta", "design:mine"]) == 2
    assert_one_line(capsys.readouterr().err, "unknown design 'mine'", "lns12-805")
