"""A core as its sequencers see it: memories and arithmetic answer anything at any clock.

What is proved of it holds for every content of the memories and every circuit in the lanes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from verilog.emit.module import Module

__all__ = ["connections", "instances", "stub", "watched"]


def stub(module: Module) -> str:
    """Return a module with the ports of another, whose outputs are any bits at any clock."""
    heads = ",\n".join(f"  {'output' if p.output else 'input'} wire {_span(p.width)}{p.name}"
                       for p in module.ports)
    free = "".join(f"  (* anyseq *) reg {_span(p.width)}any_{p.name};\n"
                   f"  assign {p.name} = any_{p.name};\n" for p in module.ports if p.output)
    return f"module {module.name} (\n{heads}\n);\n{free}endmodule\n"


def instances(text: str, module: str) -> dict[str, dict[str, str]]:
    """Return what the ports of each instance of a module are connected to, by its label."""
    found = {}
    for match in re.finditer(rf"^\s*{module}\s+(\w+)\s*\(", text, re.M):
        found[match[1]] = connections(text[match.end():])
    return found


def connections(text: str) -> dict[str, str]:
    """Return the expressions of the ports at the head of a text, up to the bracket that closes
    them."""
    found, at = {}, 0
    while port := re.compile(r"[\s,]*\.(\w+)\(").match(text, at):
        at = end = port.end()
        depth = 1
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        found[port[1]] = " ".join(text[at:end - 1].split())
        at = end
    return found


def watched(text: str, told: Mapping[str, str], more: Iterable[str] = ()) -> str:
    """Return a top module with an output for each of these expressions, and more text
    that they read."""
    heads = "".join(f"  output wire {name},\n" for name in told)
    text = re.sub(r"(^module \w+\s*\(\n)", rf"\1{heads}", text, count=1, flags=re.M)
    body = "".join([*(f"  {line}\n" for line in more),
                    *(f"  assign {name} = {value};\n" for name, value in told.items())])
    head, end, tail = text.rpartition("endmodule")
    return f"{head}{body}{end}{tail}"


def _span(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""
