"""Running the bench: its job, cocotb's runner around Icarus, and whether it did run.

The runner returns or leaves as it likes when a bench is missing, empty, skipped or
breaks off, so its word counts for nothing here. Two files do: cocotb's own record of
its tests, and what the bench says that it compared.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from lnsarith.host.files.whole import scratch, write_whole
from verilog import tools
from verilog.design.design import Design, Words
from verilog.design.lint import write_files

__all__ = ["run_cocotb", "widths"]

BENCH = "verilog.simulate.bench"
TIMESCALE = ("1ns", "1ps")
TESTS = "tests.xml"
SECONDS, SLOWEST = 120, 100  # a simulation may take so long, and words a second beyond it
# Icarus orders inertial writes as it should, so cocotb need not; nor has it to rewrite asserts.
ENVIRONMENT = {"COCOTB_TRUST_INERTIAL_WRITES": "1", "COCOTB_REWRITE_ASSERTION_FILES": ""}
# cocotb loads all of pytest for what it does not use here (findings/cocotb-loads-pytest.sh), which
# takes longer than all else in a short simulation. This has the names that it looks at.
PYTEST = """import sys
from types import ModuleType

def _ends():
    class End:
        class Exception(BaseException):
            pass
    return End

raises, skip, xfail = _ends(), _ends(), _ends()  # what a test may end with; nothing here does

for name, has in (("", ""), (".assertion", "install_importhook"), (".config", "Config")):
    module = sys.modules["_pytest" + name] = ModuleType("_pytest" + name)
    setattr(module, has or "__path__", [])
