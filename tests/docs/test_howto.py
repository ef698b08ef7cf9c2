"""The how-to pages do what they say: their commands are run, one after the other."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.front_door import ROOT

HOWTO = ROOT / "docs" / "howto" / "own"


def commands(page):
    """Return the lines of every block of commands on a page."""
    blocks = re.findall(r"^```bash\n(.*?)^```", (HOWTO / f"{page}.md").read_text(), re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if line]


def run(line, folder):
    """Return what a command line prints; AssertionError if it fails."""
    programs = {"lnsarith": [sys.executable, "-m", "lnsarith"], "python": [sys.executable]}
    name, *rest = line.split()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*programs[name], *rest], cwd=folder, env=env, text=True,
                          capture_output=True)
    assert done.returncode == 0, (line, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout


@pytest.mark.parametrize("page", ["own-delta", "own-operator"])
def test_a_page_goes_from_an_empty_folder_to_training_verilog_proof_and_cost(page, tmp_path):
    said = [(line, run(line, tmp_path)) for line in commands(page)]
    assert [re.match(r"lnsarith (rtl \w+|\w+)|python", line)[0] for line, _ in said] == {
        "own-delta": ["lnsarith new", "python", "lnsarith check", "lnsarith train",
                      "lnsarith train", "lnsarith eval", "lnsarith rtl gen", "lnsarith rtl sim",
                      "lnsarith rtl prove", "lnsarith rtl synth"],
        "own-operator": ["lnsarith new", "python", "lnsarith check", "lnsarith train",
                         "lnsarith eval", "lnsarith rtl gen", "lnsarith rtl sim",
                         "lnsarith rtl prove", "lnsarith rtl synth"]}[page]
    answers = {line.split(" --")[0]: text for line, text in said}
    proved = next(text for line, text in said if " prove " in line)
    assert re.search(r"(\d+) of \1 hold", proved), proved
    assert "equal" in next(text for line, text in said if " sim " in line)
    assert re.search(r"gates +\d+", next(text for line, text in said if " synth " in line))
    assert any(Path(tmp_path / name).glob("*.v") for name in ("mac", "bend") if (
        tmp_path / name).is_dir()), answers
    check_accuracies(page, said)


def check_accuracies(page, said):
    """Compare the accuracies that came with those that the page tells."""
    if page == "own-delta":
        text = (HOWTO / "own-delta.md").read_text()
        for line, told in said:
            if line.startswith("lnsarith train"):
                share = re.search(r"test (\d+\.\d+)%", told)[1]
                assert f"{share} %" in text, (line, share)
