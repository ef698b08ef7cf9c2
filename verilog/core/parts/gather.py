"""Words, one after the other, gathered into a row that is written at once."""

from __future__ import annotations

from verilog.core.parts.text import banner
from verilog.core.parts.wiring import Wiring, wired
from verilog.emit import syntax as v
from verilog.emit.module import CLOCK, Module, Port

__all__ = ["gatherer"]


def gatherer(name: str, bits: int, words: int) -> Module:
    """Return the module: the first word of a row comes to its lowest bits.

    o_full is 1 in the clock after the row's last word, when o_row is the row.
    """
    ports = (*CLOCK, Port("i_valid", 1), Port("i_word", bits), Port("o_full", 1, True),
             Port("o_row", bits * words, True))
    body = Wiring(ports)
    row = body.reg("row", bits * words)
    word = body.read("i_word")
    moved = word if words == 1 else v.concat(word, body.read(row, bits * words - 1, bits))
    if words > 1:
        body.read(row)
    body.add(v.always([v.nonblocking(row, moved)], enable=body.read("i_valid")))
    last = body.read("i_valid")
    if words > 1:
        wide = (words - 1).bit_length()
        count = body.reg("count", wide)
        end = body.wire("end_of_row", 1, v.binary("==", body.read(count),
                                                  v.constant(words - 1, wide)))
        following = v.choose(body.read(end), v.constant(0, wide),
                             v.binary("+", body.read(count), v.constant(1, wide)))
        body.add(v.always([v.nonblocking(count, following)], enable=body.read("i_valid"),
                          reset=[v.nonblocking(count, v.constant(0, wide))]))
        last = v.binary("&", last, body.read(end))
    full = body.register("full", 1, last, reset=0)
    body.add(v.assign("o_full", body.read(full)), v.assign("o_row", body.read(row)))
    return wired(name, banner(name, f"{words} words of {bits} bits become a row"), ports, body)
