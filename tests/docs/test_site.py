"""The site has a place for everything: commands, operators, methods, findings, pictures."""

import re
import sys

import pytest
from helpers.front_door import ROOT

import lnsarith
from lnsarith import cli
from lnsarith.catalogue.operators import OPERATORS
from lnsarith.delta.methods import METHODS
from verilog.units.catalogue import UNITS

DOCS = ROOT / "docs"
FINDINGS = sorted((ROOT / "findings").glob("*.sh"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The pages that are made, by name."""
    folder = tmp_path_factory.mktemp("made")
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        import made as pages
    finally:
        sys.path.remove(str(DOCS / "_ext"))
    pages.write(folder)
    return {path.stem: path.read_text() for path in folder.glob("*.md")}


def headings(text):
    return set(re.findall(r"^##+ (.*)$", text, re.M))


def test_every_command_operator_unit_and_method_has_its_place(made):
    assert set(cli.COMMANDS) <= headings(made["commands"])
    assert {"rtl gen", "study batch", "data list", "spindle fit"} <= headings(made["commands"])
    assert "`--shuffle {once,epoch}`" in made["commands"]
    assert set(OPERATORS) == headings(made["operators"])
    assert set(UNITS) == headings(made["units"])
    assert set(METHODS) == headings(made["deltas"])


def test_tables_of_results_tell_version_and_conditions_and_have_all_methods(made):
    for name in ("lns8", "lns12", "lns16"):
        part = made["decide"].split(f"## {name}\n")[1].split("##")[0]
        assert len(re.findall(r"^\| `\w+` \|", part, re.M)) == 7
    assert re.search(r"commit [0-9a-f]{7}, 2026-\d\d-\d\d, Python 3", made["decide"])
    assert "apytypes (0.5.1)" in made["compare"] and "NumPy 2." in made["compare"]


def test_every_public_name_stands_on_the_page_of_the_python_interface():
    page = (DOCS / "reference" / "api.md").read_text()
    named = set(re.findall(r"^\.\. auto\w+:: lnsarith\.(\w+)$", page, re.M))
    assert set(lnsarith.__all__) - {"__version__"} <= named


def test_every_picture_of_the_gallery_has_its_numbers_beside_it():
    without = [p.name for p in (DOCS / "gallery").glob("*/g[0-9]*.py")
               if not re.search(r"--csv |table=", p.read_text())]
    assert without == []


def test_help_is_shown_as_it_is_typed(made):
    for name, row in OPERATORS.items():
        assert f"## {name}\n\n`{row.summary}` – " in made["operators"]
    assert 'smartquotes_action = "qe"' in (DOCS / "conf.py").read_text()  # keeps -- of options


def test_the_gallery_and_the_tutorials_have_enough_scripts():
    assert len(list((DOCS / "gallery").glob("*/g[0-9]*.py"))) >= 16
    assert len(list((DOCS / "tutorials").glob("t[0-9]*.py"))) == 4


@pytest.mark.parametrize("path", FINDINGS, ids=lambda p: p.stem)
def test_a_finding_states_what_it_saw_pins_its_packages_and_is_on_the_page(path):
    text = path.read_text()
    comment = " ".join(re.findall(r"^# (.*)$", text, re.M))
    assert re.search(r"Seen \d+ \w+ 20\d\d", comment) and "Guess:" in comment
    packages = re.search(r"pip\" install .*?version-check (.*)$", text, re.M)[1].split()
    assert packages and all(re.fullmatch(r"[\w-]+==[\w.]+", p) for p in packages)
    assert "lnsarith" not in text and path.stat().st_mode & 0o111
    assert f"`{path.stem}`" in (DOCS / "surprises.md").read_text()


def test_there_are_findings():
    assert len(FINDINGS) >= 3
