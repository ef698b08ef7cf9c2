"""Circuits as SMT-LIB.

This is a lowering of its own: it shares nothing with the one that prints Verilog.
Every value is a two's complement bit-vector. An operation is computed in a width
that follows from the widths of its operands, so that it cannot wrap, and is then cut
to the range that its node claims. `leaves_range` is the formula that some node is
outside its range; it is proved impossible on its own, and then the cuts lose nothing.
"""

from __future__ import annotations

from fxp.trace.circuit import Circuit
from fxp.trace.graph import Node

__all__ = ["Formula", "any_of", "bits_for", "constant", "resized"]


def bits_for(low: int, high: int) -> int:
    """Return the bits of two's complement that hold low..high."""
    return 1 + max((w if w >= 0 else ~w).bit_length() for w in (low, high))


def constant(value: int, width: int) -> str:
    """Return value modulo 2**width as a literal."""
    return f"(_ bv{value & ((1 << width) - 1)} {width})"


def resized(term: str, own: int, width: int) -> str:
    """Return a term of `own` bits, extended by its sign or cut to width."""
    if width > own:
        return f"((_ sign_extend {width - own}) {term})"
    return term if width == own else f"((_ extract {width - 1} 0) {term})"


def any_of(conditions) -> str:
    """Return the condition that one of them holds."""
    return f"(or false false {' '.join(conditions)})"


