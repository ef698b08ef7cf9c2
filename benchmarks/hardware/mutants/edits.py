"""Verilog with one small fault: every edit of a line that a hand might make by mistake."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from verilog.design.design import Design

__all__ = ["KINDS", "Edit", "edited", "edits", "picked"]

KINDS = ("constant", "comparison", "saturation", "table", "handshake", "reset", "wiring")
CONSTANT = re.compile(r"(-?)(\d+)'d(\d+)")
DECLARED = re.compile(r"\s*(?:input |output )?(?:wire|reg) (?:\[(\d+):0\] )?(\w+)[;,]?$")
CHOICE = re.compile(r"= \((.+)\)\? (.+) : (.+);$")
CONTROL = re.compile(r"\b(load_s\d+|valid_s\d+|o_ready|o_valid|answered|step|enable|accepted|ready|"
                     r"spaced|last_taken|any_done|done_\d+|wait_for_rows|\w+_now)\b")
IDENTIFIER = re.compile(r"(?<!\.)\b[a-z]\w*\b(?!\()")


@dataclass(frozen=True)
class Edit:
    """A line of a module and what stands there instead."""

    kind: str
    module: str
    line: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line + 1} {self.old.strip()} -> {self.new.strip()}"


def edited(design: Design, edit: Edit) -> Design:
    """Return the design with the edit in its Verilog; nothing else changes."""
    def change(module):
        lines = module.text.split("\n")
        assert lines[edit.line] == edit.old
        lines[edit.line] = edit.new
        return replace(module, text="\n".join(lines))

    return replace(design, modules=tuple(
        change(m) if m.name == edit.module else m for m in design.modules))


def picked(found: list[Edit], count: int, seed: int) -> list[Edit]:
    """Return edits in a random order in which the kinds take turns; no line has two of a
    kind among the first `count`, as far as that can be."""
    rng = random.Random(seed)
    queues = []
    for kind in KINDS:
        own = [e for e in found if e.kind == kind]
        rng.shuffle(own)
        first = {(e.module, e.line): e for e in reversed(own)}.values()
        queues.append([*first, *(e for e in own if e not in first)])
    turns = [q[k] for k in range(max(map(len, queues))) for q in queues if k < len(q)]
    return turns[:count]


def edits(design: Design, modules=None) -> list[Edit]:
    """Return every edit of the named modules, by default of all."""
    return [Edit(kind, m.name, number, line, new)
            for m in design.modules if modules is None or m.name in modules
            for number, line, kind, new in _of_text(m.text) if new != line]


def _of_text(text: str) -> Iterator[tuple[int, str, str, str]]:
    widths: dict[str, int] = {}
    for number, line in enumerate(text.split("\n")):
        code = line.strip()
        if found := DECLARED.match(line):
            widths[found[2]] = int(found[1] or 0) + 1
        elif code.startswith(("assign unused", "//", "`", "function", "module")):
            continue
        elif re.match(r"(\d+'d\d+|default): \w+ = ", code):
            yield from ((number, line, "table", new) for new in _table(line))
        elif code.startswith(("assign", "if(", ".")) or "<=" in code:
            yield from ((number, line, kind, new) for kind, new in _of_line(line, code, widths))


def _table(line: str) -> Iterator[str]:
    head, _, word = line.rpartition(" = ")
    sign, width, value = CONSTANT.match(word).groups()  # type: ignore[union-attr]
    for other in (int(value) + 1, int(value) - 1):
        if 0 <= other < 1 << (int(width) - (sign == "-")):
            yield f"{head} = {sign}{width}'d{other};"


def _of_line(line: str, code: str, widths) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of every edit of a statement."""
    clocked = "<=" in code and not code.startswith("assign")
    control = bool(CONTROL.search(code.partition("=")[0] if "=" in code else code))
    if code.startswith("if("):
        yield from _condition(line, code)
        return
    if clocked and CONSTANT.search(code):
        yield from (("reset", new) for new in _constants(line))
        return
    if not clocked and not code.startswith("."):
        yield from (("constant", new) for new in _constants(line))
        yield from (("comparison", new) for new in _comparisons(line))
    if choice := CHOICE.search(line):
        kind = "saturation" if re.search(r"m(ax|in)\w*$", code.split(" = ")[0]) else "wiring"
        condition, yes, no = choice.groups()
        head = line[:choice.start()]
        for other in (yes, no) if kind == "saturation" else (f"({condition})? {no} : {yes}",):
            if _fits(other, code, widths):
                yield kind, f"{head}= {other};"
    yield from (("handshake" if control else "wiring", new)
                for new in (*_operators(line), *_names(line, widths), *_places(line)))
    if control and code.startswith("assign"):
        yield "handshake", re.sub(r"=.*", "= 1'd1;", line)
        if code.startswith("assign o_valid"):
            yield "handshake", line.replace(";", " & i_ready;")


