"""What the README shows is true."""

import doctest
import re
from pathlib import Path

from lnsarith.cli import main

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs" / "howto").rglob("*.md")))


def test_the_examples_print_what_they_show(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a run is trained there
    failed, tried = doctest.testfile(str(README), module_relative=False)
    assert tried > 4
    assert not failed


def test_it_can_be_read_at_one_go_and_its_links_lead_somewhere():
    text = README.read_text()
    assert len(text.splitlines()) <= 150
    named = re.findall(r"`((?:docs|lnsarith|fxp|nets|verilog)/[\w/.-]+)`|\]\(([^)#]+)\)", text)
    places = [a or b for a, b in named]
    assert len(places) >= 5
    assert [p for p in places if not (ROOT / p).exists()] == []


def test_the_commands_have_the_options_that_are_shown(capsys):
    shown = re.findall(r"^lnsarith (train|check|eval|predict|ops)(.*?)(?:#.*)?$",
                       "\n".join(page.read_text() for page in PAGES), re.MULTILINE)
    assert len(shown) >= 30
    for command, rest in shown:
        try:
            main([command, "--help-all" if command == "train" else "--help"])
        except SystemExit as end:
            assert not end.code
        known = capsys.readouterr().out
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in known, (command, option)
