"""Stages that a number passes, where a network has them: the greatest or least of a window,
batch norm, activation, the mean of a window."""

from __future__ import annotations

from fxp.trace.bits import where
from fxp.trace.circuit import Circuit, evaluate, trace
from verilog.core.inference.control import BIT, below, of_layer
from verilog.core.inference.stages.numbers import Moving, Numbers
from verilog.core.parts.memory import bits_for, small_memory
from verilog.core.parts.word import Word, word_of
from verilog.emit import syntax as v
from verilog.emit.lower import width_of

__all__ = ["Stages"]


class Stages(Numbers):
    """The stages, in the order in which layers have them."""

    def _staged(self, moving: Moving) -> Moving:
        """Return numbers behind all stages that the network has."""
        forms = self.s.forms
        if any(f.pool > 1 and not f.average for f in forms):
            moving = self._pooled(moving)
        for label, summary, circuit in (("norm", "batch norm", self.ar.norm),
                                        ("active", "the activation", self.ar.active)):
            if circuit:
                moving = self._mapped(moving, label, summary, circuit)
        return self._averaged(moving) if any(f.average for f in forms) else moving

    def _mapped(self, moving: Moving, label: str, summary: str, circuit: Circuit) -> Moving:
        """Return what a circuit makes of each number, and of its output's parameters."""
        known = moving.parameters
        given = dict(zip((k for k in circuit.inputs if k not in known), moving.number.values()))
        found, clocks = self._passed(label, summary, circuit, {
            **given, **{k: known[k] for k in circuit.inputs if k in known}})
        fitted = self._fitted(found, list(circuit.outputs.values()), self.ar.number)
        return moving.later(self.body, fitted, clocks)

    def _pooled(self, moving: Moving) -> Moving:
        """Return the registers of the greatest number of a window so far, the first of equal
        ones; of outputs whose parameter `least` is 1 the least."""
        b, word = self.body, self.plain
        index, opens = (self.tag(k, moving.late) for k in ("index", "opens"))
        opens = b.wire("opens_pool", 1, v.binary("|", b.read(opens), self._averages(moving.late))
                       if any(f.average for f in self.s.forms) else b.read(opens))
        least = self.ar.least
        given = {"opens": opens, **({least: moving.parameters[least]} if least else {}),
                 **{f"new_{k}": w for k, w in moving.number.items()}}
        old, write = self._kept("pooling", word, index, self.tag("busy", moving.late, 0))
        given |= {f"old_{k}": w for k, w in old.items()}
        found, _ = self._passed("best", "the greater of two numbers", self._best(), given, 0)
        best = dict(zip(word.names, found))
        whole = write(best)
        held = b.register("number_pooled", word.bits, whole)
        fields = {name: b.wire(f"pooled_{name}", width_of(low, high), value)
                  for (name, low, high), value in zip(word.fields, word.parts(b, held).values())}
        return moving.later(b, fields, 1)

    def _best(self) -> Circuit:
        """Return the circuit that chooses between a window's number so far and a new one."""
        word, least = self.plain, self.ar.least
        order = self.ar.order if self.s.packed == 1 else trace(lambda bit: bit + 0, {"bit": BIT})

        def best(opens, **fields):
            """The number of a window so far: the new one where it is better, or the first."""
            old, new = ([fields[f"{age}_{k}"] for k in word.names] for age in ("old", "new"))
            before, now = (evaluate(order, **dict(zip(order.inputs, n))) for n in (old, new))
            better = before < now
            if least:
                better = where(fields[least], now < before, better)
            return tuple(where(opens | better, n, o) for o, n in zip(old, new))

        spans = {f"{age}_{k}": (low, high) for age in ("old", "new")
                 for k, low, high in word.fields}
        return trace(best, {"opens": BIT, **({least: BIT} if least else {}), **spans},
                     outputs=word.names, name="best")

    def _averages(self, late: int):
        """Return whether the layer of a number that is so far behind takes means."""
        b, layer = self.body, self.tag("layer", late)
        marks = [v.binary("==", b.read(layer), v.constant(k, b.widths[layer]))
                 for k, f in enumerate(self.s.forms) if f.average]
        total = marks[0]
        for mark in marks[1:]:
            total = v.binary("|", total, mark)
        return total

    def _kept(self, label: str, word: Word, index: str, writes: str, clocks: int = 0):
        """Return the fields that a memory of a tile's numbers holds at an index, and what
        writes their successors' wires so many clocks later (it returns their word)."""
        b, depth = self.body, max(2, self.s.lanes * self.s.slots)
        made = self._memory(label, small_memory(f"{self.name}_{label}", word.bits, depth))
        following = b.wire(f"{label}_next", word.bits)
        wide = bits_for(depth)
        row = b.put(made, label, write=b.read(b.delayed(writes, clocks, reset=0)),
                    write_address=b.resized(b.delayed(index, clocks), wide, False),
                    data=b.read(following), read_address=b.resized(index, wide, False))
        fields = {name: b.wire(f"{label}_{name}", width_of(low, high), value)
                  for (name, low, high), value in zip(word.fields,
                                                      word.parts(b, row["data"]).values())}

        def write(values: dict[str, str]):
            b.add(v.assign(following, word.joined(b, values)))
            return b.read(following)

        return fields, write

    def _averaged(self, moving: Moving) -> Moving:
        """Return the mean of a window's numbers so far, in layers that take means."""
        b, sums = self.body, self.ar.average
        assert sums
        state = word_of(sums.step, sums.state)
        index, opens = (self.tag(k, moving.late) for k in ("index", "opens"))
        adding = self._adding()
        most = self.s.lanes * self.s.slots - 1  # a sum is written before it is read again
        clocks = min(most, self._clocks(adding))
        old, write = self._kept("means", state, index, self.tag("busy", moving.late, 0), clocks)
        found, _ = self._passed("adding", "a number added to its window's", adding, {
            "opens": opens, **{f"old_{k}": w for k, w in old.items()}, **dict(zip(
                self._operands(), moving.number.values()))}, clocks)
        following = self._fitted(found, list(adding.outputs.values()), state)
        write(following)
        moving = moving.later(b, {k: b.delayed(w, clocks) for k, w in moving.number.items()},
                              clocks)
        ended = self._ended()
        known = moving.parameters
        given = {"layer": self.tag("layer", moving.late), **following,
                 **{f"x_{k}": w for k, w in moving.number.items()}}
        found, clocks = self._passed("mean", "the mean of a window", ended, {
            k: known[k] if k in known else given[k] for k in ended.inputs})
        fitted = self._fitted(found, list(ended.outputs.values()), self.ar.number)
        return moving.later(b, fitted, clocks)

    def _operands(self) -> list[str]:
        """Return the names of a number's fields in the sum of a window."""
        sums = self.ar.average
        assert sums
        return [k for k in sums.step.inputs if k not in sums.state]

    def _adding(self) -> Circuit:
        """Return the circuit of a step of a window's sum, which begins where opens is 1."""
        sums = self.ar.average
        assert sums
        nodes = sums.step.inputs
        state, operands = sums.state, self._operands()

        def add(opens, **given):
            """A number more in the sum of a window."""
            before = {k: where(opens, zero, given[f"old_{k}"])
                      for k, zero in zip(state, sums.zero)}
            return evaluate(sums.step, **before, **{k: given[k] for k in operands})

        spans = {f"old_{k}": (nodes[k].low, nodes[k].high) for k in state}
        spans |= {k: (nodes[k].low, nodes[k].high) for k in operands}
        return trace(add, {"opens": BIT, **spans}, outputs=[f"next_{k}" for k in state],
                     name="adding")

    def _ended(self) -> Circuit:
        """Return the circuit that ends a window's sum in layers that take means, and lets a
        number pass in others."""
        sums, word, forms = self.ar.average, self.ar.number, self.s.forms
        assert sums
        marks = [int(f.average) for f in forms]
        nodes = sums.finish.inputs
        reach = {k: (sums.step.inputs[k].low, sums.step.inputs[k].high) for k in sums.state}

        def end(layer, **given):
            """The mean, or the number itself."""
            means = evaluate(sums.finish, **{k: given[k] for k in nodes})
            means = means if isinstance(means, tuple) else (means,)
            return tuple(where(of_layer("averages", marks, layer), m, given[f"x_{k}"])
                         for m, k in zip(means, word.names))

        spans = {k: reach.get(k, (n.low, n.high)) for k, n in nodes.items()}
        return trace(end, {"layer": below(len(forms)), **spans, **{
            f"x_{k}": (low, high) for k, low, high in word.fields}}, outputs=word.names,
            name="mean")

    @staticmethod
    def _clocks(circuit: Circuit) -> int:
        from verilog.core.inference.stages.numbers import TARGET_NS
        from verilog.core.parts.flow import flow_for_ns

        return flow_for_ns(circuit, TARGET_NS)
