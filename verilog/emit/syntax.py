"""Verilog-2001 as a pyverilog tree: the few constructs that it prints faithfully.

Every expression here has an exact width, given by whoever builds it: operands are
extended by concatenation, slices are constant, negative constants carry their
size. Nothing else of pyverilog's code generator is trusted.
"""

from __future__ import annotations

from functools import lru_cache

import pyverilog.vparser.ast as vast
from pyverilog.ast_code_generator.codegen import ASTCodeGenerator

__all__ = ["all_of", "always", "assign", "binary", "bit", "call", "case_function", "choose",
           "comment", "concat", "constant", "element", "instance", "memory", "module_text", "name",
           "nonblocking", "port", "reg", "repeat", "signed", "slice_of", "unary", "wire"]

BINARY = {"+": vast.Plus, "-": vast.Minus, "*": vast.Times, "&": vast.And, "|": vast.Or,
          "^": vast.Xor, "==": vast.Eq, "!=": vast.NotEq, "<": vast.LessThan}
UNARY = {"~": vast.Unot, "-": vast.Uminus}


def name(identifier: str):
    """Return a reference to a wire, register or port."""
    return vast.Identifier(identifier)


def constant(value: int, width: int):
    """Return value modulo 2**width, written with its sign where that fits."""
    if value < 0 and -value <= 1 << (width - 1) and width > 1:
        return vast.Uminus(vast.IntConst(f"{width}'d{-value}"))
    return vast.IntConst(f"{width}'d{value & ((1 << width) - 1)}")


def binary(operator: str, a, b):
    """Return a operator b, both of one width."""
    return BINARY[operator](a, b)


def unary(operator: str, a):
    """Return ~a or -a."""
    return UNARY[operator](a)


def all_of(a):
    """Return the AND of all bits of a."""
    return vast.Uand(a)


def signed(a):
    """Return a, its top bit taken as a sign."""
    return vast.SystemCall("signed", [a])


def bit(identifier: str, index: int):
    """Return one bit of a vector."""
    return vast.Pointer(name(identifier), vast.IntConst(str(index)))


def slice_of(identifier: str, high: int, low: int):
    """Return bits high..low of a vector."""
    return vast.Partselect(name(identifier), vast.IntConst(str(high)), vast.IntConst(str(low)))


def concat(*parts):
    """Return the parts side by side, the most significant first."""
    return vast.Concat(list(parts))


def repeat(part, count: int):
    """Return count copies of part side by side."""
    return part if count == 1 else vast.Repeat(vast.Concat([part]), vast.IntConst(str(count)))


def choose(condition, then, otherwise):
    """Return condition ? then : otherwise."""
    return vast.Cond(condition, then, otherwise)


def call(function: str, argument):
    """Return a call of a function with one argument."""
    return vast.FunctionCall(name(function), [argument])


def wire(identifier: str, width: int):
    """Return the declaration of a wire."""
    return vast.Decl([vast.Wire(identifier, width=_width(width))])


def reg(identifier: str, width: int):
    """Return the declaration of a register."""
    return vast.Decl([vast.Reg(identifier, width=_width(width))])


def memory(identifier: str, width: int, entries: int, file: str):
    """Return the declaration of a ROM that is read from a hex file."""
    shape = vast.Dimensions([vast.Length(vast.IntConst("0"), vast.IntConst(str(entries - 1)))])
    words = vast.Reg(identifier, width=_width(width), dimensions=shape)
    load = vast.SystemCall("readmemh", [vast.StringConst(file), name(identifier)])
    return [vast.Decl([words]),
            vast.Initial(vast.Block([vast.SingleStatement(load)]))]


def element(identifier: str, index):
    """Return a word of a memory."""
    return vast.Pointer(name(identifier), index)


def assign(identifier: str, value):
    """Return a continuous assignment."""
    return vast.Assign(vast.Lvalue(name(identifier)), vast.Rvalue(value))


def port(identifier: str, width: int, output: bool = False):
    """Return a port of a module."""
    kind = vast.Output if output else vast.Input
    return vast.Ioport(kind(identifier, width=_width(width)),
                       vast.Wire(identifier, width=_width(width)))


def nonblocking(identifier: str, value):
    """Return register <= value."""
    return vast.NonblockingSubstitution(vast.Lvalue(name(identifier)), vast.Rvalue(value))


def always(statements, enable=None, reset=()):
    """Return statements at each rising edge of i_clk.

    reset holds the statements that i_rst runs instead; enable guards the others.
    """
    body = vast.Block(list(statements))
    if enable is not None:
        body = vast.IfStatement(enable, body, None)
    if reset:
        body = vast.IfStatement(name("i_rst"), vast.Block(list(reset)),
                                vast.Block([body]) if enable is not None else body)
    clock = vast.SensList([vast.Sens(name("i_clk"), type="posedge")])
    return vast.Always(clock, body if isinstance(body, vast.Block) else vast.Block([body]))


def case_function(identifier: str, width: int, index_width: int, values):
    """Return the function identifier(address) = values[address]; other indices give the
    most frequent value, which has no entry of its own."""
    default = max(set(values), key=lambda v: (values.count(v), -values.index(v)))
    arms = [vast.Case((vast.IntConst(f"{index_width}'d{i}"),), _returns(identifier, v, width))
            for i, v in enumerate(values) if v != default]
    arms.append(vast.Case(None, _returns(identifier, default, width)))
    body = vast.CaseStatement(name("address"), tuple(arms)) if len(arms) > 1 else arms[0].statement
    inputs = vast.Decl([vast.Input("address", width=_width(index_width))])
    wide = _width(width) or vast.Width(vast.IntConst("0"), vast.IntConst("0"))
    return vast.Function(identifier, wide, [inputs, vast.Block([body])])


def instance(module: str, label: str, connections):
    """Return an instance of a module, its ports connected by name."""
    ports = [vast.PortArg(p, value) for p, value in connections.items()]
    return vast.InstanceList(module, [], [vast.Instance(module, label, ports, [])])


def comment(text: str):
    """Return a comment inside a module."""
    return vast.EmbeddedCode(f"// {text}")


def module_text(identifier: str, ports, items) -> str:
    """Return the text of a module, default_nettype none inside."""
    definition = vast.ModuleDef(identifier, vast.Paramlist([]), vast.Portlist(list(ports)),
                                list(items))
    body = _printer().visit(vast.Description([definition])).strip()
    return f"`default_nettype none\n\n{body}\n\n`default_nettype wire\n"


@lru_cache(maxsize=1)
def _printer() -> ASTCodeGenerator:
    """Return the printer of all modules: a new one would compile its templates anew."""
    return ASTCodeGenerator()


def _returns(identifier: str, value: int, width: int):
    return vast.BlockingSubstitution(vast.Lvalue(name(identifier)),
                                     vast.Rvalue(constant(value, width)))


def _width(width: int):
    if width == 1:
        return None
    return vast.Width(vast.IntConst(str(width - 1)), vast.IntConst("0"))
