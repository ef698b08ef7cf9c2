"""What the README shows is true."""

import doctest
import re
from pathlib import Path

from lnsarith.cli import main

README = Path(__file__).parents[1] / "README.md"


def test_the_examples_print_what_they_show(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a run is trained there
    failed, tried = doctest.testfile(str(README), module_relative=False)
    assert tried > 4
    assert not failed


def test_the_commands_have_the_options_that_are_shown(capsys):
    shown = re.findall(r"^lnsarith (train|check|eval|predict|ops)(.*?)(?:#.*)?$",
                       README.read_text(), re.MULTILINE)
    assert len(shown) >= 8
    for command, rest in shown:
        try:
            main([command, "--help-all" if command == "train" else "--help"])
        except SystemExit as end:
            assert not end.code
        known = capsys.readouterr().out
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in known, (command, option)
