"""The ends of an inference core: the greatest numbers of windows, and the answers."""

from __future__ import annotations

from verilog.core.inference.engine.shared import Shared, span_of
from verilog.core.parts.lane import circuit_module
from verilog.core.parts.memory import bits_for, memory, small_memory
from verilog.emit import syntax as v
from verilog.emit.lower import width_of

__all__ = ["Ends"]


class Ends(Shared):
    """Pooling behind sums, and what is sent."""

    drain: dict[str, str]  # the wires of the sequencer of sums
    score: dict[str, str]  # write, address and word of a logit

    def _pooled(self, done: dict[str, str], late: int) -> dict[str, str]:
        """Return the registers of the greatest number of a window so far, the first of equal
        ones; late is how far the numbers are behind the drain."""
        b, s, ar = self.body, self.s, self.ar
        index, opens = (b.delayed(self.drain[k], late) for k in ("index", "opens"))
        busy = b.delayed(self.drain["busy"], late, reset=0)
        number = ar.number
        made = self._memory("pooling", small_memory(f"{self.name}_pooling", number.bits,
                                                    max(2, s.lanes * s.slots)))
        order = self._add(circuit_module(f"{self.name}_rank", "an order of numbers", ar.order))
        new = b.wire("number_new", number.bits, number.joined(b, dict(zip(
            number.names, done.values()))))
        best = b.wire("number_best", number.bits)
        address = b.resized(index, bits_for(max(2, s.lanes * s.slots)), False)
        row = b.put(made, "pooling", write=b.read(busy),
                    write_address=address, data=b.read(best), read_address=address)
        ranks = []
        for label, word in (("old", row["data"]), ("new", new)):
            fields = number.parts(b, word)
            found = b.put(order, f"rank_{label}", **dict(zip(ar.order.inputs, fields.values())))
            ranks.append(v.signed(b.read(next(iter(found.values())))))
        better = b.wire("better", 1, v.binary("|", b.read(opens), v.binary("<", *ranks)))
        b.add(v.assign(best, v.choose(b.read(better), b.read(new), b.read(row["data"]))))
        held = b.register("number_pooled", number.bits, b.read(best))
        found = {}
        for (name, low, high), value in zip(number.fields, number.parts(b, held).values()):
            found[name] = b.wire(f"pooled_{name}", width_of(low, high), value)
        return found

    def _answers(self) -> None:
        """Logits, kept until they are sent, and the class of each image."""
        b, s, ar = self.body, self.s, self.ar
        classes = s.layers[-1][1]
        made = memory(f"{self.name}_logits", ar.scored.bits, max(2, s.batch * classes), latency=1)
        module = self._memory("logits", made)
        order = b.wire("order", width_of(*span_of(ar.order)))
        send = b.put(self.control["send"], "send", scoring=b.read(self.scoring),
                     count=b.read(self.last_image), done=b.read("done"), ready=b.read("i_ready"),
                     order=b.read(order))

        wide = made.address_bits
        found = b.put(module, "logits", write=b.read(self.score["write"]),
                      write_address=b.resized(self.score["address"], wide, False),
                      data=b.read(self.score["word"]), read=b.read(send["read"]),
                      read_address=b.resized(send["place"], wide, False))
        fields = ar.scored.parts(b, found["data"])
        ordered = b.put(self._add(circuit_module(f"{self.name}_order", "an order of numbers",
                                                 ar.order)),
                        "ordering", **dict(zip(ar.order.inputs, fields.values())))
        word = found["data"]
        if ar.pack:
            part = self._add(circuit_module(f"{self.name}_pack", "a number's word", ar.pack))
            fields = ar.scored.parts(b, found["data"])
            word = next(iter(b.put(part, "pack", **dict(zip(ar.pack.inputs,
                                                            fields.values()))).values()))
        wide = self.answer_bits
        b.add(v.assign(order, b.read(next(iter(ordered.values())))),
              v.assign("o_valid", b.read(send["valid"])), v.assign("o_last", b.read(send["tells"])),
              v.assign("o_data", v.choose(b.read(send["tells"]), b.resized(
                  send["class_found"], wide, False), b.resized(word, wide, False))))
        self._drive(sending=b.read(send["sending"]))
