"""What a hand might do wrong in a sequencer or a memory: edits of Verilog, by kind.

A rule has the kind, the files, a pattern in a line and what stands there instead. Each match
is a fault of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

__all__ = ["CORE", "KINDS", "TRAINER", "Rule", "faults_of"]

KINDS = ("address off by one", "bank swapped", "layer size off", "missing wait",
         "activation skipped", "interleave off", "reset not clearing", "read before written")
ADDRESS, BANK, SIZE, WAIT, ACTIVATION, INTERLEAVE, RESET, UNWRITTEN = KINDS
# Comments, ports, and what a table gives where no phase asks.
SKIPPED = re.compile(r"^\s*(//|`|input|output|\(\* |(c_\w+|rows_1|tiles_1|last_1) = )|unused")


class Rule(NamedTuple):
    """files is a pattern of their names without the core's own; a fault replaces group 0."""

    kind: str
    files: str
    pattern: str
    instead: str | Callable[[re.Match], str]


def _other(match: re.Match) -> str:
    """Return a match with its last group, a number of group 2 bits, one higher or lower."""
    bits, value = int(match[2]), int(match[3])
    new = value - 1 if value + 1 >= 1 << bits or value % 2 and value > 1 else value + 1
    return f"{match[1]}{bits}'d{new}"


def _odd(match: re.Match) -> str:
    """Return a match with the lowest bit of its number inverted."""
    return f"{match[1]}{match[2]}'d{int(match[3]) ^ 1}"


def _before(match: re.Match) -> str:
    """Return a register of a delay that takes what the one before it takes."""
    number = int(match[3]) - 1
    return f"{match[1]}{match[2]} <= {match[1]}{number}" if number else match[0]


SIZES = r"(?:last_\w+|size|outputs|channel|dx|dy|height|width|top|left|back|line|under|next|down)"
MEMORIES = "bank|weights|logits|sums|bits|pooling"
TRAINED = "inputs|values|rows|gradients|banks"
CORE = (
    Rule(ADDRESS, r"", r"\.i_(read|write)_address\((?!\d)([^()]+)\)", r".i_\1_address(\2 + 1)"),
    Rule(ADDRESS, r"issue|drain|place|parameter_place",
         r"(rom_(?:base|region|start) = )(\d+)'d(\d+)", _other),
    Rule(ADDRESS, r"issue|load|drain|send|reload",
         r"(assign (?:address|row|place|number|tile_number|row_number|written|kept)_value = .*\+ )"
         r"(\d+)'d(\d+)", _other),
    Rule(ADDRESS, MEMORIES, r"\[i_read_address", "[i_write_address"),
    Rule(BANK, r"", r"((?:hidden|pixel)_bank == )(\d+)'d(\d+)", _odd),
    Rule(BANK, r"load|issue", r"\((i_reading|buffer)\)\? ([\w']+) : ([\w']+)", r"(\1)? \3 : \2"),
    Rule(BANK, r"load", r"((?:held_buffer|i_reading|buffer) == )(\d+)'d(\d+)", _odd),
    Rule(BANK, r"issue", r"buffer & layer_is_0", "layer_is_0"),
    Rule(BANK, r"load|issue", r"= buffer \^ \w+", "= buffer"),
    Rule(BANK, r"drain|load", r"(assign bank_\w+ = bank == )(\d+)'d(\d+)", _other),
    Rule(SIZE, r"issue|drain", rf"(rom_{SIZES} = )(\d+)'d(\d+)", _other),
    Rule(SIZE, r"load", r"(pixel == )(\d+)'d(\d+)", _other),
    Rule(SIZE, r"issue|drain", r"(layer == )(\d+)'d(\d+)", _other),
    Rule(SIZE, r"issue|reload|drain|send|load", r"((?:row|number|written|word|image|rows) == )"
         r"(\d+)'d(\d+)", _other),
    Rule(WAIT, r"issue", r"i_full & ", ""),
    Rule(WAIT, r"issue", r"\(i_loading \^ 1'd1\)", "1'd1"),
    Rule(WAIT, r"issue", r"waiting == 2'd0", "1'd1"),
    Rule(WAIT, r"issue", r"(waiting < )(\d+)'d(\d+)", _other),
    Rule(WAIT, r"issue", r"\? i_sending : ", "? 1'd0 : "),
    Rule(WAIT, r"issue", r"ready & run_xor_1", "run_xor_1"),
    Rule(WAIT, r"issue|load|drain|reload|send",
         r"\b(i_drained|i_blocked|free|i_idle|i_released|i_caught|take)\b(?= [&|^] | \})", "1'd1"),
    Rule(WAIT, r"load", r" & \(ending \^ 1'd1\)", ""),
    Rule(WAIT, r"send", r"i_ready & ", ""),
    Rule(WAIT, r"drain", r"~\(rows == \d+'d0\) & ", ""),
    Rule(WAIT, r"drain", r"\(row_ends \| busy \^ 1'd1\)", "1'd1"),
    Rule(WAIT, r"", r"idle & load_wish", "load_wish"),
    Rule(WAIT, r"", r"\.i_idle\(load_granted & load_wish\)", ".i_idle(load_granted)"),
    Rule(WAIT, r"", r"load_wish <= reload_loading", "load_wish <= 1'd0"),
    Rule(ACTIVATION, r"active|finish", r"assign o_o?(_?\w*) = (\w+)",
         lambda m: f"assign o_o{m[1]} = 0"),
    Rule(ACTIVATION, r"active", r"assign o_o(_level|_sign|) = [^;]+", r"assign o_o\1 = i_x\1"),
    Rule(ACTIVATION, r"", r"(skip_\d <= ).*;", r"\g<1>1'd0;"),
    Rule(ACTIVATION, r"", r"(skip_\d <= ).*;", r"\g<1>1'd1;"),
    Rule(ACTIVATION, r"", r"active_o(_level|_sign|)\b(?=[\[ ,}])", r"finish_o\1"),
    Rule(INTERLEAVE, r"issue|drain", r"((?:output|image)_slot == )(\d+)'d(\d+)", _other),
    Rule(INTERLEAVE, r"", r"((?:first|fresh|last|outside|drain)_\w*d)(\d+) <= \1(\d+)", _before),
    Rule(INTERLEAVE, r"", r"\(fresh_1_d2\)\? (\w+) : \{ ([^,]+), ([^}]+) \}",
         r"(fresh_1_d2)? \1 : { \3, \2 }"),
    Rule(INTERLEAVE, r"lane", r"(\w+_d)(\d+) <= \1(\d+)", _before),
    Rule(INTERLEAVE, r"issue", r"assign run_and_eq = run & ", "assign run_and_eq = "),
    Rule(UNWRITTEN, MEMORIES, r"if \((i_write[^)]*)\)",
         r"if (!(\1))"),
    Rule(UNWRITTEN, r"bank|weights|logits", r"if \(i_read\) ", "if (i_write) "),
    Rule(UNWRITTEN, r"issue", r"(assign run_and_step_is_0 = )run & step_is_0", r"\g<1>1'd0"),
    Rule(UNWRITTEN, r"load", r"assign filled = held_end & writes", "assign filled = ends"),
    Rule(UNWRITTEN, r"issue", r"(assign layer_ends = tile_ends) & .*;", r"\1;"),
    Rule(UNWRITTEN, r"", r"\.i_(write|read)\((?!1'd0)([^()]+)\)", r".i_\1(1'd0)"),
    Rule(UNWRITTEN, r"gather", r"i_word, ", "row[0], "),
)