"""


def run_cocotb(design: Design, phases: Mapping[str, Words], answers: Mapping[str, Words],
               seed: int, waves: Path | None) -> list[dict]:
    """Return the bench's results, one for each phase; write waves if a path is given.

    Raises ToolMissing without Icarus, ToolError if any phase was not run.
    """
    for name in ("iverilog", "vvp"):
        tools.program(name)
    with scratch() as name:
        folder = Path(name)
        _write_job(design, phases, answers, seed, folder)
        count = sum(len(next(iter(words.values()))) for words in phases.values())
        printed = _start(design, folder, SECONDS + count / SLOWEST, waves)
        found = _results(folder, printed)
        _demand_all(found, phases, answers)
        if waves:
            _keep(folder / f"waves{waves.suffix.lower()}", waves)
    return found


def widths(design: Design) -> dict[str, int]:
    """Return the bits of every port of the top module."""
    return {p.name: p.width for p in design.top.ports}


def _write_job(design: Design, phases, answers, seed: int, folder: Path) -> None:
    """Write the words and answers as patterns of bits, and what else the bench must know.

    They are plain bytes, little-endian, so many for each pattern: the bench runs in the
    simulator's Python, where NumPy would take longer to load than most benches to run.
    """
    known = widths(design)
    columns = []
    with open(folder / "job.bin", "wb") as file:
        for phase in phases:
            for prefix, group in (("i_", phases[phase]), ("o_", answers[phase])):
                for port, column in group.items():
                    rows = _patterns(np.asarray(column), known[prefix + port],
                                     design.lanes.get(port))
                    columns.append([phase, prefix + port, len(rows), rows[:1].nbytes])
                    file.write(rows.tobytes())
    meta = {"clocked": design.clocked, "latency": design.latency, "drain": design.drain,
            "seed": seed, "phases": list(phases), "widths": known, "columns": columns}
    (folder / "job.json").write_text(json.dumps(meta))


def _patterns(column: np.ndarray, width: int, lanes: tuple[int, int] | None) -> np.ndarray:
    """Return words as 64 bits, or those of lanes as rows of bytes, the lowest first."""
    if lanes is None:
        return (column.astype(np.uint64) & np.uint64((1 << width) - 1)).astype("<u8")
    ones = ((column[..., None] >> np.arange(lanes[1])) & 1).astype(bool)
    return np.packbits(ones.reshape(len(column), lanes[0] * lanes[1]), axis=1, bitorder="little")


def _start(design: Design, folder: Path, seconds: float, waves: Path | None) -> str:
    """Build and run, come what may; return what was printed."""
    try:
        from cocotb_tools.runner import Icarus
    except ImportError:
        raise tools.ToolMissing("cocotb is not installed: pip install 'lnsarith[rtl]'") from None

    printed = []

    class Runner(Icarus):
        """Finds this package, writes VCD too, and stops a simulation that does not end."""

        def _set_env_test(self):
            super()._set_env_test()
            root = str(Path(__file__).resolve().parents[2])
            self.env["PYTHONPATH"] = os.pathsep.join([str(folder), root, self.env["PYTHONPATH"]])

        def _test_command(self):
            vcd = ["-vcd"] if waves and waves.suffix.lower() == ".vcd" else []
            return [[*command, *vcd] for command in super()._test_command()]

        def _execute(self, cmds, cwd):
            for command in cmds:
                printed.append(tools.run(command, cwd, self.env, seconds))

    sources = write_files(design, folder)
    (folder / "pytest.py").write_text(PYTEST)
    common: dict[str, Any] = {"waves": bool(waves), "timescale": TIMESCALE, "build_dir": folder}
    try:
        runner = Runner()
        runner.log.setLevel(logging.CRITICAL + 1)
        runner.build(sources=[folder / s for s in sources], hdl_toplevel=design.name,
                     always=True, **common)
        dump = [f"+dumpfile_path={folder / 'waves'}{waves.suffix.lower()}"] if waves else []
        runner.test(BENCH, design.name, test_dir=folder, results_xml=str(folder / TESTS),
                    extra_env={**ENVIRONMENT, "LNSARITH_BENCH": str(folder)}, plusargs=dump,
                    **common)
    except (SystemExit, tools.ToolError) as error:
        if not (folder / TESTS).is_file():
            raise tools.ToolError(f"the simulation broke off: {error}") from None
    return " | ".join(line for line in "".join(printed).splitlines() if line.strip())[-600:]


def _results(folder: Path, printed: str) -> list[dict]:
    """Return what the bench wrote; ToolError unless cocotb counted the same."""
    tests, result = folder / TESTS, folder / "result.json"
    if not tests.is_file():
        raise tools.ToolError(f"the simulation left no result: {printed}")
    cases = list(ElementTree.parse(tests).getroot().iter("testcase"))
    ran = [c for c in cases if c.find("skipped") is None]
    failed = [c for c in ran if c.find("failure") is not None or c.find("error") is not None]
    found = json.loads(result.read_text()) if result.is_file() else []
    wrong = [f for f in found if f["wrong"] or f["fault_count"]]
    if not found or len(found) != len(ran) or len(failed) != len(wrong):
        raise tools.ToolError(f"the bench broke: {len(ran)} tests ran, {len(failed)} failed, "
                              f"{len(found)} left results: {printed}")
    return found


def _demand_all(found: list[dict], phases, answers) -> None:
    """Raise ToolError unless every phase compared every answer, or told what is wrong."""
    if [f["phase"] for f in found] != list(phases):
        raise tools.ToolError(f"the bench ran {[f['phase'] for f in found]}, not {list(phases)}")
    for each in found:
        expected = len(next(iter(answers[each["phase"]].values())))
        if each["compared"] != expected and not each["fault_count"]:
            raise tools.ToolError(f"phase {each['phase']} compared {each['compared']} answers, "
                                  f"not {expected}")


def _keep(found: Path, path: Path) -> None:
    """Copy a file to where it shall be; it appears whole or not at all."""
    if not found.is_file():
        raise tools.ToolError("the simulator wrote no waves")
    write_whole(path, lambda part: part.write_bytes(found.read_bytes()))
