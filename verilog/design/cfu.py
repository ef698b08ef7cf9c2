"""An operator as a custom function unit of CFU Playground.

CFU Playground (github.com/google/CFU-Playground) gives a RISC-V processor one custom
instruction with two 32-bit operands, through the module `Cfu` with a valid/ready
handshake for commands and responses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fxp.format import FormatError
from verilog.design.design import Design, Words
from verilog.design.stimulus import operand_columns
from verilog.emit import syntax as v
from verilog.emit.body import Body
from verilog.emit.header import version
from verilog.emit.module import CLOCK, VALID_IN, VALID_OUT, Module, Port, finished

__all__ = ["cfu"]

PORTS = (Port("cmd_valid", 1), Port("cmd_ready", 1, True), Port("cmd_payload_function_id", 10),
         Port("cmd_payload_inputs_0", 32), Port("cmd_payload_inputs_1", 32),
         Port("rsp_valid", 1, True), Port("rsp_ready", 1),
         Port("rsp_payload_outputs_0", 32, True), Port("reset", 1), Port("clk", 1))
WORD = 32  # bits of an operand and of the response


def cfu(design: Design, name: str | None = None) -> Design:
    """Return a pipelined operator, or a unit of commands, with the module Cfu around it.

    A unit of commands has the ports function, inputs_0, inputs_1. For an operator:

    One operand is the low bits of inputs_0; the second those of inputs_1. Of three
    the first is in inputs_1, the others in the halves of inputs_0, the second one
    low; of four each has a half, from inputs_0 low to inputs_1 high. The result is
    extended to 32 bits by its sign, if it has one. The top module <name>_cfu gives
    `Cfu` the ports of every other design, so that the same benches drive it: all 32
    bits of the response, and what may be anything, the function id and the operands'
    unused bits, as inputs of their own. A name given is that of the top module, and the
    unit is <name>_Cfu: several can stand in one project. Raises FormatError where
    operands do not fit.
    """
    commanded = "function" in design.inputs
    if not design.clocked or design.latency is None and not commanded:
        raise FormatError("a custom function unit wraps a pipelined operator")
    places = {f"inputs_{r}": (r, 0, WORD) for r in (0, 1)} if commanded else _places(design)
    unit = f"{name}_Cfu" if name else "Cfu"
    (out, (low, _)), = design.outputs.items()
    any_bits = {} if commanded else {"function": (0, (1 << 10) - 1), **{
        f"unused_{r}": (0, (1 << sum(bits for _, bits in gaps)) - 1)
        for r in (0, 1) if (gaps := list(_gaps(places, r)))}}
    inputs = {**design.inputs, **any_bits}
    half = 1 << (WORD - 1)
    inner = _wrapper(design, places, unit)
    outer = _adapter(design, places, inputs, name or f"{design.name}_cfu", unit)

    def model(words: Words) -> Words:
        return design.model({k: words[k] for k in design.inputs})

    def stimulus(count: int, seed: int) -> Words:
        return {**design.stimulus(count, seed), **operand_columns(any_bits, count, seed + 1)}

    return replace(design, name=outer.name, summary=f"{design.summary}, as a CFU",
                   modules=(*design.modules, inner, outer), inputs=inputs,
                   outputs={out: (-half, half - 1) if low < 0 else (0, 2 * half - 1)},
                   model=model, stimulus=stimulus, places=places, ignored=frozenset(any_bits))


def _places(design: Design) -> dict[str, tuple[int, int, int]]:
    """Return (input register, lowest bit, bits) of every operand."""
    widths = {p.name[2:]: p.width for p in design.top.ports if p.name[2:] in design.inputs}
    orders = {1: [(0, 0)], 2: [(0, 0), (1, 0)], 3: [(1, 0), (0, 0), (0, 16)],
              4: [(0, 0), (0, 16), (1, 0), (1, 16)]}
    if len(widths) not in orders:
        raise FormatError(f"a custom function unit takes at most 4 operands, not {len(widths)}")
    slots = orders[len(widths)]
    places = {}
    for (name, width), (register, low) in zip(widths.items(), slots):
        shared = sum(r == register for r, _ in slots) > 1
        room = 16 if shared else 32
        if width > room:
            raise FormatError(f"operand {name} has {width} bits; beside the others it may "
                              f"have {room}")
        places[name] = (register, low, width)
    return places


def _wrapper(design: Design, places, unit: str) -> Module:
    """Return the module Cfu, or what the unit is called."""
    body = Body(p.name for p in PORTS)
    for port in PORTS:
        if not port.output:
            body.declare(port.name, port.width)
    out = next(p for p in design.top.ports if p.name[2:] in design.outputs)
    word = body.wire("word", out.width)
    commanded = "function" in design.inputs
    function = {"i_function": body.read("cmd_payload_function_id")} if commanded else {}
    operands = {f"i_{name}": body.read(f"cmd_payload_inputs_{register}", low + width - 1, low)
                for name, (register, low, width) in places.items()} | function
    body.add(v.instance(design.name, "operator", {
        "i_clk": body.read("clk"), "i_rst": body.read("reset"),
        "i_valid": body.read("cmd_valid"), "o_ready": v.name("cmd_ready"), **operands,
        "o_valid": v.name("rsp_valid"), "i_ready": body.read("rsp_ready"),
        out.name: v.name(word)}))
    low, _ = design.outputs[out.name[2:]]
    body.add(v.assign("rsp_payload_outputs_0", body.resized(word, 32, low < 0)))
    text = (f"// SPDX-License-Identifier: MIT\n// {unit}: {design.name} as a custom function unit "
            "of CFU Playground.\n"
            + ("" if commanded else "// The function id is not looked at.\n")
            + "".join(f"// {name}: cmd_payload_inputs_{r}[{low + width - 1}:{low}]\n"
                      for name, (r, low, width) in places.items())
            + f"// Generated by lnsarith {version()}.\n\n")
    return finished(unit, text, PORTS, body, {})


def _adapter(design: Design, places, inputs, name: str, unit: str) -> Module:
    """Return the module that gives Cfu the ports of a design with these inputs."""
    given = {p.name: p for p in design.top.ports}
    out = next(p for p in design.top.ports if p.name[2:] in design.outputs)
    ports = (*CLOCK, *VALID_IN, *(given.get(f"i_{k}") or Port(
        f"i_{k}", high.bit_length(), meaning="may be anything")
        for k, (_, high) in inputs.items()), *VALID_OUT, replace(out, width=WORD))
    body = Body(p.name for p in ports)
    for port in ports:
        if not port.output:
            body.declare(port.name, port.width)
    body.add(v.instance(unit, "cfu", {
        "cmd_valid": body.read("i_valid"), "cmd_ready": v.name("o_ready"),
        "cmd_payload_function_id": body.read("i_function"),
        **{f"cmd_payload_inputs_{r}": _register(body, places, r) for r in (0, 1)},
        "rsp_valid": v.name("o_valid"), "rsp_ready": body.read("i_ready"),
        "rsp_payload_outputs_0": v.name(out.name), "reset": body.read("i_rst"),
        "clk": body.read("i_clk")}))
    text = (f"// SPDX-License-Identifier: MIT\n// {name}: {unit} behind the ports of "
            f"{design.name}, for its test benches.\n// Generated by lnsarith {version()}.\n\n")
    return finished(name, text, ports, body, {})


def _gaps(places, register: int) -> Iterator[tuple[int, int]]:
    """Yield (lowest bit, bits) of what the operands leave of a register, from bit 0 up."""
    filled = 0
    for low, width in sorted((low, width) for r, low, width in places.values() if r == register):
        if low > filled:
            yield filled, low - filled
        filled = low + width
    if filled < WORD:
        yield filled, WORD - filled


def _register(body: Body, places, register: int):
    """Return the 32 bits of one operand register."""
    parts = {low: body.read(f"i_{name}") for name, (r, low, _) in places.items() if r == register}
    taken = 0
    for low, width in _gaps(places, register):
        parts[low] = body.read(f"i_unused_{register}", taken + width - 1, taken)
        taken += width
    return v.concat(*(parts[low] for low in sorted(parts, reverse=True)))
