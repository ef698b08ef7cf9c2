"""What the parts of an inference core share while they are put together."""

from __future__ import annotations

from fxp.trace.circuit import Circuit
from verilog.core.inference.arithmetic import Arithmetic
from verilog.core.inference.engine.drain import drainer, sender
from verilog.core.inference.engine.issue import issuer
from verilog.core.inference.engine.load import loader, reloader
from verilog.core.inference.engine.rows import parameter_rows, weight_rows
from verilog.core.inference.engine.windows import window_drainer, window_issuer
from verilog.core.inference.schedule import Schedule
from verilog.core.parts.memory import Memory, bits_for, is_cut
from verilog.core.parts.wiring import Wiring
from verilog.core.parts.word import Word
from verilog.emit import syntax as v
from verilog.emit.lower import width_of
from verilog.emit.module import CLOCK, Module, Port

__all__ = ["Shared", "span_of"]


class Shared:
    """The modules, memories and wires of a core. Registers are named after the clock, counted
    from that of an address."""

    sums: str  # the wire of all lanes' sums
    scoring: str  # the wire that tells when a batch's last layer begins
    last_image: str  # the wire with the number of the batch's last image

    def __init__(self, name, arithmetic: Arithmetic, layers, s: Schedule, changed):
        self.name, self.ar, self.s = name, arithmetic, s
        self.rows = weight_rows(s, layers, arithmetic.sums.row_bits)
        parameters = arithmetic.parameters
        self.parameter_rows = parameter_rows(s, layers) if parameters else ()
        self.chunks = -(-parameters.bits // self._load_bits()) if parameters else 0
        self.modules: dict[str, Module] = {}
        self.memories: dict[str, tuple[Memory, int]] = {}
        sums, number = arithmetic.sums, arithmetic.number
        # Clocks from an address to its row of weights and its activation.
        self.behind = 3 if is_cut(sums.row_bits * s.row_words, s.rows) or is_cut(
            number.bits, s.regions[-1]) else 2
        self.answer_bits = max(self._word_bits(), bits_for(s.layers[-1][1]))
        order = next(iter(arithmetic.ranking.outputs.values()))
        first, behind = (issuer, drainer) if s.plain else (window_issuer, window_drainer)
        made = [first(s), loader(s), behind(s), reloader(s, self.chunks),
                sender(s, (order.low, order.high))]
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
            return self.ar.scored.bits
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
                  "parameter_write": 1, "parameter_place": bits_for(s.places),
                  "parameter_row": self.ar.parameters.bits if self.ar.parameters else 1,
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


def span_of(circuit: Circuit) -> tuple[int, int]:
    """Return the range of a circuit's first output."""
    node = next(iter(circuit.outputs.values()))
    return node.low, node.high