CONSTANTS = r"\b(c_{0} = )(\d+)'d(\d+)"
TRAINER = (
    Rule(ADDRESS, r"", r"\.i_(read|write)_address\(([^()]+)\)", r".i_\1_address(\2 + 1)"),
    Rule(ADDRESS, r"sequence|drain", CONSTANTS.format("(?:w|a|b|g|e|r|q)"), _other),
    Rule(ADDRESS, r"sequence", CONSTANTS.format("(?:wx|wy|ws|ax|ay|as|gx|gy|gs)"), _other),
    Rule(ADDRESS, r"drain", CONSTANTS.format("(?:ex|ey|ed|rx|rd)"), _other),
    Rule(ADDRESS, r"drain|softmax|weights|images",
         r"(\b(?:next_weights|written|address|next_q|next_r|row|base) \+ )(\d+)'d(\d+)", _other),
    Rule(BANK, r"sequence|images", r"(i_bank|fills|bank) \? ([\w'@]+) : ([\w']+)", r"\1 ? \3 : \2"),
    Rule(BANK, r"", r"(gradient_(?:bank|word) == )(\d+)'d(\d+)", _odd),
    Rule(BANK, r"images", r"(fills|bank) <= ~fills", r"\1 <= fills"),
    Rule(BANK, r"softmax", r"(bank == )(\d+)'d(\d+)", _other),
    Rule(SIZE, r"sequence|drain", CONSTANTS.format("(?:x|y|s|xs|ys|last)"), _other),
    Rule(SIZE, r"weights", r"\b((?:rows_1|tiles_1|last_1) = )(\d+)'d(\d+)", _other),
    Rule(SIZE, r"images|softmax|weights|sequence",
         r"(\b(?:pixel|logit|left|second|layer|image \+ \d+'d\d+|lane|phase|in_group) == )"
         r"(\d+)'d(\d+)", _other),
    Rule(WAIT, r"sequence", r"flight == \d+'d0 & i_drained", "i_drained"),
    Rule(WAIT, r"sequence", r"(flight == \d+'d0) & i_drained", r"\1"),
    Rule(WAIT, r"sequence", r"\(~begins \| room\)", "1'b1"),
    Rule(WAIT, r"sequence", r"if \(i_(seeded|go)\)", "if (1'b1)"),
    Rule(WAIT, r"sequence", r"\? i_softmax_done :", "? 1'b1 :"),
    Rule(WAIT, r"drain", r"i_any & ", ""),
    Rule(WAIT, r"drain", r"\(~busy \| last\)", "1'b1"),
    Rule(WAIT, r"drain", r" & ~(\w+_any|row_done|gradient_moving)", ""),
    Rule(WAIT, r"softmax", r"(?<=[( ])wait_for == \d+'d0(?=[) &])", "1'b1"),
    Rule(WAIT, r"images", r"i_valid & ~full", "i_valid"),
    Rule(WAIT, r"", r"(order_idle|images_any|~host_busy|~i_read|~i_weight_valid) & |"
         r" & (~i_weight_valid)(?=;)", ""),
    Rule(WAIT, r"weights", r"(wanted \| i_read|i_idle|i_valid|i_ready) & ", ""),
    Rule(ACTIVATION, r"active", r"assign o_o(_level|_sign|) = [^;]+", r"assign o_o\1 = i_x\1"),
    Rule(ACTIVATION, r"", r"first_layer \? value : active", "value"),
    Rule(ACTIVATION, r"", r"first_layer \? value : active", "active"),
    Rule(ACTIVATION, r"", r"one \? [^:]+ : ", ""),
    Rule(ACTIVATION, r"", r"~valid \| load \| ", ""),
    Rule(INTERLEAVE, r"sequence", r"(slot == )(\d+)'d(\d+)", _other),
    Rule(INTERLEAVE, r"", r"\.i_write\(ends_(\d+)\)",
         lambda m: f".i_write({f'ends_{int(m[1]) - 1}' if m[1] != '1' else 'lane_ends'})"),
    Rule(INTERLEAVE, r"sequence", r"\b(x|w|a|g) <= first_\1;", r"\1 <= \1;"),
    Rule(INTERLEAVE, r"sequence", r"first_(x|w|a|g) <= next_\1;", r"first_\1 <= first_\1;"),
    Rule(INTERLEAVE, r"drain|softmax|step", r"\b(\w+_)(\d+) <= \1(\d+)(?= &|;)", _before),
    Rule(INTERLEAVE, r"lane", r"i_first \? ", "1'b0 ? "),
    Rule(UNWRITTEN, f"{TRAINED}|queue", r"if \(i_write\) ", "if (!i_write) "),
    Rule(UNWRITTEN, TRAINED, r"if \(i_read\) ", "if (i_write) "),
    Rule(UNWRITTEN, r"", r"\.i_(write|read)\((?!1'd0)([^()]+)\)", r".i_\1(1'b0)"),
    Rule(UNWRITTEN, r"sequence", r"first <= issue & step == \d+'d0", "first <= 1'b0"),
    Rule(UNWRITTEN, r"sequence", r"load <= kind == FORWARD & step == \d+'d0", "load <= 1'b0"),
    Rule(UNWRITTEN, r"queue", r"newest != oldest", "1'b1"),
    Rule(UNWRITTEN, r"softmax", r"if \(arrives & first\) sum <= term;", ""),
    Rule(UNWRITTEN, r"images", r"if \(image_ends\) labels", "if (batch_ends) labels"),
)


