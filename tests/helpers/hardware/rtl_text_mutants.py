"""Faults put into generated Verilog by editing its text: handshake, reset, wiring.

Each function yields (what is wrong, the design with that fault). An edit that finds
nothing to change is an error, so that no fault goes missing when the emitter changes.
"""

import re
from dataclasses import replace

RESET = r"if\(i_rst\) begin(\s+{} <= )"


def edited(design, *edits, module=-1):
    """Return a design with each (pattern, replacement) done once in the text of a module."""
    modules = list(design.modules)
    text = modules[module].text
    for pattern, new in edits:
        text, count = re.subn(pattern, new, text, count=1)
        assert count == 1, f"nothing to edit: {pattern}"
    modules[module] = replace(modules[module], text=text)
    return replace(design, modules=tuple(modules))


def pipelines(design):
    """Yield faults of a pipeline of design.latency stages; an operator inside a custom
    function unit is found there."""
    module = 0
    last = design.latency
    output = rf"assign o_valid = valid_s{last}"

    def fault(text, *edits):
        return text, edited(design, *edits, module=module)

    yield fault("o_ready stuck at 1", (r"assign o_ready = load_s1", "assign o_ready = 1'd1"))
    yield fault("o_ready stuck at 0", (r"assign o_ready = load_s1", "assign o_ready = 1'd0"))
    yield fault("o_valid waits for i_ready", (output, f"assign o_valid = valid_s{last} & i_ready"))
    yield fault("o_valid waits for an earlier i_ready", (
        output, "reg seen; always @(posedge i_clk) seen <= i_ready;\n"
                f"assign o_valid = valid_s{last} & seen"))
    yield fault("o_valid only while the first stage is full", (
        output, f"assign o_valid = valid_s{last} & valid_s1")) if last > 1 else fault(
        "o_valid inverted", (output, f"assign o_valid = ~valid_s{last}"))
    for s in range(1, last + 1):
        before = f"valid_s{s - 1}" if s > 1 else "i_valid"
        after = f"load_s{s + 1}" if s < last else "i_ready"
        moves = rf"valid_s{s} <= {before}"
        yield fault(f"valid {s} stuck at 1", (moves, f"valid_s{s} <= 1'd1"))
        yield fault(f"valid {s} stuck at 0", (moves, f"valid_s{s} <= 1'd0"))
        yield fault(f"valid {s} kept through reset", (RESET.format(f"valid_s{s}"),
                                                      r"if(1'd0) begin\1"))
        yield fault(f"valid {s} set by reset", (rf"valid_s{s} <= 1'd0", f"valid_s{s} <= 1'd1"))
        yield fault(f"valid {s} moves while it waits", (
            rf"if\(load_s{s}\) begin(\s+valid)", r"if(1'd1) begin\1"))
        yield fault(f"data {s} overwritten while it waits", (
            rf"if\(load_s{s}\) begin(\s+(?!valid|\s))", r"if(1'd1) begin\1"))
        yield fault(f"stage {s} moves on though the next one is full", (
            rf"assign load_s{s} = .*;", f"assign load_s{s} = 1'd1;"))
        yield fault(f"stage {s} never empties: answers twice", (
            rf"assign load_s{s} = .*;", f"assign load_s{s} = ~valid_s{s};"))
        yield fault(f"stage {s} waits although it is empty", (
            rf"assign load_s{s} = .*;", f"assign load_s{s} = valid_s{s} & {after};"))


def skipped_registers(design):
    """Yield a pipeline for each stage one of whose registers is left out."""
    text = design.modules[0].text
    for s in range(1, design.latency + 1):
        register, source = re.search(rf"(\w+_s{s}) <= (\w+);\n(?!.*valid)",
                                     re.sub(r"valid_s\d+ <=", "", text)).groups()
        lines = [line if re.search(rf"reg .*{register};|{register} <=", line)
                 else re.sub(rf"\b{register}\b", source, line) for line in text.split("\n")]
        assert "\n".join(lines) != text
        yield f"register {register} left out", replace(design, modules=(
            replace(design.modules[0], text="\n".join(lines)), *design.modules[1:]))


