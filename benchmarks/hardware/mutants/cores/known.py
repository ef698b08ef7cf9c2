"""Faults that change no answer, each with its reason."""

from __future__ import annotations

import re

__all__ = ["KNOWN", "why_equal"]

# Core, files, what, why. A reason that hangs on a shape names the core; in another the fault is
# caught, or has no place.
KNOWN = (
    ("", "place", r"default: rom_region",
     "the last layer's words are logits, which have places of their own"),
    ("", "drain|issue|place", r"'d3: rom_\w+ = ", "no layer has this number"),
    ("four registers", "drain", r"number_value = ",
     "with one output at once a number goes on with its row, never with its lane"),
    ("four registers", "drain", r"rom_size = 3'd[46];? ->",
     "words beyond a layer's outputs go where a word is written before it is read"),
    ("", "issue", r"waiting < 2'd2;? -> .*waiting < 2'd3|i_drained \} -> ",
     "a tile here takes longer than its sums are drained"),
    ("", "load", r"ready = free & .* -> assign ready = free & \(held",
     "the other buffer is filled before this one's turn comes again, its last word written"),
    ("", "", r"load_granted & load_wish\), -> ",
     "the word that is taken early waits in the gatherer for the rest of its row"),
    ("lns9.4", "", r"skip_\d <= .* -> skip_\d <= 1'd0",
     "a step with the word of zero adds nothing: skipping it is the same word"),
    ("", "load", r"^held is not reset", "the word it writes then is written again, as the first"),
    ("", "issue", r"address_2 is not reset", "a layer's start sets it"),
    ("", "drain", r"final_2 is not reset", "it is read only in a row at work, which sets it"),
    ("", "load", r"(slot|held_bank|held_place|held_end|held_buffer|count_[01]|part) is not reset",
     "it is written before it is read, or of one value here"),
    ("", "send", r"(best|class_found|last_image|number) is not reset",
     "it is written before it is read"),
    ("", "drain|issue|reload",
     r"(lane|image_slot|kept|second|output_slot|bank|tile|word) is not reset",
     "it is of one value here, or at its first whenever nothing runs"),
    ("", "", r"(\w+_[1-9]|\w+_d\d+|load_wish|load_granted|\w+_now|bank_\d_write) is not reset",
     "what it takes over is reset, and acts a clock later than anything could begin"),
    ("trainer", "sequence", r"^a <= i_bank",
     "a phase's first step is that of a bias: it reads none"),
    ("trainer", "", r"12'd1024 : active;$", "no pixel is below zero, where activations differ"),
    ("trainer", "sequence", r"& 1'b1;$|^wire begins = ",
     "a row comes here every four clocks at most and is drained within three: there is room"),
    ("trainer", "weights", r"write <= state == LOAD & row_ends",
     "a row that is not whole yet is written again when it is"),
    ("trainer", "weights", r"^write is not reset",
     "the row it writes then is of a loading that did not end, and is written again"),
    ("trainer", "images", r"^write is not reset",
     "the pixel it writes then is of an image that the reset forgets, and is written again"),
    ("trainer", "drain", r"c_last = .*", "only forward phases have rows that are not full"),
    ("trainer", "drain", r" & ~gradient_moving", "the gradient written last is read last"),
)


def why_equal(subject, file: str, what: str) -> str:
    """Return why a fault changes nothing, "" where it is none of these."""
    part = file.removeprefix("core").removeprefix("_").removesuffix(".v")
    for name, files, pattern, why in KNOWN:
        if name in subject.name and re.fullmatch(files, part) and re.search(pattern, what):
            return why
    return ""