class Formula:
    """Growing SMT-LIB text: declarations and definitions, one a line.

    Circuits may be added several times over the same or over other inputs; equal
    tables are written once.
    """

    def __init__(self):
        self.lines: list[str] = ["(set-logic QF_BV)"]
        self.inputs: dict[str, int] = {}  # what a model tells: widths; `shown` follow
        self.shown: set[str] = set()
        self.terms: dict[str, int] = {}  # values inside circuits, and of netlists: widths
        self.cells: dict[str, int] = {}
        self._tables: dict[tuple, str] = {}
        self._count = 0

    def input(self, name: str, low: int, high: int) -> str:
        """Declare an input of a range; the same name is the same input. Return its term."""
        width = bits_for(low, high)
        if name not in self.inputs:
            self.inputs[name] = width
            self.lines.append(f"(declare-const |{name}| (_ BitVec {width}))")
            for low_side, bound in (("bvslt", low), ("bvsgt", high)):
                if bound not in (-(1 << (width - 1)), (1 << (width - 1)) - 1):
                    self.require(f"(not ({low_side} |{name}| {constant(bound, width)}))")
        return f"|{name}|"

    def show(self, name: str, term: str, width: int):
        """Let models tell the value of a term."""
        self.inputs[name] = width
        self.shown.add(name)
        self.lines += [f"(declare-const |{name}| (_ BitVec {width}))",
                       f"(assert (= |{name}| {term}))"]

    def define(self, sort: str, expression: str) -> str:
        """Give an expression a name of its own; return the name."""
        self._count += 1
        self.lines.append(f"(define-fun t{self._count} () {sort} {expression})")
        return f"t{self._count}"

    def tag(self) -> str:
        """Return a prefix for names that nothing else has."""
        self._count += 1
        return f"c{self._count}:"

    def require(self, condition: str):
        """Assert a condition."""
        self.lines.append(f"(assert {condition})")

    def circuit(self, circuit: Circuit, free_products: bool = False
                ) -> tuple[dict[str, tuple[str, int]], list[str]]:
        """Add a circuit; return its outputs as (term, width), and for every node the
        condition that it leaves its range.

        With free_products a product is any number that its corners bound.
        """
        values: dict[int, tuple[str, int]] = {}
        leaves: list[str] = []
        for node in circuit.nodes:
            width = bits_for(node.low, node.high)
            if node.op == "input":
                values[node.index] = self.input(node.name, node.low, node.high), width
            elif node.is_const:
                values[node.index] = constant(node.low, width), width
            elif node.op == "mul" and free_products:
                self._count += 1
                name = f"product{self._count}"
                values[node.index] = self.input(name, *_corners(node)), bits_for(*_corners(node))
                leaves += _outside(*values[node.index], node)
            else:
                expression, own = self._operation(node, [values[a.index] for a in node.args])
                exact = self.define(f"(_ BitVec {own})", expression)
                self.terms[exact] = own
                leaves += _outside(exact, own, node)
                values[node.index] = resized(exact, own, min(own, width)), min(own, width)
        return {k: values[n.index] for k, n in circuit.outputs.items()}, leaves

    def _operation(self, node: Node, args) -> tuple[str, int]:
        """Return a node's expression and its width, wide enough for any operands."""
        (a, wide_a), (b, wide_b) = args[0], args[-1]
        widest = max(wide_a, wide_b)
        op, count = node.op, node.args[-1].low
        if op == "known":
            return a, wide_a
        if op == "shl":
            return (f"(concat {a} {constant(0, count)})" if count else a), wide_a + count
        if op == "shr":
            low = min(count, wide_a - 1)
            return f"((_ extract {wide_a - 1} {low}) {a})", wide_a - low
        if op == "lookup":
            return self._lookup(node, a, wide_a)
        if op == "where":
            wide = max(args[1][1], wide_b)
            return (f"(ite (distinct {a} {constant(0, wide_a)}) "
                    f"{resized(args[1][0], args[1][1], wide)} {resized(b, wide_b, wide)})"), wide
        if op in ("eq", "lt"):
            holds = f"({'=' if op == 'eq' else 'bvslt'} {_both(args, widest)})"
            return f"(ite {holds} #b01 #b00)", 2
        if op in ("min", "max"):
            chosen = _both(args if op == "min" else args[::-1], widest)
            return f"(ite (bvslt {_both(args, widest)}) {chosen})", widest
        wide = {"add": widest + 1, "sub": widest + 1, "mul": wide_a + wide_b}.get(op, widest)
        return f"(bv{op} {_both(args, wide)})", wide

    def _lookup(self, node: Node, index: str, width: int) -> tuple[str, int]:
        """Return table[index] as a tree over the bits of the index."""
        values = node.table.values
        own = bits_for(min(values), max(values))
        bits = max(1, (len(values) - 1).bit_length())
        if (values, own) not in self._tables:
            self._count += 1
            name = self._tables[values, own] = f"table{self._count}"
            self.lines.append(f"(define-fun {name} ((i (_ BitVec {bits}))) (_ BitVec {own}) "
                              f"{_tree(values, 0, bits, own)})")
        return f"({self._tables[values, own]} {resized(index, width, bits)})", own


def _tree(values, first: int, bits: int, width: int) -> str:
    """Return the choice among values[first:first + 2**bits] by the low bits of i."""
    part = values[first:first + (1 << bits)]
    if len(set(part)) <= 1:  # beyond the table anything would do
        return constant(part[0] if part else values[-1], width)
    half = 1 << (bits - 1)
    if first + half >= len(values):
        return _tree(values, first, bits - 1, width)
    return (f"(ite (= ((_ extract {bits - 1} {bits - 1}) i) #b1) "
            f"{_tree(values, first + half, bits - 1, width)} "
            f"{_tree(values, first, bits - 1, width)})")


def _both(args, width: int) -> str:
    return " ".join(resized(term, own, width) for term, own in args)


def _corners(node: Node) -> tuple[int, int]:
    """Return the range of a product of numbers that are in their ranges."""
    a, b = node.args
    found = [p * q for p in (a.low, a.high) for q in (b.low, b.high)]
    return (0 if a is b and min(found) < 0 else min(found)), max(found)


def _outside(term: str, width: int, node: Node) -> list[str]:
    """Return the conditions under which a term leaves its node's range."""
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    found = []
    if node.low > low:
        found.append(f"(bvslt {term} {constant(node.low, width)})")
    if node.high < high:
        found.append(f"(bvsgt {term} {constant(node.high, width)})")
    return found
