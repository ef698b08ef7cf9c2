"""Designs with a fault: modules of the same ports around, or in the place of, a right one."""

import re
from dataclasses import replace

from verilog.catalogue import design
from verilog.emit.module import Module


def wrapped(right, extra="", **connections):
    """Return a design whose top module holds the right one; connections replace what
    the inner ports are tied to, extra adds items."""
    name = right.name
    inner = replace(right.top, name=f"{name}_inner",
                    text=re.sub(rf"\bmodule {name}\b", f"module {name}_inner", right.top.text))
    lines = ",\n".join(f"  {'output' if p.output else 'input'} wire [{p.width - 1}:0] {p.name}"
                       for p in right.top.ports)
    tied = ", ".join(f".{p.name}({connections.get(p.name, p.name)})" for p in right.top.ports)
    text = f"module {name}\n(\n{lines}\n);\n{extra}\n{name}_inner inner({tied});\nendmodule\n"
    return replace(right, modules=(*right.modules[:-1], inner, Module(name, right.top.ports, text)))


def rewritten(right, body):
    """Return a design whose top module has another body."""
    text = re.sub(r"\);\n.*endmodule", f");\n{body}\nendmodule", right.top.text, flags=re.DOTALL)
    return replace(right, modules=(*right.modules[:-1], replace(right.top, text=text)))


def one_table_word_off(right, entry=2):
    """Return a design with another word in one entry of its first table."""
    words = list(re.finditer(r": rom_\w+ = (-?)(\d+)'d(\d+);", right.top.text))
    start, end = words[entry].span(3)
    text = right.top.text
    text = text[:start] + str(int(words[entry][3]) + 1) + text[end:]
    return replace(right, modules=(*right.modules[:-1], replace(right.top, text=text)))


def with_text(right, old, new):
    """Return a design with the first `old` in the text of its modules replaced."""
    for k, module in enumerate(right.modules):
        if old in module.text:
            changed = replace(module, text=module.text.replace(old, new, 1))
            return replace(right, modules=(*right.modules[:k], changed, *right.modules[k + 1:]))
    raise AssertionError(f"there is no {old!r} in {right.name}")


ADD = design("lns-add", "lns9.4", {}, 2)
DATA = f"wire [{ADD.top.ports[-1].width - 1}:0] inner_out;"

# Each leaves the words themselves right.
HANDSHAKES = {
    "loses answers that wait": wrapped(ADD, i_ready="1'b1"),
    "accepts nothing": wrapped(ADD, "assign o_ready = 1'b0;", o_ready="", i_valid="1'b0"),
    "changes an answer that waits": wrapped(
        ADD, f"{DATA} reg late; always @(posedge i_clk) late <= o_valid & ~i_ready;"
        "assign o_out = late ? ~inner_out : inner_out;", o_out="inner_out"),
    "answers twice": wrapped(
        ADD, "wire ready; reg again; initial again = 1'b0; assign ready = i_ready & again;"
        "always @(posedge i_clk) again <= o_valid & i_ready & ~again;", i_ready="ready"),
    "answers once more at the end": wrapped(
        ADD, "wire valid; reg [2:0] idle; assign o_valid = valid | (idle == 3'd6);"
        "always @(posedge i_clk) idle <= (i_rst | i_valid | valid) ? 3'd0 :"
        "(idle == 3'd7) ? 3'd7 : idle + 3'd1;", o_valid="valid"),
    "withdraws an answer for a cycle": wrapped(
        ADD, "wire valid; reg waited; assign o_valid = valid & ~waited;"
        "always @(posedge i_clk) waited <= o_valid & ~i_ready & ~i_rst;", o_valid="valid",
        i_ready="i_ready & ~waited"),
    "takes words that are not valid": wrapped(ADD, i_valid="1'b1"),
    "waits for ready before it gives an answer": wrapped(
        ADD, "wire valid; assign o_valid = valid & i_ready;", o_valid="valid"),
    "waits for a cycle of ready before it gives an answer": wrapped(
        ADD, "wire valid; reg seen; always @(posedge i_clk) seen <= i_ready & ~i_rst;"
        "assign o_valid = valid & seen;", o_valid="valid", i_ready="i_ready & seen"),
}
# All answers are right, in order and in time: it only takes fewer words than it has room for.
BUBBLES = with_text(ADD, "load_s1 = ~valid_s1 | load_s2", "load_s1 = load_s2")
# Only the reset in the middle of a stream meets a waiting answer.
HALF_RESET = wrapped(ADD, i_rst="i_rst & (o_valid !== 1'b1)")


UNIT = design("fixed-mac-unit", "fixed9.4")
CFU = design("fixed-mac", "fixed9.4", as_cfu=True)

# A sum that goes on after a reset begins at zero.
KEPT_SUM = with_text(UNIT, "register <= 28'd0;", "")
RESPONSES = {
    "the response without its sign": with_text(CFU, "{ { 23{ word[8] } }, word }",
                                               "{ 23'd0, word }"),
    "the function id looked at": with_text(CFU, ".i_valid(cmd_valid)",
                                           ".i_valid(cmd_valid & ~&cmd_payload_function_id)"),
    "an unused bit looked at": with_text(CFU, ".i_x(cmd_payload_inputs_0[8:0])",
                                         ".i_x(cmd_payload_inputs_0[9:1])"),
}
