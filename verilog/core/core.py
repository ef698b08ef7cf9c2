"""An inference core: one datapath that a whole network of dense layers takes turns on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fxp.trace.circuit import Circuit, trace
from verilog.core import control
from verilog.core.flow import flow, flow_for_ns
from verilog.core.gather import gatherer
from verilog.core.lane import Sums, circuit_module, lane, lane_circuit
from verilog.core.memory import Memory, bits_for, memory, small_memory
from verilog.core.schedule import Schedule
from verilog.core.text import banner
from verilog.core.wiring import Wiring, wired
from verilog.core.word import Word
from verilog.emit import syntax as v
from verilog.emit.lower import width_of
from verilog.emit.module import CLOCK, Module, Port

__all__ = ["Arithmetic", "Core", "Layer", "inference_core"]

AHEAD = 2  # registers before a lane's step, which retiming may move into it
TARGET_NS = 7.0  # of a stage of what comes behind the lanes, as estimated


@dataclass(frozen=True)
class Layer:
    """A dense layer as words of memories: weights inputs x outputs, biases outputs; int64."""

    weights: np.ndarray
    biases: np.ndarray | None


@dataclass(frozen=True)
class Arithmetic:
    """The circuits of an engine's plans, and how words become fields and back.

    number has the fields of an activation, pixels its words (as memories hold them) for
    0..255. finish takes a sum's registers and gives a number; active (None: nothing
    between layers) takes a number x and gives one. order gives the integer that puts numbers in
    order, pack a number's word, unpack a weight's fields, each from fields; without
    pack and unpack words are the numbers themselves.
    """

    number: Word
    pixels: tuple[int, ...]
    sums: Sums
    finish: Circuit
    active: Circuit | None
    order: Circuit
    pack: Circuit | None = None
    unpack: Circuit | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Core:
    """A core: its modules, the top the last; its schedule; its memories and how
    many of each; the sequencers; the rows of weights; the lane's module and circuit; the bits of ports."""

    name: str
    modules: tuple[Module, ...]
    schedule: Schedule
    memories: Mapping[str, tuple[Memory, int]]
    sequencers: Mapping[str, control.Sequencer]
    rows: tuple[int, ...]
    lane: str
    lane_circuit: Circuit
    ports: Mapping[str, int]

    @property
    def top(self) -> Module:
        return self.modules[-1]

    @property
    def files(self) -> dict[str, str]:
        """The text of every file, by name."""
        texts = {f"{m.name}.v": m.text for m in self.modules}
        return texts | {k: text for m in self.modules for k, text in m.files.items()}

    @property
    def memory_bits(self) -> int:
        return sum(m.bits * count for m, count in self.memories.values())

    @property
    def memory_blocks(self) -> int:
        return sum(m.blocks * count for m, count in self.memories.values())


def weight_rows(s: Schedule, layers: list[Layer], bits: int) -> tuple[int, ...]:
    """Return the rows of weights in the order in which steps read them; outputs beyond a
    layer's are zero bits."""
    rows: list[int] = []
    shifts = [bits * k for k in range(s.row_words)]
    for each in layers:
        stacked = each.weights if each.biases is None else np.vstack([each.biases, each.weights])
        missing = -stacked.shape[1] % s.row_words
        filled = np.pad(stacked, ((0, 0), (0, missing)))
        for start in range(0, filled.shape[1], s.row_words):
            part = filled[:, start : start + s.row_words].tolist()
            rows += [sum(word << shift for word, shift in zip(row, shifts)) for row in part]
    return tuple(rows)


def inference_core(name: str, arithmetic: Arithmetic, layers: list[Layer], s: Schedule,
                   changed: Mapping[str, Circuit] | None = None) -> Core:
    """Return the core; changed has circuits that stand in for sequencers' own, by name."""
    return _Builder(name, arithmetic, layers, s, changed or {}).core()


def prefixed(names, prefix: str) -> list[str]:
    """Return the names of a number's fields at a port: a_level, a_sign, or just a."""
    return [prefix] if len(names) == 1 else [f"{prefix}_{n}" for n in names]