def machines(design):
    """Yield faults of a machine: a MAC unit, a binary neuron."""
    register = next(iter(design.state))
    text = design.top.text
    held = re.findall(r"reg(?: \[\d+:0\])? (\w+_held);", text)[0]
    output = r"assign o_valid = answered"

    def fault(text, *edits):
        return text, edited(design, *edits)

    yield fault("o_ready stuck at 1", (r"assign o_ready = .*;", "assign o_ready = 1'd1;"))
    yield fault("o_ready stuck at 0", (r"assign o_ready = .*;", "assign o_ready = 1'd0;"))
    yield fault("takes words only with i_ready", (
        r"assign o_ready = .*;", "assign o_ready = i_ready;"), (
        r"assign step = .*;", "assign step = i_valid & i_ready;"))
    yield fault("o_valid stuck at 1", (output, "assign o_valid = 1'd1"))
    yield fault("o_valid stuck at 0", (output, "assign o_valid = 1'd0"))
    yield fault("o_valid waits for i_ready", (output, "assign o_valid = answered & i_ready"))
    yield fault("takes a step while an answer waits", (r"assign step = .*;",
                                                       "assign step = i_valid;"))
    yield fault("takes words that are not valid", (r"assign step = i_valid & ", "assign step = "))
    yield fault("the answer goes while it waits", (r"answered & ~i_ready;", "1'd0;"))
    yield fault("the answer never goes", (r"answered & ~i_ready;", "answered;"))
    yield fault("the answer is overwritten", (rf"if\(step & done\) begin(\s+{held})",
                                              r"if(1'd1) begin\1"))
    yield fault("answers before the last word", (r"assign done = .*;", "assign done = 1'd1;"))
    yield fault("never answers", (r"assign done = .*;", "assign done = 1'd0;"))
    yield fault("start ignored", (r"i_start\)\?", "1'd0)?"))
    yield fault("always starts", (r"i_start\)\?", "1'd1)?"))
    yield fault("a sum moves while it waits", (rf"if\(step\) begin(\s+{register})",
                                               r"if(i_valid) begin\1"))
    yield fault("a sum is kept through reset", (RESET.format(register), r"if(1'd0) begin\1"))
    yield fault("an answer is kept through reset", (RESET.format("answered"),
                                                    r"if(1'd0) begin\1"))
    yield fault("another sum after reset", (rf"({register} <= -?\d+'d)(\d+);", r"\g<1>1;"))


def units(design):
    """Yield faults of the module Cfu around a pipeline, and of what is around that."""
    def fault(text, *edits, module=-2):
        return text, edited(design, *edits, module=module)

    yield fault("the response has no sign", (r"\{ \{ (\d+)\{ word\[\d+\] \} \}, word \}",
                                             r"{ \1'd0, word }"))
    yield fault("the response is a bit too high", (r"(rsp_payload_outputs_0 = )\{ \{ (\d+)\{",
                                                   r"\1 2 * { { \2{"))
    yield fault("the function id matters", (r"(\.i_valid\()cmd_valid", r"\1cmd_valid & "
                                            "(cmd_payload_function_id == 10'd0)"))
    yield fault("unused bits matter", (r"(\.i_x\()(cmd_payload_inputs_0\[\d+:0\])",
                                       r"\1\2 | cmd_payload_inputs_0[31]"))
    yield fault("operands exchanged", (r"(\.i_x\()cmd_payload_inputs_0", r"\1cmd_payload_inputs_1"))
    yield fault("cmd_ready stuck at 1", (r"\.o_ready\(cmd_ready\)", ".o_ready()"),
                (r"assign rsp", "assign cmd_ready = 1'd1;\n  assign rsp"))
    yield fault("rsp_ready not looked at", (r"\.i_ready\(rsp_ready\)", ".i_ready(1'd1)"))
    yield fault("never reset", (r"\.i_rst\(reset\)", ".i_rst(1'd0)"))
    yield fault("the adapter does not wait", (r"\.rsp_ready\(i_ready\)", ".rsp_ready(1'd1)"),
                module=-1)
    yield fault("the adapter gives no reset", (r"\.reset\(i_rst\)", ".reset(1'd0)"), module=-1)


