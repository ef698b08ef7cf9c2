"""What custom function units are made of: sums of products, lanes of them, requantising."""

from __future__ import annotations

from collections.abc import Mapping

from fxp.spec import rescale
from fxp.trace.bits import clamp, maximum, minimum
from verilog.units.cfu.commands import Command, Operand, packed, word_of
from verilog.units.macs import Mac

__all__ = ["RESCALE", "RESCALE_STATE", "fire", "mac_commands", "sum_state"]

RESCALE_STATE = {"positive": (0, (1 << 31) - 1), "negative": (0, (1 << 31) - 1)}


def sum_state(mac: Mac) -> tuple[dict[str, tuple[int, int]], dict[str, int]]:
    """Return the registers of a sum with their ranges, and their values after a reset."""
    return dict(mac.state), dict(zip(mac.state, mac.zero))


def mac_commands(mac: Mac, lanes: int = 1) -> list[Command]:
    """Return reset, set, accumulate and read of a sum; with lanes, accumulate takes so many
    words side by side in each operand, the first in the lowest bits, one after the other."""
    a, b, out = mac.bits("a"), mac.bits("b"), mac.bits("out")

    def own(state: Mapping) -> tuple:
        return tuple(state[k] for k in mac.state)

    def changed(total: tuple) -> dict:
        return dict(zip(mac.state, total))

    def accumulate(x, y, state):
        total = own(state)
        products = [mac.leaf(word_of(x >> k * a, *mac.a.words), word_of(y >> k * b, *mac.b.words))
                    for k in range(lanes)]
        while len(products) > 1:  # a balanced tree
            products = [mac.combine(*products[k : k + 2]) if len(products[k : k + 2]) == 2
                        else products[k] for k in range(0, len(products), 2)]
        return changed(mac.combine(total, products[0])), 0

    words = (f"{lanes} words {mac.a}" if lanes > 1 else f"word {mac.a}",
             f"{lanes} words {mac.b}" if lanes > 1 else f"word {mac.b}")
    return [
        Command("reset", "the sum becomes zero", 0, (),
                lambda x, y, s: (changed(mac.zero), 0)),
        Command("set", "the sum becomes a word", 1, (Operand("word", 0, out, 0, str(mac.out)),),
                lambda x, y, s: (changed(mac.start(word_of(x, *mac.out.words))), 0)),
        Command("accumulate", "the sum grows by a product" if lanes == 1 else
                f"the sum grows by {lanes} products", 2,
                (Operand("a", 0, a * lanes, 0, words[0]), Operand("b", 1, b * lanes, 0, words[1])),
                accumulate),
        Command("read", "the sum, rounded to a word", 3, (),
                lambda x, y, s: ({}, mac.finish(own(s))), str(mac.out)),
    ]


def fire(mac: Mac) -> Command:
    """Return the comparison of a count with a threshold: a neuron of +-1."""

    def apply(x, y, state):
        return {}, mac.finish(tuple(state[k] for k in mac.state)) >= x

    return Command("fire", "1 if the sum reaches a threshold, else 0", 4,
                   (Operand("threshold", 0, mac.out.bits, 0, str(mac.out)),), apply, "1 or 0")


def _scaled(x, y, state):
    total = word_of(x, -(1 << 31), (1 << 31) - 1)
    return rescale(total, state["positive"], state["negative"], packed(y, 0, 6))


def _rescaled(x, y, state):
    zero, low, high = (packed(y, at, 8, True) for at in (8, 16, 24))
    return {}, minimum(maximum(_scaled(x, y, state) + zero, low), high)


def _score(x, y, state):
    return {}, clamp(_scaled(x, y, state), -(1 << 15), (1 << 15) - 1)


SUM = Operand("sum", 0, 32, 0, "two's complement")
SHIFT = Operand("shift", 1, 6, 0, "0..61, the scale's exponent less one")
RESCALE = [
    Command("scale", "the multipliers of sums from zero on and of negative ones", 4,
            (Operand("positive", 0, 31), Operand("negative", 1, 31)),
            lambda x, y, s: ({"positive": packed(x, 0, 31), "negative": packed(y, 0, 31)}, 0)),
    Command("rescale", "clamp(zero + (sum m + 2^shift >> shift + 1), low, high)", 5,
            (SUM, SHIFT, Operand("zero", 1, 8, 8, "two's complement"),
             Operand("low", 1, 8, 16, "the same"), Operand("high", 1, 8, 24, "the same")),
            _rescaled, "a word of 8 bits, two's complement"),
    Command("score", "the same with zero 0, clamped to 16 bits", 6, (SUM, SHIFT), _score,
            "a word of 16 bits, two's complement"),
]