class _Builder:
    """The parts of a core while they are put together; stages are named after the clock,
    counted from that of an address."""

    def __init__(self, name, arithmetic: Arithmetic, layers, s: Schedule, changed):
        self.name, self.ar, self.s = name, arithmetic, s
        self.rows = weight_rows(s, layers, arithmetic.sums.row_bits)
        self.modules: dict[str, Module] = {}
        self.memories: dict[str, tuple[Memory, int]] = {}
        sums, number = arithmetic.sums, arithmetic.number
        self.answer_bits = max(self._word_bits(), bits_for(s.layers[-1][1]))
        order = next(iter(arithmetic.order.outputs.values()))
        made = [control.issuer(s), control.loader(s), control.drainer(s), control.reloader(s),
                control.sender(s, (order.low, order.high))]
        self.sequencers = {q.name: q for q in made}
        self.control = {q.name: self._add(q.made(name, changed.get(q.name)).module) for q in made}
        self.ports = (*CLOCK, Port("i_valid", 1, meaning="a pixel"), Port("o_ready", 1, True),
                      Port("i_data", 8, meaning="pixel, 0..255"),
                      Port("i_last", 1, meaning="the last pixel of the last image of a batch"),
                      Port("o_valid", 1, True, "a logit or a class"), Port("i_ready", 1),
                      Port("o_data", self.answer_bits, True, "logit's word, or class"),
                      Port("o_last", 1, True, "the class, behind an image's logits"),
                      Port("i_load_valid", 1, meaning="a word of new weights"),
                      Port("o_load_ready", 1, True),
                      Port("i_load_data", self._load_bits(), meaning="word, as load.hex has them"),
                      Port("o_busy", 1, True, "a batch runs"),
                      Port("o_layer", bits_for(len(self.s.layers)), True, "which layer runs"))
        self.body = Wiring(self.ports)
        self.a = Word(tuple((port, low, high) for port, (_, low, high)
                            in zip(sums.a, number.fields)))

    def _word_bits(self) -> int:
        pack = self.ar.pack
        if not pack:
            return self.ar.number.bits
        node = next(iter(pack.outputs.values()))
        return width_of(node.low, node.high)

    def _load_bits(self) -> int:
        unpack = self.ar.unpack
        if not unpack:
            return self.ar.sums.row_bits
        node = next(iter(unpack.inputs.values()))
        return width_of(node.low, node.high)

    def _add(self, module: Module) -> Module:
        self.modules.setdefault(module.name, module)
        return module

    def _memory(self, label: str, made: Memory, count: int = 1) -> Module:
        self.memories[label] = made, count
        return self._add(made.module)

    def core(self) -> Core:
        """Return the core, put together."""
        self._declare()
        self._weights()
        self._pixels()
        self._issue()
        self._banks()
        self._lanes()
        self._drain()
        self._places()
        self._answers()
        self._link()
        summary = "an inference core of " + " - ".join(
            map(str, [self.s.layers[0][0], *(n for _, n in self.s.layers)]))
        top = wired(self.name, banner(self.name, summary), self.ports, self.body)
        return Core(self.name, (*self.modules.values(), top), self.s, self.memories,
                    self.sequencers, self.rows, f"{self.name}_lane",
                    lane_circuit("lane", self.ar.sums),
                    {"answer": self.answer_bits, "load": self._load_bits()})

    # --- wires that parts give each other -------------------------------------------

    def _declare(self) -> None:
        """Name the wires that are read before the part that drives them."""
        s, b = self.s, self.body
        place = bits_for(s.regions[-1])
        number = self.ar.number.bits
        widths = {"idle": 1, "loading": 1, "sending": 1, "drained": 1, "caught": 1, "done": 1,
                  "released": 1, "reading": 1, "full": 1, "hidden_write": 1,
                  "hidden_place": place, "hidden_word": number, "read_address": place,
                  "pixel_write": 1, "pixel_bank": bits_for(s.images),
                  "pixel_place": place, "pixel_word": number,
                  "hidden_bank": bits_for(s.images)}
        self.links: dict[str, object] = {}
        for wire, width in widths.items():
            b.wire(wire, width)

    def _drive(self, **values) -> None:
        """Say what drives declared wires."""
        self.links.update(values)

    def _link(self) -> None:
        for wire, value in self.links.items():
            self.body.add(v.assign(wire, value))

    # --- parts ------------------------------------------------------------------------

    def _weights(self) -> None:
        """The memory of weights, with the port that loads it anew."""
        b, s = self.body, self.s
        bits = self.ar.sums.row_bits
        made = memory(f"{self.name}_weights", bits * s.row_words, s.rows, self.rows)
        module = self._memory("weights", made)
        full = b.wire("row_full", 1)
        load = b.put(self.control["reload"], "reload", valid=b.read("i_load_valid"),
                     idle=b.read("idle"), full=b.read(full))
        word = b.read("i_load_data")
        if self.ar.unpack:
            part = self._add(circuit_module(f"{self.name}_unpack", "a word's fields",
                                            self.ar.unpack))
            fields = b.put(part, "unpack", **{next(iter(self.ar.unpack.inputs)): word})
            word = self.ar.sums.weight.joined(b, dict(zip(self.ar.sums.b, fields.values())))
        gather = self._add(gatherer(f"{self.name}_gather", bits, s.row_words))
        row = b.put(gather, "gather", valid=b.read(load["take"]), word=word)
        b.add(v.assign(full, b.read(row["full"])), v.assign("o_load_ready", b.read(load["ready"])))
        self.weight_port = {"write": b.read(row["full"]), "write_address": b.read(load["written"]),
                            "data": b.read(row["row"])}
        self.weight_module = module
        self._drive(loading=b.read(load["loading"]))

    def _pixels(self) -> None:
        """The stream of pixels, each looked up as a word."""
        b = self.body
        load = b.put(self.control["load"], "load", valid=b.read("i_valid"), last=b.read("i_last"),
                     blocked=b.read("hidden_write"), released=b.read("released"),
                     reading=b.read("reading"))
        table = memory(f"{self.name}_pixels", self.ar.number.bits, 256, self.ar.pixels, 1)
        word = b.put(self._memory("pixels", table), "pixels", write=v.constant(0, 1),
                     write_address=v.constant(0, 8),
                     data=v.constant(0, self.ar.number.bits), read=b.read(load["take"]),
                     read_address=b.read("i_data"))
        b.add(v.assign("o_ready", b.read(load["ready"])))
        place = b.resized(load["place"], b.widths["pixel_place"], False)
        self._drive(full=b.read(load["full"]), pixel_write=b.read(load["write"]),
                    pixel_bank=b.read(load["bank"]), pixel_place=place,
                    pixel_word=b.read(word["data"]))
        self.count = load["count"]

    def _issue(self) -> None:
        """The steps: addresses and marks, a register behind the sequencer."""
        b = self.body
        made = b.put(self.control["issue"], "issue", full=b.read("full"),
                     loading=b.read("loading"), sending=b.read("sending"),
                     drained=b.read("drained"))
        now = {k: b.register(f"{k}_1", b.widths[made[k]], b.read(made[k]),
                             reset=0 if b.widths[made[k]] == 1 else None)
               for k in ("run", "row", "address", "fresh", "first", "last")}
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
        self.operands = []
        for k in range(s.images):
            bank = v.constant(k, b.widths["hidden_bank"])
            write = v.choose(hidden, v.binary("==", b.read("hidden_bank"), bank), v.binary(
                "&", b.read("pixel_write"), v.binary("==", b.read("pixel_bank"), bank)))
            found = b.put(module, f"bank_{k}", write=write, write_address=v.choose(
                hidden, b.read("hidden_place"), b.read("pixel_place")),
                data=v.choose(hidden, b.read("hidden_word"), b.read("pixel_word")),
                read=b.read(self.at["run"]), read_address=b.read("read_address"))
            word = b.register(f"operand_{k}", made.width, b.read(found["data"]))
            self.operands.append((word, self._absent(found["data"], k)))

    def _absent(self, word: str, k: int) -> str:
        """Return the register that tells whether a bank's word is left out of sums."""
        b, absent = self.body, self.ar.sums.absent
        if absent is None:
            return b.register(f"skip_{k}", 1, v.constant(0, 1))
        _, low, high = self.a.fields[0]
        bits = self.a.kept(low, high)
        return b.register(f"skip_{k}", 1, v.binary(
            "==", b.read(word, bits - 1), v.constant(absent & ((1 << bits) - 1), bits)))

    def _lanes(self) -> None:
        """The lanes, lane output x images + image, and the rows of their sums."""
        b, s = self.body, self.s
        sums = self.ar.sums
        module = self._add(lane(f"{self.name}_lane", sums, self.a, s.slots, AHEAD))
        first = b.delayed(self.at["first"], 3)
        found = []
        for o in range(s.outputs):
            weight = b.read(self.turn, (o + 1) * sums.row_bits - 1, o * sums.row_bits)
            for word, skip in self.operands:
                part = b.put(module, f"lane_{len(found)}", first=b.read(first),
                             skip=b.read(skip), a=b.read(word), b=weight)
                found.append(b.read(part["sum"]))
        self.sums = b.wire("sums", sums.registers.bits * s.lanes, v.concat(*reversed(found)))
        caught = b.delayed(self.at["last"], 3 + AHEAD + s.slots, reset=0)
        self._drive(caught=b.read(caught))

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
        b, s, ar = self.body, self.s, self.ar
        finish, active = ar.finish, ar.active
        first = flow_for_ns(finish, TARGET_NS)
        done = b.put(self._add(flow(f"{self.name}_finish", "a sum as a word", finish, first)),
                     "finish",
                     **ar.sums.registers.parts(b, self.word))
        plain, late = done, first
        if active:
            more = flow_for_ns(active, TARGET_NS)
            given = dict(zip(active.inputs, done.values()))
            act = b.put(self._add(flow(f"{self.name}_active", "the activation", active, more)),
                        "active", **{k: b.read(w) for k, w in given.items()})
            plain = {k: b.delayed(w, more) for k, w in done.items()}
            late += more
        number = ar.number
        plain_word = number.joined(b, dict(zip(number.names, plain.values())))
        active_word = plain_word if not active else number.joined(
            b, dict(zip(number.names, act.values())))
        tags = {k: b.delayed(self.drain[k], late, reset=0 if k in (
            "inside", "ends", "done") else None)
            for k in ("number", "bank", "image_slot", "layer", "inside", "ends", "done")}
        last = v.binary("==", b.read(tags["layer"]),
                        v.constant(len(s.layers) - 1, b.widths[tags["layer"]]))
        self._write(tags, b.wire("of_last", 1, last), plain_word, active_word)

    def _write(self, tags, last: str, plain_word, active_word) -> None:
        """One register more: where each word goes, then the words themselves."""
        b, s, number = self.body, self.s, self.ar.number
        place = self._place(tags)
        inside = b.read(tags["inside"])
        hidden = b.register("hidden_now", 1, v.binary("&", inside, v.unary("~", b.read(last))),
                            reset=0)
        self.score = {
            "write": b.register("score_now", 1, v.binary("&", inside, b.read(last)), reset=0),
            "address": b.register("score_place", b.widths[place["score"]],
                                  b.read(place["score"])),
            "word": b.register("score_word", number.bits, plain_word)}
        self._drive(
            hidden_write=b.read(hidden),
            hidden_place=b.read(b.register("place_now", b.widths["hidden_place"], b.resized(
                place["place"], b.widths["hidden_place"], False))),
            hidden_word=b.read(b.register("word_now", number.bits, active_word)),
            hidden_bank=b.read(b.register("bank_now", b.widths["hidden_bank"],
                                          b.read(tags["bank"]))),
            drained=b.read(b.delayed(b.register("ends_now", 1, b.read(tags["ends"]), reset=0), 1,
                                     reset=0)),
            done=b.read(b.delayed(b.register("done_now", 1, b.read(tags["done"]), reset=0), 1,
                                  reset=0)))

    def _place(self, tags) -> dict[str, str]:
        """Return wires of a word's place in its bank, and among the logits."""
        b, s = self.body, self.s
        nodes = {k: b.widths[tags[k]] for k in ("layer", "number", "image_slot", "bank")}
        classes = s.layers[-1][1]
        regions = [*s.regions[1:-1], 0]
        top, most = s.regions[-1] - 1, s.batch * classes - 1

        def where_to(layer, number, image_slot, bank):
            """Where a word goes: in its bank, and, of the last layer, among the logits."""
            base = control.of_layer("region", regions, layer)
            place = control.within(base + number * s.image_slots + image_slot, top)
            image = image_slot * s.images + bank
            return place, control.within(image * classes + number, most)

        spans = {"layer": control.below(len(s.layers)), "image_slot": control.below(
            s.image_slots), "bank": control.below(s.images), "number": control.below(max(
                s.tiles(k) * s.row_words for k in range(len(s.layers))))}
        circuit = trace(where_to, {k: spans[k] for k in nodes}, outputs=("place", "score"),
                        name="place")
        module = self._add(circuit_module(f"{self.name}_place", "where a word goes", circuit))
        return b.put(module, "place", **{k: b.read(tags[k]) for k in nodes})

    def _answers(self) -> None:
        """Logits, kept until they are sent, and the class of each image."""
        b, s, ar = self.body, self.s, self.ar
        classes = s.layers[-1][1]
        made = memory(f"{self.name}_logits", ar.number.bits, max(2, s.batch * classes), latency=1)
        module = self._memory("logits", made)
        order = b.wire("order", width_of(*_span(ar.order)))
        send = b.put(self.control["send"], "send", scoring=b.read(self.scoring),
                     count=b.read(self.last_image), done=b.read("done"), ready=b.read("i_ready"),
                     order=b.read(order))

        def at(image, number):
            """The place of a logit."""
            return control.within(image * classes + number, s.batch * classes - 1)

        circuit = trace(at, {"image": control.below(s.batch), "number": control.below(classes)},
                        name="logit_place")
        place = b.put(self._add(circuit_module(f"{self.name}_logit", "where a logit is", circuit)),
                      "logit", image=b.read(send["image"]), number=b.read(send["number"]))
        wide = made.address_bits
        found = b.put(module, "logits", write=b.read(self.score["write"]),
                      write_address=b.resized(self.score["address"], wide, False),
                      data=b.read(self.score["word"]), read=b.read(send["read"]),
                      read_address=b.resized(place["out"], wide, False))
        fields = ar.number.parts(b, found["data"])
        ordered = b.put(self._add(circuit_module(f"{self.name}_order", "an order of numbers",
                                                 ar.order)),
                        "ordering", **dict(zip(ar.order.inputs, fields.values())))
        word = found["data"]
        if ar.pack:
            part = self._add(circuit_module(f"{self.name}_pack", "a number's word", ar.pack))
            fields = ar.number.parts(b, found["data"])
            word = next(iter(b.put(part, "pack", **dict(zip(ar.pack.inputs,
                                                            fields.values()))).values()))
        wide = self.answer_bits
        b.add(v.assign(order, b.read(next(iter(ordered.values())))),
              v.assign("o_valid", b.read(send["valid"])), v.assign("o_last", b.read(send["tells"])),
              v.assign("o_data", v.choose(b.read(send["tells"]), b.resized(
                  send["class_found"], wide, False), b.resized(word, wide, False))))
        self._drive(sending=b.read(send["sending"]))


def _span(circuit: Circuit) -> tuple[int, int]:
    node = next(iter(circuit.outputs.values()))
    return node.low, node.high
