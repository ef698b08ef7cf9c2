"""A core behind AXI, driven by models of AXI that others wrote."""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cocotb_tools.runner import get_runner
from helpers.hardware.cores import core_of, images, small, written

from verilog.core.axi import axi_wrapper
from verilog.core.package import load_words
from verilog.design.lint import parsed_ports


@pytest.fixture(scope="module")
def parts():
    return small({"arith": "lns9.4", "hidden": (6,)})


def masked(words, bits):
    return [[int(w) & ((1 << bits) - 1) for w in row] for row in words]


def test_a_core_behind_axi_answers_through_pauses_resets_and_other_weights(parts, tmp_path):
    core, other = core_of(parts, 4, 2), small({"arith": "lns9.4", "hidden": (6,)}, seed=5)
    folder = written(core, parts, tmp_path / "core")
    pixels, bits = images(10, seed=3), core.ports["answer"]
    job = {"images": pixels.tolist(), "answers": masked(parts[3](pixels), bits),
           "answers_loaded": masked(other[3](pixels), bits),
           "load": load_words(core, other[2]), "bytes": -(-bits // 8),
           "done": str(tmp_path / "done")}
    assert job["answers"] != job["answers_loaded"]
    (tmp_path / "job.json").write_text(json.dumps(job))
    run(core, folder, tmp_path)
    assert (tmp_path / "done").read_text() == "20"


def run(core, folder, home):
    """Run the bench in Icarus; its one test has to be run and to pass."""
    sources = [folder / s for s in (folder / "files.f").read_text().split()]
    runner = get_runner("icarus")
    runner.build(sources=[*sources, folder / f"{core.name}_axi.v"], always=True,
                 hdl_toplevel=f"{core.name}_axi", build_dir=home / "build",
                 timescale=("1ns", "1ps"))
    helpers = Path(__file__).parents[2]
    path = ":".join([str(helpers), str(helpers.parent), *filter(None, sys.path)])
    results = home / "results.xml"
    for memory in folder.glob("*.hex"):
        (home / memory.name).write_text(memory.read_text())
    runner.test("helpers.hardware.axi_bench", f"{core.name}_axi", test_dir=home,
                results_xml=str(results),
                extra_env={"CORE_JOB": str(home / "job.json"), "PYTHONPATH": path})
    cases = list(ElementTree.parse(results).getroot().iter("testcase"))
    wrong = [case.find(kind) for case in cases for kind in ("failure", "error", "skipped")]
    assert len(cases) == 1 and wrong == [None] * 3


def test_the_wrapper_is_read_back_with_its_ports(parts):
    wrapper = axi_wrapper(core_of(parts, 2, 1))
    assert parsed_ports(wrapper.text) == (wrapper.name, {
        p.name: ("output" if p.output else "input", p.width) for p in wrapper.ports})
