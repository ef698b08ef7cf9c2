"""A small trainer under cocotb: gaps, waits, a reset in mid-image, weights loaded anew."""

import json
import logging
import os
from pathlib import Path

import numpy as np
import pytest
from cocotb_tools.runner import Icarus
from helpers.hardware.small_trainer import training, with_text

ROOT = Path(__file__).parents[3]
SETTINGS = {"arith": "lns12", "hidden": (5,), "batch": 3}


class Runner(Icarus):
    """Finds the bench and this package."""

    def _set_env_test(self):
        super()._set_env_test()
        paths = [str(ROOT), str(ROOT / "tests"), self.env["PYTHONPATH"]]
        self.env["PYTHONPATH"] = os.pathsep.join(paths)


def run(core, job, folder):
    """Return what the bench compared, None where it failed."""
    for name, text in core.files.items():
        (folder / name).write_text(text)
    np.savez(folder / "job.npz", **job)
    runner = Runner()
    runner.log.setLevel(logging.CRITICAL + 1)
    runner.build(sources=[folder / f"{m.name}.v" for m in core.modules], hdl_toplevel=core.name,
                 always=True, build_dir=folder, timescale=("1ns", "1ps"))
    try:
        runner.test("helpers.hardware.trainer_bench", core.name, test_dir=folder, build_dir=folder,
                    results_xml=str(folder / "tests.xml"), timescale=("1ns", "1ps"),
                    extra_env={"TRAINER_BENCH": str(folder), "COCOTB_REWRITE_ASSERTION_FILES": ""})
    except SystemExit:
        pass
    result = folder / "result.json"
    return json.loads(result.read_text()) if result.is_file() else None


@pytest.fixture(scope="module")
def case():
    """A trainer, words before, and five batches with the words after each."""
    made = training(SETTINGS, 4, 2)
    job = {"before": made.words()}
    for number, (program, pixels, labels) in enumerate(made.trainer.batches()):
        if number == 5:
            break
        program.run(pixels, labels)
        job |= {f"pixels{number}": pixels, f"labels{number}": labels,
                f"after{number}": made.words()}
    return made.core, job


def test_gaps_waits_and_resets_change_no_word(case, tmp_path):
    core, job = case
    assert run(core, job, tmp_path) == {"compared": 7 * len(job["before"]), "steps": 6}


@pytest.mark.parametrize("old, new", [
    ("& ~host_busy &", "&"), ("wanted <= (wanted | i_read) & ", "wanted <= i_read & "),
    ("    image <= 2'd0;\n    groups", "    groups"), ("else if (state == SEND & i_ready) row",
                                   "else if (state == SEND) row")],
    ids=["a step starts while words are read", "a wish to read is forgotten",
         "the reset keeps the number of images", "words that wait are lost"])
def test_a_fault_of_the_ports_is_caught(old, new, case, tmp_path):
    core, job = case
    assert run(with_text(core, old, new), job, tmp_path) is None
