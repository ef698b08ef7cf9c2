"""Laws that operators keep, as functions over words that give 1 where they hold.

A law is traced together with the operator's own circuit, so what is proved is proved
of what is compiled and printed. Only laws that hold are listed, with the words for
which they do; lns words are ordered by `order_key`, and zero with its sign bit set
is the same number as zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fxp import spec as fixed
from fxp.trace.bits import maximum, minimum, where
from lnsarith.lns import spec as lns

__all__ = ["LAWS", "Law", "laws_of"]


@dataclass(frozen=True)
class Law:
    """A statement about an operator.

    holds(op, w, f) returns 1 where the law holds for the words w; op(x=..., y=...) is
    the operator. more adds ports that have the range of others; needs says of which
    option which value the law depends on.
    """

    name: str
    statement: str
    holds: Callable[[Callable, Any, Any], Any]
    more: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)


def laws_of(operator, f, options: Mapping) -> list[Law]:
    """Return the laws that an operator keeps with these options."""
    settings = {k: str(v) for k, v in operator.settings(options).items()}
    if settings.get("rounding") == "stochastic":
        return []
    return [law for law in (*LAWS.get(operator.name, ()), *operator.laws)
            if all(settings.get(k, v) == v for k, v in law.needs.items())]


def _implies(condition, conclusion):
    return where(condition, conclusion, 1)


def _plain(x, f):
    """Return the word x, zero without its sign bit."""
    return lns.pack(lns.unpack(x, f), f)


def _not_low(x, f):
    return x > f.low


COMMUTES = Law("commutes", "f(x, y) = f(y, x)",
               lambda op, w, f: op(x=w.x, y=w.y) == op(x=w.y, y=w.x))
MAC_COMMUTES = Law("commutes", "f(acc, x, y) = f(acc, y, x)",
                   lambda op, w, f: op(acc=w.acc, x=w.x, y=w.y) == op(acc=w.acc, x=w.y, y=w.x))
SATURATES = {"overflow": "saturate"}


def _monotone(key: Callable, statement: str = "x <= z implies f(x) <= f(z)", needs=None,
              result: Callable | None = None) -> Law:
    """Return the law of an operator with the operand x alone, or with others the same."""
    def holds(op, w, f):
        others = {k: v for k, v in w.items() if k not in ("x", "z")}
        after = result or key
        return _implies(key(w.x, f) <= key(w.z, f),
                        after(op(x=w.x, **others), f) <= after(op(x=w.z, **others), f))

    return Law("monotone", statement, holds, {"z": "x"}, needs or {})


def _number(x, f):
    return x


def _of_positive(law_key, positive) -> Law:
    def holds(op, w, f):
        ordered = (law_key(w.x, f) <= law_key(w.z, f)) & positive(w.y, f)
        return _implies(ordered, law_key(op(x=w.x, y=w.y), f) <= law_key(op(x=w.z, y=w.y), f))

    return Law("monotone", "x <= z and y > 0 imply f(x, y) <= f(z, y)", holds, {"z": "x"},
               {**SATURATES, "underflow": "zero"})


def _extremes(pick: Callable, key: Callable, name: str) -> tuple[Law, ...]:
    def one_of(op, w, f):
        out = op(x=w.x, y=w.y)
        return ((out == w.x) | (out == w.y)) & (
            key(out, f) == pick(key(w.x, f), key(w.y, f)))

    return (Law("chooses", f"the result is x or y, and the {name}", one_of),
            Law("idempotent", "f(x, x) = x", lambda op, w, f: op(x=w.x, y=w.x) == w.x))


def _orders(key: Callable) -> tuple[Law, ...]:
    def tells(op, w, f):
        out, p, q = op(x=w.x, y=w.y), key(w.x, f), key(w.y, f)
        return (out > 0) == (p > q)

    return (Law("antisymmetric", "f(x, y) = -f(y, x)",
                lambda op, w, f: op(x=w.x, y=w.y) == 0 - op(x=w.y, y=w.x)),
            Law("tells", "f(x, y) > 0 just where x > y", tells))


def _lns_nonzero_positive(y, f):
    n = lns.unpack(y, f)
    return (n.sign == 0) & (n.level != lns.zero_level(f))


LNS_SIGNS = Law("signs", "f(-x, -y) = -f(x, y)", lambda op, w, f: op(
    x=lns.neg(w.x, f), y=lns.neg(w.y, f)) == lns.neg(op(x=w.x, y=w.y), f))
LNS_SIGN = Law("sign", "f(-x, y) = -f(x, y)", lambda op, w, f: op(
    x=lns.neg(w.x, f), y=w.y) == lns.neg(op(x=w.x, y=w.y), f))
LNS_MONOTONE = _monotone(lns.order_key)

LAWS: dict[str, tuple[Law, ...]] = {
    "fixed-add": (
        COMMUTES, _monotone(_number, "x <= z implies f(x, y) <= f(z, y)", SATURATES),
        Law("zero", "f(x, 0) = x", lambda op, w, f: op(x=w.x, y=0 * w.y) == w.x)),
    "fixed-sub": (
        Law("adds the negated", "f(x, y) = x + (-y) for y above the lowest word",
            lambda op, w, f: _implies(_not_low(w.y, f), op(x=w.x, y=w.y) == fixed.add(
                w.x, fixed.neg(w.y, f), f)), needs=SATURATES),
        Law("itself", "f(x, x) = 0", lambda op, w, f: op(x=w.x, y=w.x) == 0)),
    "fixed-neg": (
        Law("involution", "f(f(x)) = x for x above the lowest word",
            lambda op, w, f: _implies(_not_low(w.x, f), op(x=op(x=w.x)) == w.x)),),
    "fixed-abs": (
        Law("even", "f(-x) = f(x) for x above the lowest word",
            lambda op, w, f: _implies(_not_low(w.x, f), op(x=fixed.neg(w.x, f)) == op(x=w.x))),
        Law("not negative", "f(x) >= 0", lambda op, w, f: op(x=w.x) >= 0, needs=SATURATES)),
    "fixed-mul": (
        COMMUTES, Law("zero", "f(x, 0) = 0", lambda op, w, f: op(x=w.x, y=0 * w.y) == 0),
        Law("one", "f(x, 1) = x where 1 is a word", lambda op, w, f: (
            op(x=w.x, y=0 * w.y + min(1 << f.frac, f.high)) == w.x) | (1 << f.frac > f.high))),
    "fixed-mac": (
        MAC_COMMUTES,
        Law("zero", "f(acc, x, 0) = acc",
            lambda op, w, f: op(acc=w.acc, x=w.x, y=0 * w.y) == w.acc),
        Law("saturates", "f(acc, x, y) is the highest word where acc and x * y are",
            lambda op, w, f: _implies((w.acc == f.high) & (w.x > 0) & (w.y > 0),
                                      op(acc=w.acc, x=w.x, y=w.y) == f.high), needs=SATURATES)),
    "fixed-resize": (_monotone(_number, needs=SATURATES),),
    "fixed-leaky-relu": (
        _monotone(_number),
        Law("positive", "f(x) = x for x >= 0",
            lambda op, w, f: _implies(w.x >= 0, op(x=w.x) == w.x)),
        Law("raises", "f(x) >= x", lambda op, w, f: op(x=w.x) >= w.x)),
    "fixed-compare": _orders(_number),
    "fixed-min": (COMMUTES, *_extremes(minimum, _number, "smaller")),
    "fixed-max": (COMMUTES, *_extremes(maximum, _number, "larger")),
    "lns-add": (
        COMMUTES, LNS_SIGNS,
        Law("zero", "f(x, 0) = x", lambda op, w, f: op(
            x=w.x, y=0 * w.y + f.zero) == _plain(w.x, f)),
        Law("cancels", "f(x, -x) = 0", lambda op, w, f: op(x=w.x, y=lns.neg(w.x, f)) == f.zero)),
    "lns-sub": (
        LNS_SIGNS, Law("itself", "f(x, x) = 0", lambda op, w, f: op(x=w.x, y=w.x) == f.zero),
        Law("antisymmetric", "f(x, y) = -f(y, x)",
            lambda op, w, f: op(x=w.x, y=w.y) == lns.neg(op(x=w.y, y=w.x), f))),
    "lns-mul": (
        COMMUTES, LNS_SIGN, _of_positive(lns.order_key, _lns_nonzero_positive),
        Law("one", "f(x, 1) = x", lambda op, w, f: op(x=w.x, y=0 * w.y) == _plain(w.x, f)),
        Law("zero", "f(x, 0) = 0", lambda op, w, f: op(x=w.x, y=0 * w.y + f.zero) == f.zero)),
    "lns-div": (
        LNS_SIGN, _of_positive(lns.order_key, _lns_nonzero_positive),
        Law("one", "f(x, 1) = x", lambda op, w, f: op(x=w.x, y=0 * w.y) == _plain(w.x, f)),
        Law("itself", "f(x, x) = 1 for x other than 0", lambda op, w, f: _implies(
            _plain(w.x, f) != f.zero, op(x=w.x, y=w.x) == f.one))),
    "lns-mac": (
        MAC_COMMUTES,
        Law("zero", "f(acc, x, 0) = acc", lambda op, w, f: op(
            acc=w.acc, x=w.x, y=0 * w.y + f.zero) == _plain(w.acc, f)),
        Law("product", "f(0, x, y) = x * y", lambda op, w, f: op(
            acc=0 * w.acc + f.zero, x=w.x, y=w.y) == lns.mul(w.x, w.y, f),
            needs={"underflow": "zero"})),
    "lns-neg": (
        Law("involution", "f(f(x)) = x", lambda op, w, f: op(x=op(x=w.x)) == _plain(w.x, f)),),
    "lns-abs": (
        Law("even", "f(-x) = f(x)", lambda op, w, f: op(x=lns.neg(w.x, f)) == op(x=w.x)),
        Law("size", "f(x) is the larger of x and -x", lambda op, w, f: lns.order_key(
            op(x=w.x), f) == maximum(lns.order_key(w.x, f), 0 - lns.order_key(w.x, f)))),
    "lns-leaky-relu": (
        LNS_MONOTONE,
        Law("positive", "f(x) = x for x >= 0", lambda op, w, f: _implies(
            lns.order_key(w.x, f) >= 0, op(x=w.x) == _plain(w.x, f)))),
    "lns-sqrt": (
        Law("monotone", "0 <= x <= z implies f(x) <= f(z)", lambda op, w, f: _implies(
            (lns.order_key(w.x, f) >= 0) & (lns.order_key(w.x, f) <= lns.order_key(w.z, f)),
            lns.order_key(op(x=w.x), f) <= lns.order_key(op(x=w.z), f)), {"z": "x"}),),
    "lns-power": (
        Law("even", "f(|x|, y) = f(x, y)",
            lambda op, w, f: op(x=lns.absolute(w.x, f), y=w.y) == op(x=w.x, y=w.y)),
        Law("nought", "f(x, 0) = 1", lambda op, w, f: op(x=w.x, y=0 * w.y) == f.one)),
    "lns-compare": _orders(lns.order_key),
    "lns-min": _extremes(minimum, lns.order_key, "smaller"),
    "lns-max": _extremes(maximum, lns.order_key, "larger"),
    "lns-to-fixed": (_monotone(lns.order_key, result=_number),),
}