def output_arrays(design):
    """Yield faults in the wiring of an array of 2 x 2 elements whose sums stay."""
    def fault(text, *edits):
        return text, edited(design, *edits)

    yield from _arrays(fault)
    yield fault("an answer of another row", (r"\{ \d+\{ done_0 \} \} & out_0_1",
                                             "out_1_1"))
    yield fault("columns of the answer exchanged", (
        r"assign o_out = \{ (.*), (.*) \};", r"assign o_out = { \2, \1 };"))
    yield fault("an operand not delayed", (r"\.i_b\(b_1_d1\)", ".i_b(b_1)"))
    yield fault("an element gets the operand of another row", (r"\.i_a\(a_1_d1\)", ".i_a(a_0)"))
    yield fault("an element gets the operand of another column", (r"\.i_b\(b_0_1\)",
                                                                  ".i_b(b_0_0)"))
    yield fault("start of another row", (r"\.i_start\(start_row_1\)", ".i_start(i_start)"))
    yield fault("last not delayed", (r"\.i_last\(last_row_1\)", ".i_last(i_last)"))
    yield fault("valid of another row", (r"\.i_valid\(valid_row_1\)", ".i_valid(accepted)"))
    yield fault("rows too close", (r"\? 2'd1 :", "? 2'd0 :"))
    yield fault("rows further apart than said", (r"\? 2'd1 :", "? 2'd3 :"))
    yield fault("spacing kept through reset", (RESET.format("wait_for_rows"),
                                               r"if(1'd0) begin\1"))
    yield fault("a flag kept through reset", (RESET.format("valid_row_1"), r"if(1'd0) begin\1"))
    yield fault("lasts are not spaced", (r"assign spaced = .*;", "assign spaced = 1'd1;"))


def weight_arrays(design):
    """Yield faults in the wiring of an array of 2 x 2 elements whose weights stay."""
    def fault(text, *edits):
        return text, edited(design, *edits)

    yield from _arrays(fault)
    yield fault("columns of the answer exchanged", (
        r"assign o_out = \{ (.*), (.*) \};", r"assign o_out = { \2, \1 };"))
    yield fault("a column of the answer not delayed", (r"word_0_d1 \};", "word_0 };"))
    yield fault("an operand not delayed", (r"\.i_a\(a_1_d1\)", ".i_a(a_1)"))
    yield fault("a weight of another column", (r"\.i_w\(w_1_d1\)", ".i_w(w_0)"))
    yield fault("a weight not passed down", (r"\.i_w\(w_0_0\)", ".i_w(w_0)"))
    yield fault("a sum of another column", (r"(\.i_\w+\()(\w+)_0_1\)(.*\n.*\.o_load\(load_1_1)",
                                            r"\1\2_0_0)\3"))
    yield fault("swap of another row", (r"\.i_swap\(swap_row_1\)", ".i_swap(swap_now)"))
    yield fault("load of another row", (r"\.i_load\(load_row_1\)", ".i_load(load_now)"))
    yield fault("an init not delayed", (r"\.i_init\(init_1_d1\)", ".i_init(init_1)"))
    yield fault("go of another row", (r"assign o_valid = go_1_1", "assign o_valid = go_0_1"))
    yield fault("a flag kept through reset", (RESET.format("go_row_1"), r"if(1'd0) begin\1"))


def _arrays(fault):
    yield fault("o_ready stuck at 1", (r"assign o_ready = \w+;", "assign o_ready = 1'd1;"))
    yield fault("o_ready stuck at 0", (r"assign o_ready = \w+;", "assign o_ready = 1'd0;"))
    yield fault("o_valid waits for i_ready", (r"assign o_valid = (\w+);",
                                              r"assign o_valid = \1 & i_ready;"))
    yield fault("moves while an answer waits", (r"assign enable = .*;", "assign enable = 1'd1;"))
    yield fault("moves only when taken", (r"assign enable = .*;", "assign enable = i_ready;"))
    yield fault("an operand moves while an answer waits", (
        r"if\(enable\) begin(\s+a_1_d1)", r"if(1'd1) begin\1"))
    yield fault("takes words that are not valid", (r"assign accepted = i_valid & ",
                                                   "assign accepted = "))
    yield fault("an element is not reset", (r"\.i_rst\(i_rst\)", ".i_rst(1'd0)"))
    yield fault("an element does not wait", (r"\.i_enable\(enable\)", ".i_enable(1'd1)"))
