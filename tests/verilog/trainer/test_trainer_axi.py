"""A trainer behind AXI, driven by models of AXI that others wrote."""

import json
import logging
import subprocess
from dataclasses import replace

import pytest
from cocotb_tools.runner import Icarus
from helpers.hardware.runner_paths import with_paths
from helpers.hardware.small_trainer import training

from verilog import tools
from verilog.design.lint import parsed_ports
from verilog.trainer.axi import axi_trainer, registers

SETTINGS = {"arith": "lns12", "hidden": (5,), "batch": 12}  # 12 images, then 11


def job_of(made, folder):
    """Return what the bench sends and what it has to read."""
    learning = made.core.geometry.learning
    mask = (1 << learning.word_bits) - 1
    words = [(made.words() & mask).tolist()]
    batches, rates = [], []
    for program, pixels, labels in made.trainer.batches():
        batches.append([b for row, label in zip(pixels.tolist(), labels.tolist())
                        for b in (*row, label)])
        if learning.rated:
            rates.append(made.rate() & 0xFFFFFFFF)
        program.run(pixels, labels)
        words.append((made.words() & mask).tolist())
    return {"before": words[0], "after": words[1:], "batches": batches, "rates": rates,
            "half": 20, "bytes": -(-learning.word_bits // 8), "done": str(folder / "done")}


def run(core, job, folder, wrapper=None):
    """Run the bench in Icarus; return what it leaves when all it compared was equal."""
    wrapper = wrapper or axi_trainer(core)
    for name, text in {**core.files, f"{wrapper.name}.v": wrapper.text}.items():
        (folder / name).write_text(text)
    (folder / "job.json").write_text(json.dumps(job))
    runner = with_paths(Icarus)()
    runner.log.setLevel(logging.CRITICAL + 1)
    runner.build(sources=[folder / f"{m.name}.v" for m in (*core.modules, wrapper)],
                 hdl_toplevel=wrapper.name, always=True, build_dir=folder,
                 timescale=("1ns", "1ps"))
    try:
        runner.test("helpers.hardware.trainer_axi_bench", wrapper.name, test_dir=folder,
                    build_dir=folder, results_xml=str(folder / "tests.xml"),
                    timescale=("1ns", "1ps"), extra_env={"TRAINER_JOB": str(folder / "job.json")})
    except SystemExit:
        pass
    done = folder / "done"
    return done.read_text() if done.is_file() else None


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    made = training(SETTINGS, 4, 2)
    return made.core, job_of(made, tmp_path_factory.mktemp("job"))


@pytest.mark.parametrize("more", [{}, {"schedule": "cosine"}], ids=["plain", "with a rate"])
def test_a_trainer_behind_axi_learns_the_engines_words(more, tmp_path):
    made = training({**SETTINGS, **more}, 4, 2)
    job = job_of(made, tmp_path)
    assert bool(job["rates"]) == bool(more) and job["after"][0] != job["before"]
    assert run(made.core, job, tmp_path) == "2"


@pytest.mark.parametrize("old, new", [
    ("if (last_pixel) pixel <=", "if (at_label) pixel <="), ("at_label && s_axis_tlast", "1'b0"),
    ("      at <= {0}'d0;\n", "")], ids=["another pixel is kept", "a batch has no end",
                                      "a reset keeps half an image"])
def test_a_fault_of_the_wrapper_is_caught(old, new, case, tmp_path):
    core, job = case
    made = axi_trainer(core)
    old = old.format(core.geometry.learning.sizes[0].bit_length())
    assert made.text.count(old) == 1
    wrong = replace(made, text=made.text.replace(old, new))
    assert run(core, {**job, "done": str(tmp_path / "done")}, tmp_path, wrong) is None


def test_the_wrapper_is_read_back_with_its_ports_and_is_clean(tmp_path):
    for settings in (SETTINGS, {**SETTINGS, "schedule": "cosine"}):
        core = training(settings, 4, 2).core
        made = axi_trainer(core)
        assert parsed_ports(made.text) == (made.name, {
            p.name: ("output" if p.output else "input", p.width) for p in made.ports})
        assert ("RATE" in [name for _, name, _, _ in registers(core)]) == ("schedule" in settings)
        for name, text in {**core.files, f"{made.name}.v": made.text}.items():
            (tmp_path / name).write_text(text)
        program, environment = tools.verilator()
        subprocess.run([program, "--lint-only", "-Wall", "--top-module", made.name,
                        *(f"{m.name}.v" for m in (*core.modules, made))], cwd=tmp_path,
                       env=environment, check=True, capture_output=True)
