"""A core with a fault in its bench: at first with unknown registers, then with random ones.

Icarus starts registers and memories unknown, which a comparison sees, and which a condition
takes for false. So what passes runs again with random bits in all of them. In both no row may be
read while it is written, which the memories promise to the tools; and a bench ends at the first
wrong word, where it would go on and count.
"""

from __future__ import annotations

import re
import resource
import subprocess
import tempfile
from pathlib import Path

from verilog import tools

__all__ = ["START", "answer", "clocks_of", "hasty", "seen", "strict", "with_random_start"]

START = (None, 1, 2)  # unknown, then seeds
CPU_SECONDS = 60  # a bench ends; where wires go round in a circle it does not
_MEMORY = re.compile(r"if \(i_read\) \w+ <= \w+\[i_read_address")


def seen(texts: dict[str, str], others: dict[str, str], bench: str, clocks: str = "") -> str:
    """Return how a bench finds a core wrong: "unknown start", "random start N", "clocks" where
    it says others than those of the right one, or "" where it does not; texts are the modules by
    file, others what they and the bench read."""
    for start in START:
        said = answer(texts, others, bench, start)
        if not said:
            return "unknown start" if start is None else f"random start {start}"
        if clocks and clocks_of(said) != clocks:
            return "clocks"
    return ""


def clocks_of(said: str) -> str:
    """Return what a bench tells of its clocks at full speed, "" if it tells nothing."""
    found = re.search(r"^.*\d clocks.*$", said, re.M)
    return found[0] if found else ""


def answer(texts: dict[str, str], others: dict[str, str], bench: str, start: int | None) -> str:
    """Return what a bench prints that finds a core right, "" if it does not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in {**others, bench: hasty(others[bench])}.items():
            (folder / file).write_text(text)
        for file, text in texts.items():
            text = strict(text)
            (folder / file).write_text(text if start is None else with_random_start(text, start))
        built = _run([tools.program("iverilog"), "-g2001", "-o", "tb.vvp", *texts, bench], folder)
        if built.returncode:
            return ""
        ran = _run([tools.program("vvp"), "-N", "tb.vvp"], folder)
        right = ran.returncode == 0 and re.search(r"PASS: [1-9]", ran.stdout)
        return ran.stdout if right and "FAIL" not in ran.stdout else ""


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS)))


def hasty(bench: str) -> str:
    """Return a bench that ends where it finds a word wrong, but for those of other weights,
    which are to be wrong."""
    meant = "inverted == 0" if "inverted" in bench else "1"
    return bench.replace("wrong = wrong + 1;", f"""begin
      wrong = wrong + 1;
      if ({meant}) begin $display("FAIL: a word"); $finish; end
    end""")


def strict(text: str) -> str:
    """Return a memory's module that fails where it is read while it is written, from the second
    clock on, before which nothing was reset."""
    if not _MEMORY.search(text):
        return text
    head, end, tail = text.rpartition("endmodule")
    return f"""{head}  reg begun = 0;
  always @(posedge i_clk) begin
    if (begun && i_read && i_write && i_write_address === i_read_address) begin
      $display("FAIL: %m is read where it is written");
      $finish;
    end
    begun <= 1;
  end
{end}{tail}"""


def with_random_start(text: str, seed: int) -> str:
    """Return a module whose registers and memories begin with random bits."""
    clocked = set(re.findall(r"\b(\w+)(?:\[[^\]]*\])? <= ", text))
    lines, loops = [], []
    for span, names in re.findall(r"^ *(?:\(\*.*?\*\) )?reg (\[[^\]]+\] )?([^;]+);", text, re.M):
        bits = int(re.match(r"\[(\d+)", span)[1]) + 1 if span else 1  # type: ignore[index]
        value = f"{{{-(-bits // 32)}{{$random}}}}" if bits <= 32 else (
            f"{{{', '.join(['$random'] * -(-bits // 32))}}}")
        for name in names.split(","):
            array = re.fullmatch(r"\s*(\w+) \[0:([^\]]+)\]", name)
            if array and f", {array[1]})" not in text:  # what a file fills stays as it is
                loops.append(f"    for (start_at = 0; start_at <= {array[2]}; "
                             f"start_at = start_at + 1) {array[1]}[start_at] = {value};\n")
            elif not array and name.strip() in clocked:
                lines.append(f"    {name.strip()} = {value};\n")
    if not (lines or loops):
        return text
    head, end, tail = text.rpartition("endmodule")
    return (f"{head}  integer start_at;\n  initial begin\n    for (start_at = 0; start_at < "
            f"{seed}; start_at = start_at + 1) if ($random == 0) start_at = start_at;\n"
            + "".join(lines + loops) + f"  end\n{end}{tail}")