def faults_of(texts: dict[str, str], name: str, rules: tuple[Rule, ...]
              ) -> Iterator[tuple[str, str, str, str]]:
    """Yield kind, file, what and the file's text with one fault, for texts of modules by file."""
    for kind, files, pattern, instead in rules:
        wanted = re.compile(rf"{name}_({files})\.v" if files else rf"{name}\.v")
        for file in (f for f in texts if wanted.fullmatch(f)):
            for line in re.finditer(r"^.*$", texts[file], re.M):
                if not SKIPPED.search(line[0]):
                    yield from _of_line(kind, file, texts[file], line, pattern, instead)
    for file, text in texts.items():
        yield from _resets(file, text)


def _of_line(kind: str, file: str, text: str, line: re.Match, pattern: str, instead):
    for match in re.finditer(pattern, line[0]):
        new = instead(match) if callable(instead) else match.expand(instead)
        if new != match[0]:
            changed = line[0][:match.start()] + new + line[0][match.end():]
            yield kind, file, f"{line[0].strip()} -> {changed.strip()}", (
                text[:line.start()] + changed + text[line.end():])


def _resets(file: str, text: str):
    """Yield the text with each register left out of the reset."""
    for block in re.finditer(r"if ?\(i_rst\) begin\n(.*?)\n +end", text, re.S):
        for line in re.finditer(r"^ +(\w+) <= [^;]*;$", block[1], re.M):
            start, end = block.start(1) + line.start(), block.start(1) + line.end()
            yield RESET, file, f"{line[1]} is not reset", text[:start] + text[end:]
    for short in re.finditer(r"^ +if \(i_rst\) (\w+) <= [^;]*;\n +else ", text, re.M):
        yield RESET, file, f"{short[1]} is not reset", text[:short.start()] + text[short.end():]
    for gate in re.finditer(r"^.*?(\w+) <= [^;\n]*?( & ~i_rst)", text, re.M):
        yield RESET, file, f"{gate[1]} is not reset", text[:gate.start(2)] + text[gate.end(2):]
