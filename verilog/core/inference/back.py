"""The back of an inference core: sums become words, words get to their places, answers out."""

from __future__ import annotations

from dataclasses import replace

from fxp.trace.circuit import trace
from verilog.core.inference import control
from verilog.core.inference.ends import Ends
from verilog.core.inference.stages.numbers import Moving
from verilog.core.inference.stages.stages import Stages
from verilog.core.parts.lane import circuit_module
from verilog.core.parts.memory import bits_for, memory, small_memory
from verilog.emit import syntax as v
from verilog.emit.lower import width_of

__all__ = ["Back"]

class Back(Stages, Ends):
    """What becomes of the sums."""

    def _drain(self) -> None:
        """Rows of sums, caught in LUTs, and their words one after the other."""
        b, s = self.body, self.s
        bits = self.ar.sums.registers.bits
        made = b.put(self.control["drain"], "drain", caught=b.read("caught"))
        wide = bits_for(2 * s.slots)
        at = b.reg("caught_row", wide)
        following = v.choose(v.binary("==", b.read(at), v.constant(2 * s.slots - 1, wide)),
                             v.constant(0, wide),
                             v.binary("+", b.read(at), v.constant(1, wide)))
        b.add(v.always([v.nonblocking(at, following)], enable=b.read("caught"),
                       reset=[v.nonblocking(at, v.constant(0, wide))]))
        rows = self._memory("sums", small_memory(f"{self.name}_sums", bits * s.lanes, 2 * s.slots))
        row = b.put(rows, "caught_sums", write=b.read("caught"), write_address=b.read(at),
                    data=b.read(self.sums), read_address=b.resized(made["row"], wide, False))
        shift = b.reg("shift", bits * s.lanes)
        rest = v.constant(0, bits) if s.lanes == 1 else v.concat(
            v.constant(0, bits), b.read(shift, bits * s.lanes - 1, bits))
        b.add(v.always([v.nonblocking(shift, v.choose(b.read(made["take"]), b.read(row["data"]),
                                                      rest))]))
        self.word = b.wire("sum_word", bits, b.read(shift, bits - 1))
        self.drain = made

    def _places(self) -> None:
        """Sums become words, and get to where the next layer reads them, or logits are."""
        b, s = self.body, self.s
        moving = self._staged(self._finished())
        self.late = moving.late  # clocks that a word is behind its sum
        score_word = self.ar.scored.joined(b, dict(zip(self.ar.scored.names,
                                                       moving.score.values())))
        word = b.read(next(iter(moving.number.values()))) if s.packed > 1 else (
            self.ar.number.joined(b, moving.number))
        sources = {k: k for k in ("number", "bank", "image_slot", "layer", "inside", "ends",
                                  "done")}
        if not s.plain:
            sources["place" if s.packed > 1 else "number"] = "place"
        tags = {k: self.tag(source, moving.late, 0 if k in ("inside", "ends", "done") else None)
                for k, source in sources.items()}
        last = v.binary("==", b.read(tags["layer"]),
                        v.constant(len(s.layers) - 1, b.widths[tags["layer"]]))
        self._write(tags, b.wire("of_last", 1, last), score_word, word)

    def _finished(self) -> Moving:
        """Return the numbers and scores that sums come to."""
        ar = self.ar
        word, parameters, early = self._parameters()
        given = {**self._registers(word), **{k: w for k, w in parameters.items()
                                             if k in ar.finish.inputs}}
        found, clocks = self._passed("finish", "a sum as a word", ar.finish, given)
        nodes, count = list(ar.finish.outputs.values()), len(self.plain.names)
        own = count if ar.score else 0
        moving = Moving({}, {}, {k: w for k, w in parameters.items() if k not in given}, early)
        moving = moving.later(self.body, self._fitted(found[:count], nodes, self.plain), clocks)
        return replace(moving, score=self._fitted(found[own:], nodes[own:], ar.scored))

    def _registers(self, word: str) -> dict[str, str]:
        """Return the wires of a sum's registers, as wide as what finishes them takes."""
        b, found = self.body, {}
        for name, value in self.ar.sums.registers.parts(b, word).items():
            node, own = self.ar.finish.inputs[name], self.ar.sums.step.inputs[name]
            wire = b.wire(f"sum_{name}", width_of(own.low, own.high), value)
            wide = width_of(node.low, node.high)
            found[name] = wire if b.widths[wire] == wide else b.wire(
                f"{wire}_fitted", wide, b.resized(wire, wide, own.low < 0))
        return found

    def _parameters(self):
        """Return the word of a sum, its output's parameters by name, and how many clocks
        behind the drain they are."""
        b, s, parameters = self.body, self.s, self.ar.parameters
        if not parameters:
            return self.word, {}, 0

        def at(layer, number):
            """Where an output's parameters are."""
            start = control.of_layer("start", s.starts[:-1], layer)
            return control.within(start + number, s.places - 1)

        spans = {"layer": control.below(len(s.layers)), "number": self._numbers()}
        circuit = trace(at, spans, name="parameter_place")
        place = b.put(self._add(circuit_module(f"{self.name}_parameter_place",
                                               "where parameters are", circuit)),
                      "parameter_at", **{k: b.read(self.drain[k]) for k in spans})
        made = memory(f"{self.name}_parameters", parameters.bits, s.places, self.parameter_rows)
        row = b.put(self._memory("parameters", made), "parameters_now",
                    write=b.read("parameter_write"), write_address=b.read("parameter_place"),
                    data=b.read("parameter_row"), read=b.read(self.drain["busy"]),
                    read_address=b.read(place["out"]))
        fields = {name: b.wire(f"parameter_{name}", width_of(low, high), value)
                  for (name, low, high), value in zip(parameters.fields, parameters.parts(
                      b, row["data"]).values())}
        return b.delayed(self.word, 2), fields, 2

    def _all_numbers(self) -> tuple[int, int]:
        """Return the range of a number's place among those of its layer."""
        s = self.s
        if s.plain:
            return self._numbers()
        return control.below(max(f.positions * s.words(f.outputs) for f in s.forms))

    def _numbers(self) -> tuple[int, int]:
        """Return the range of an output's number within its layer."""
        s = self.s
        return control.below(max(s.tiles(k) * s.row_words for k in range(len(s.layers))))

    def _write(self, tags, last: str, score_word, active_word) -> None:
        """One register more: where each word goes, then the words themselves."""
        b, number = self.body, self.ar.number
        place = self._place(tags)
        inside = b.read(tags["inside"])
        hidden_now = v.binary("&", inside, v.unary("~", b.read(last)))
        if self.s.packed > 1:
            active_word, ends = self._joined(tags, active_word)
            hidden_now = v.binary("&", hidden_now, b.read(ends))
        hidden = b.register("hidden_now", 1, hidden_now, reset=0)
        self.score = {
            "write": b.register("score_now", 1, v.binary("&", inside, b.read(last)), reset=0),
            "address": b.register("score_place", b.widths[place["score"]],
                                  b.read(place["score"])),
            "word": b.register("score_word", self.ar.scored.bits, score_word)}
        self._drive(
            hidden_write=b.read(hidden),
            hidden_place=b.read(b.register("place_now", b.widths["hidden_place"], b.resized(
                place["place"], b.widths["hidden_place"], False))),
            hidden_word=b.read(b.register("word_now", number.bits, active_word)),
            hidden_bank=b.read(b.register("bank_now", b.widths["hidden_bank"],
                                          b.read(tags["bank"]))),
            drained=b.read(b.delayed(b.register("ends_now", 1, b.read(tags["ends"]), reset=0), 2,
                                     reset=0)),
            done=b.read(b.delayed(b.register("done_now", 1, b.read(tags["done"]), reset=0), 1,
                                  reset=0)))

    def _joined(self, tags, bit):
        """Return the word of an image's bits so far, this one among them, and the wire that
        tells whether it is whole."""
        b, s = self.body, self.s
        wide = s.packed
        lasts = [m - 1 for _, m in s.layers]

        def add(word, number, layer, bit):
            """The word with a number's bit in its place, and whether that was the last."""
            part = number & (wide - 1)
            ends = (part == wide - 1) | (number == control.of_layer("last", lasts, layer))
            return control.joined(word, part, bit, wide), ends

        spans = {"number": self._numbers(), "layer": control.below(len(s.layers))}
        circuit = trace(add, {"word": (0, (1 << wide) - 1), **spans, "bit": (0, 1)},
                        outputs=("joined", "ends"), name="bit_place")
        names = [tags[k] for k in ("image_slot", "bank")]
        address = sum(b.widths[n] for n in names)
        kept = self._memory("bits", small_memory(f"{self.name}_bits", wide, 1 << address))
        whole = b.wire("image_now", address, v.concat(*map(b.read, names)))
        old = b.wire("bits_before", wide)
        part = self._add(circuit_module(f"{self.name}_bit", "a bit in its place", circuit))
        found = b.put(part, "bit", word=b.read(old), bit=bit,
                      **{k: b.read(tags[k]) for k in spans})
        row = b.put(kept, "bits", write=b.read(tags["inside"]), write_address=b.read(whole),
                    data=b.read(found["joined"]), read_address=b.read(whole))
        b.add(v.assign(old, b.read(row["data"])))
        return b.read(found["joined"]), found["ends"]

    def _place(self, tags) -> dict[str, str]:
        """Return wires of a word's place in its bank, and among the logits."""
        b, s = self.body, self.s
        names = [k for k in ("layer", "number", "image_slot", "bank", "place") if k in tags]
        classes = s.layers[-1][1]
        regions = [*s.regions[1:-1], 0]
        top, most = s.regions[-1] - 1, s.batch * classes - 1

        def where_to(layer, number, image_slot, bank, place=None):
            """Where a word goes: in its bank, and, of the last layer, among the logits."""
            base = control.of_layer("region", regions, layer)
            word = number >> (s.packed - 1).bit_length() if place is None else place
            place = control.within(base + control.times(word, s.image_slots) + image_slot, top)
            image = control.times(image_slot, s.images) + bank
            return place, control.within(control.times(image, classes) + number, most)

        spans = {"layer": control.below(len(s.layers)), "image_slot": control.below(
            s.image_slots), "bank": control.below(s.images), "place": self._all_numbers(),
            "number": self._numbers() if "place" in tags else self._all_numbers()}
        circuit = trace(where_to, {k: spans[k] for k in names}, outputs=("place", "score"),
                        name="place")
        module = self._add(circuit_module(f"{self.name}_place", "where a word goes", circuit))
        return b.put(module, "place", **{k: b.read(tags[k]) for k in names})
