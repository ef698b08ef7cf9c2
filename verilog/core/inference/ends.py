"""The end of an inference core: logits and classes are sent."""

from __future__ import annotations

from verilog.core.inference.engine.shared import Shared, span_of
from verilog.core.parts.lane import circuit_module
from verilog.core.parts.memory import memory
from verilog.emit import syntax as v
from verilog.emit.lower import width_of

__all__ = ["Ends"]


class Ends(Shared):
    """What is sent."""

    score: dict[str, str]  # write, address and word of a logit

    def _answers(self) -> None:
        """Logits, kept until they are sent, and the class of each image."""
        b, s, ar = self.body, self.s, self.ar
        classes = s.layers[-1][1]
        made = memory(f"{self.name}_logits", ar.scored.bits, max(2, s.batch * classes), latency=1)
        module = self._memory("logits", made)
        order = b.wire("order", width_of(*span_of(ar.ranking)))
        send = b.put(self.control["send"], "send", scoring=b.read(self.scoring),
                     count=b.read(self.last_image), done=b.read("done"), ready=b.read("i_ready"),
                     order=b.read(order))

        wide = made.address_bits
        found = b.put(module, "logits", write=b.read(self.score["write"]),
                      write_address=b.resized(self.score["address"], wide, False),
                      data=b.read(self.score["word"]), read=b.read(send["read"]),
                      read_address=b.resized(send["place"], wide, False))
        fields = ar.scored.parts(b, found["data"])
        ordered = b.put(self._add(circuit_module(f"{self.name}_order", "an order of scores",
                                                 ar.ranking)),
                        "ordering", **dict(zip(ar.ranking.inputs, fields.values())))
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
