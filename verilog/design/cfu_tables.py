"""What the README of a custom function unit tells: its ports, its commands, how to use it."""

from __future__ import annotations

from verilog.design.design import Design

__all__ = ["cfu_tables"]

PROTOCOL = """A command is taken at a rising edge with `cmd_valid` and `cmd_ready`, and held
until then; its answer, `rsp_payload_outputs_0`, is taken at one with `rsp_valid` and
`rsp_ready`, and held until then. Every command is answered, in order; answers may take any
number of cycles. `reset` is synchronous."""


def cfu_tables(design: Design) -> str:
    """Return the ports of the module that the processor sees, the commands with the places of
    their operands, and where the files go in a project of CFU Playground."""
    unit = design.modules[-2]
    ports = "\n".join(f"| `{p.name}` | {'output' if p.output else 'input'} | {p.width} |"
                      for p in unit.ports)
    header = next(n for n in design.texts if n.endswith(".h"))
    any_id = len(design.commands) == 1
    rows = "\n".join(_row(c, header.removesuffix(".h"), any_id) for c in design.commands)
    return (f"The unit is the module `{unit.name}`; `{design.name}` around it is for the test "
            f"bench alone.\n\n| port | direction | bits |\n|---|---|---|\n{ports}\n\n"
            f"{PROTOCOL}\n\n| funct3 | funct7 | function in `{header}` | what it does | operands | "
            f"answer |\n|---|---|---|---|---|---|\n{rows}\n\n{_playground(design, header)}")


def _row(command, prefix: str, any_id: bool) -> str:
    ids = ("any", "any") if any_id else (command.funct3, command.funct7)
    operands = "; ".join(f"{o.name} `{o.place}`" + (f" ({o.meaning})" if o.meaning else "")
                         for o in command.operands) or "none"
    return (f"| {ids[0]} | {ids[1]} | `{prefix}_{command.name}` | {command.summary} | {operands} | "
            f"{command.gives or '0'} |")


def _playground(design: Design, header: str) -> str:
    sources = " ".join(f"{m.name}.v" for m in design.modules[:-1])
    unit = design.modules[-2].name
    renamed = "" if unit == "Cfu" else f", with `{unit}` renamed `Cfu`"
    return (f"In a project of CFU Playground: `cat {sources} > proj/PROJECT/cfu.v`{renamed}, and "
            f"`{header}` goes to `proj/PROJECT/src/` under a name of its own (the project has a "
            "`cfu.h`).")