def _fits(value: str, code: str, widths) -> bool:
    """Whether a side of a choice has as many bits in itself as the choice."""
    target = widths.get(code.split()[1], 1)
    if found := CONSTANT.fullmatch(value):
        return int(found[2]) == target
    return widths.get(value) == target or f"[{target - 1}:0]" in value


def _condition(line: str, code: str) -> Iterator[tuple[str, str]]:
    if "i_rst" in code:
        yield "reset", line.replace("i_rst", "1'd0")
        return
    inside = code[3:code.rindex(")")]
    yield "handshake", line.replace(inside, "1'd1")
    for part in inside.split(" & ") if " & " in inside else ():
        yield "handshake", line.replace(inside, part)


def _constants(line: str) -> Iterator[str]:
    for found in CONSTANT.finditer(line, line.index("=")):
        sign, width, value = found[1], int(found[2]), int(found[3])
        for other in (value + 1, value - 1):
            if 0 <= other < 1 << (width - (sign == "-" and width > 1)):
                yield f"{line[:found.start()]}{sign}{width}'d{other}{line[found.end():]}"


def _comparisons(line: str) -> Iterator[str]:
    for old, new in ((" < ", " <= "), (" == ", " != "), (" < ", " > ")):
        if old in line:
            yield line.replace(old, new)
    if line.count("$signed") >= 2 and " < " in line:
        yield line.replace("$signed", "")


def _operators(line: str) -> Iterator[str]:
    start = line.find("=") if "=" in line else 0
    for old, new in ((" + ", " - "), (" - ", " + "), (" & ", " | "), (" | ", " & "), (" ^ ", " | "),
                     ("~", "")):
        at = line.find(old, start)
        while at >= 0 and "<=" not in line[at:at + 4]:
            yield line[:at] + new + line[at + len(old):]
            at = line.find(old, at + 1)


def _names(line: str, widths) -> Iterator[str]:
    """Yield the line with another vector of the same width, the last that came before."""
    for found in IDENTIFIER.finditer(line, line.index("=") if "=" in line else line.index("(")):
        same = [n for n, w in widths.items() if w == widths.get(found[0]) and n != found[0]
                and n not in line and n not in ("i_clk", "o_out")]
        for other in same[-2:]:
            yield line[:found.start()] + other + line[found.end():]


def _places(line: str) -> Iterator[str]:
    """Yield the line with a slice or a bit one lower, or a sign that is not repeated."""
    for found in re.finditer(r"\[(\d+)(?::(\d+))?\]", line):
        low = int(found[2] or found[1])
        if low > 0:
            moved = "[" + ":".join(str(int(n) - 1) for n in found.groups() if n) + "]"
            yield line[:found.start()] + moved + line[found.end():]
    for found in re.finditer(r"\{ (\d+)\{ (\w+\[\d+\]) \} \}", line):
        yield line[:found.start()] + f"{found[1]}'d0" + line[found.end():]
