"""The front of an inference core: weights, pixels, steps, activations, lanes."""

from __future__ import annotations

from fxp.trace.bits import Table, lookup
from fxp.trace.circuit import trace
from verilog.core.inference import control
from verilog.core.inference.engine.shared import Shared
from verilog.core.parts.gather import gatherer
from verilog.core.parts.lane import circuit_module, lane
from verilog.core.parts.memory import bits_for, memory
from verilog.emit import syntax as v

__all__ = ["AHEAD", "Front"]

AHEAD = 2  # registers before a lane's step, which retiming may move into it


class Front(Shared):
    """What comes before the sums, and the lanes that take them."""

    def _weights(self) -> None:
        """The memory of weights, with the port that loads it anew."""
        b, s = self.body, self.s
        bits = self.ar.sums.row_bits
        made = memory(f"{self.name}_weights", bits * s.row_words, s.rows, self.rows)
        module = self._memory("weights", made)
        full = b.wire("row_full", 1)
        # A word is taken only where its wish was there a clock before, and no batch ran: the
        # sequencer of steps sees the wish, so that none has begun since.
        wish = b.reg("load_wish", 1)
        granted = b.register("load_granted", 1, v.binary("&", b.read("idle"), b.read(wish)),
                             reset=0)
        load = b.put(self.control["reload"], "reload", valid=b.read("i_load_valid"),
                     idle=v.binary("&", b.read(granted), b.read(wish)), full=b.read(full),
                     whole=b.read("parameter_write"))
        b.add(v.always([v.nonblocking(wish, b.read(load["loading"]))],
                       reset=[v.nonblocking(wish, v.constant(0, 1))]))
        word = b.read("i_load_data", bits - 1) if not self.ar.unpack else b.read("i_load_data")
        if self.ar.unpack:
            part = self._add(circuit_module(f"{self.name}_unpack", "a word's fields",
                                            self.ar.unpack))
            fields = b.put(part, "unpack", **{next(iter(self.ar.unpack.inputs)): word})
            word = self.ar.sums.weight.joined(b, dict(zip(self.ar.sums.b, fields.values())))
        gather = self._add(gatherer(f"{self.name}_gather", bits, s.row_words))
        row = b.put(gather, "gather", valid=b.read(load["take"]), word=word)
        b.add(v.assign(full, b.read(row["full"])), v.assign("o_load_ready", b.read(load["ready"])))
        # Before the first clock of a reset, registers may have any value: no row is lost then.
        running = v.unary("~", b.read("i_rst"))
        self.weight_port = {"write": v.binary("&", b.read(row["full"]), running),
                            "write_address": b.read(load["written"]),
                            "data": b.read(row["row"])}
        self.weight_module = module
        self._drive(loading=b.read(wish))
        self._new_parameters(load)

    def _new_parameters(self, load: dict[str, str]) -> None:
        """An output's parameters, gathered from words of the port."""
        b, parameters = self.body, self.ar.parameters
        if not parameters:
            self._drive(parameter_write=v.constant(0, 1), parameter_row=v.constant(0, 1),
                        parameter_place=v.constant(0, b.widths["parameter_place"]))
            return
        part = self._add(gatherer(f"{self.name}_gather_parameters", self._load_bits(),
                                  self.chunks))
        row = b.put(part, "parameters", valid=b.read(load["take_second"]),
                    word=b.read("i_load_data"))
        self._drive(parameter_write=v.binary("&", b.read(row["full"]),
                                             v.unary("~", b.read("i_rst"))),
                    parameter_row=b.read(row["row"], parameters.bits - 1),
                    parameter_place=b.read(load["kept"]))

    def _pixels(self) -> None:
        """The stream of pixels, each looked up as a word."""
        b = self.body
        load = b.put(self.control["load"], "load", valid=b.read("i_valid"), last=b.read("i_last"),
                     blocked=b.read("hidden_write"), released=b.read("released"),
                     reading=b.read("reading"))
        b.add(v.assign("o_ready", b.read(load["ready"])))
        place = b.resized(load["place"], b.widths["pixel_place"], False)
        self._drive(full=b.read(load["full"]), pixel_write=b.read(load["write"]),
                    pixel_bank=b.read(load["bank"]), pixel_place=place,
                    pixel_word=b.read(self._packed(load) if self.s.packed > 1
                                      else self._looked_up(load)))
        self.count = load["count"]

    def _packed(self, load: dict[str, str]) -> str:
        """Return the register in which bits of pixels are put together."""
        b, wide = self.body, self.s.packed
        bits = Table("pixel", self.ar.pixels)

        def joined(word, part, pixel):
            """The word with a pixel's bit in its place."""
            return control.joined(word, part, lookup(bits, pixel), wide)

        circuit = trace(joined, {"word": (0, (1 << wide) - 1), "part": control.below(wide),
                                 "pixel": (0, 255)}, name="pixel_bit")
        part = self._add(circuit_module(f"{self.name}_pixel_bit", "a pixel's bit", circuit))
        word = b.reg("pixel_bits", wide)
        found = b.put(part, "pixel", word=b.read(word), part=b.read(load["part"]),
                      pixel=b.read("i_data"))
        b.add(v.always([v.nonblocking(word, b.read(found["out"]))], enable=b.read(load["take"])))
        return word

    def _looked_up(self, load: dict[str, str]) -> str:
        """Return the word of the pixel that was taken."""
        b = self.body
        table = memory(f"{self.name}_pixels", self.ar.number.bits, 256, self.ar.pixels, 1)
        word = b.put(self._memory("pixels", table), "pixels", write=v.constant(0, 1),
                     write_address=v.constant(0, 8),
                     data=v.constant(0, self.ar.number.bits), read=b.read(load["take"]),
                     read_address=b.read("i_data"))
        return word["data"]

    def _issue(self) -> None:
        """The steps: addresses and marks, a register behind the sequencer."""
        b = self.body
        made = b.put(self.control["issue"], "issue", full=b.read("full"),
                     loading=b.read("loading"), sending=b.read("sending"),
                     drained=b.read("drained"))
        now = {k: b.register(f"{k}_1", b.widths[made[k]], b.read(made[k]),
                             reset=0 if b.widths[made[k]] == 1 else None)
               for k in ("run", "row", "address", "fresh", "first", "last",
                         *(() if self.s.plain else ("outside",)))}
        self.at = now
        self._drive(released=b.read(made["released"]), reading=b.read(made["buffer"]),
                    idle=b.read(made["idle"]), read_address=b.read(now["address"]))
        self.scoring = made["scoring"]
        held = b.register("batch_count", b.widths[self.count], b.read(self.count),
                          enable=b.read(made["batch"]))
        self.last_image = b.wire("last_image", b.widths[held], v.choose(
            b.read(made["batch"]), b.read(self.count), b.read(held)))
        b.add(v.assign("o_busy", v.unary("~", b.read("idle"))),
              v.assign("o_layer", b.resized(made["layer"], bits_for(len(self.s.layers)), False)))
        row = b.put(self.weight_module, "weights", **self.weight_port, read=b.read(now["fresh"]),
                    read_address=b.read(now["row"]))
        self._turn(row["data"])

    def _turn(self, row: str) -> None:
        """The words of a slot's outputs, from a row that serves several slots."""
        b, s = self.body, self.s
        bits = self.ar.sums.row_bits
        fresh = b.delayed(self.at["fresh"], 2)
        turn = b.reg("turn", bits * s.row_words)
        value = b.read(row)
        if s.output_slots > 1:
            group = bits * s.outputs
            rest = v.concat(b.read(turn, group - 1), b.read(turn, bits * s.row_words - 1, group))
            b.add(v.always([v.nonblocking(turn, v.choose(b.read(fresh), value, rest))]))
        else:
            b.add(v.always([v.nonblocking(turn, value)], enable=b.read(fresh)))
        self.turn = turn

    def _banks(self) -> None:
        """The activations, a bank for each image that lanes take at once."""
        b, s = self.body, self.s
        made = memory(f"{self.name}_bank", self.ar.number.bits, s.regions[-1])
        module = self._memory("activations", made, s.images)
        hidden = b.read("hidden_write")
        self.outside = "" if s.plain else b.delayed(self.at["outside"], 2)
        self.operands = []
        # A register before the banks: the table of pixels answers late in its clock.
        place = b.register("bank_place", b.widths["hidden_place"], v.choose(
            hidden, b.read("hidden_place"), b.read("pixel_place")))
        data = b.register("bank_word", made.width, v.choose(
            hidden, b.read("hidden_word"), b.read("pixel_word")))
        for k in range(s.images):
            bank = v.constant(k, b.widths["hidden_bank"])
            write = b.register(f"bank_{k}_write", 1, v.choose(hidden, v.binary(
                "==", b.read("hidden_bank"), bank), v.binary("&", b.read("pixel_write"), v.binary(
                    "==", b.read("pixel_bank"), bank))), reset=0)
            found = b.put(module, f"bank_{k}", write=b.read(write), write_address=b.read(place),
                          data=b.read(data), read=b.read(self.at["run"]),
                          read_address=b.read("read_address"))
            word = b.register(f"operand_{k}", made.width, b.read(found["data"]))
            self.operands.append((word, self._absent(found["data"], k)))

    def _absent(self, word: str, k: int) -> str:
        """Return the register that tells whether a bank's word is left out of sums."""
        b, absent = self.body, self.ar.sums.absent
        skip = v.constant(0, 1)
        if absent is not None:
            _, low, high = self.a.fields[0]
            bits = self.a.kept(low, high)
            skip = v.binary("==", b.read(word, bits - 1),
                            v.constant(absent & ((1 << bits) - 1), bits))
        if not self.s.plain:
            skip = v.binary("|", skip, b.read(self.outside))
        return b.register(f"skip_{k}", 1, skip)

    def _lanes(self) -> None:
        """The lanes, lane output x images + image, and the rows of their sums."""
        b, s = self.body, self.s
        sums = self.ar.sums
        module = self._add(lane(f"{self.name}_lane", sums, self.a, s.slots, AHEAD))
        first = b.delayed(self.at["first"], 3)
        found: list = []
        for o in range(s.outputs):
            weight = b.read(self.turn, (o + 1) * sums.row_bits - 1, o * sums.row_bits)
            for word, skip in self.operands:
                part = b.put(module, f"lane_{len(found)}", first=b.read(first),
                             skip=b.read(skip), a=b.read(word), b=weight)
                found.append(b.read(part["sum"]))
        self.sums = b.wire("sums", sums.registers.bits * s.lanes, v.concat(*reversed(found)))
        caught = b.delayed(self.at["last"], 3 + AHEAD + s.slots, reset=0)
        self._drive(caught=b.read(caught))
