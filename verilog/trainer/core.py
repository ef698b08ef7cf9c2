"""The trainer as a whole: memories, lanes, drain, soft-max and sequencer put together."""

from __future__ import annotations

from dataclasses import dataclass

from verilog.emit.lower import width_of
from verilog.emit.module import Module, Port
from verilog.emit.pipeline import shortest_ns
from verilog.trainer.machine.drain import Drain
from verilog.trainer.machine.lane import Lane
from verilog.trainer.machine.memories import memory, queue
from verilog.trainer.machine.parts import Part, part
from verilog.trainer.machine.ports import images, weights
from verilog.trainer.machine.seeds import seeds
from verilog.trainer.machine.sequence import Sizes, sequence
from verilog.trainer.machine.softmax import Softmax
from verilog.trainer.plan.geometry import BACKWARD, FORWARD, SOFTMAX, UPDATE, Geometry, bits_for
from verilog.trainer.plan.learning import Learning
from verilog.trainer.writing.text import literal, module, vec

__all__ = ["Core", "core"]

LEAST_NS = 8.0  # an estimate below which the circuits beside the lanes are not cut; else
# they are cut to half of a lane's, so that they never hold the clock back


@dataclass(frozen=True)
class Core:
    """A trainer: its modules, the top one last, and what it was made from."""

    name: str
    geometry: Geometry
    modules: tuple[Module, ...]

    @property
    def top(self) -> Module:
        return self.modules[-1]

    def port(self, name: str) -> Port:
        """Return a port of the top module."""
        return next(p for p in self.top.ports if p.name == name)

    @property
    def files(self) -> dict[str, str]:
        """The text of every file, by name: modules and memories."""
        texts = {f"{m.name}.v": m.text for m in self.modules}
        return texts | {k: text for m in self.modules for k, text in m.files.items()}


def core(name: str, learning: Learning, lanes: int, loop: int) -> Core:
    """Return the trainer with so many lanes, and registers in the loop of each."""
    return _Maker(name, Geometry(learning, lanes, loop)).core()


class _Maker:
    def __init__(self, name: str, g: Geometry):
        self.name, self.g, self.s, self.learning = name, g, Sizes(g), g.learning
        self.lane = Lane(name, self.learning, g.loop)
        step = self.lane.parts[0].circuit
        nanoseconds = max(LEAST_NS, shortest_ns(step, g.loop) / 2)
        self.drain = Drain(name, g, self.lane, nanoseconds)
        self.softmax = Softmax(name, g, nanoseconds)
        self.active = part(f"{name}_active", "an activation", self.learning.active, 0)
        self.opened, self.closed = (
            part(f"{name}_{what}", f"a word of weights, {what}", circuit, 0) if circuit else None
            for what, circuit in (("opened", self.learning.opened),
                                  ("closed", self.learning.closed)))
        self.modules: list[Module] = []
        self.wires: list[str] = []  # what modules give, declared before all use

    def core(self) -> Core:
        """Return the core of all modules."""
        parts: list[Part | None] = [*self.lane.parts, *self.drain.parts, *self.softmax.parts,
                                    self.active, self.opened, self.closed]
        self.modules = [p.module for p in parts if p is not None]
        items = [self._front(), self._operands(), self._lanes(), self._memories(), self._end()]
        text = "\n\n".join(["\n".join(self.wires), *items])
        top = module(self.name, self._about(), self._ports(), text)
        return Core(self.name, self.g, (*self.modules, top))

    def _about(self) -> str:
        sizes = "-".join(map(str, self.learning.sizes))
        told = ", ".join(f"{k} {v}" for k, v in self.learning.settings.items())
        return (f"trains a {sizes} perceptron, {told}; {self.g.lanes} lanes with {self.g.loop} "
                "registers in the loop")

    def _ports(self) -> list[Port]:
        learning = self.learning
        ports = [
            Port("i_clk", 1, meaning="clock"),
            Port("i_rst", 1, meaning="synchronous, active high; weights are kept"),
            Port("i_valid", 1, meaning="a pixel is there"),
            Port("o_ready", 1, True, "the pixel is taken"),
            Port("i_pixel", 8, meaning="pixel, 0..255, image by image"),
            Port("i_label", bits_for(learning.sizes[-1] - 1),
                 meaning="class, with the last pixel of an image"),
            Port("i_last", 1, meaning="with the last pixel: the batch ends with this image"),
            Port("i_weight_valid", 1, meaning="a word of weights is there"),
            Port("o_weight_ready", 1, True, "the word is taken"),
            Port("i_weight", learning.word_bits, meaning="word of weights"),
            Port("i_read", 1, meaning="asks for all weights, after the step that runs"),
            Port("o_weight_valid", 1, True, "a word of weights stands at o_weight"),
            Port("i_weight_ready", 1, meaning="the word is taken"),
            Port("o_weight", learning.word_bits, True, "word of weights"),
            Port("o_weight_last", 1, True, "the last word of weights"),
            Port("o_busy", 1, True, "a step runs"),
            Port("o_done", 1, True, "a step ends with this cycle"),
            Port("o_steps", 1, True, "lanes take steps of sums")]
        if learning.rated:
            ports.append(Port("i_rate", self._rate(), meaning="learning rate of the batch, with "
                              "its last pixel"))
        return ports

    def _rate(self) -> int:
        node = self.learning.update.finish.inputs["rate"]
        return width_of(node.low, node.high)

    def _made(self, made: Module, label: str, **links: str) -> str:
        """Return an instance of a module, which becomes one of the core's; its outputs are the
        wires <label>_<port>."""
        if made.name not in {m.name for m in self.modules}:
            self.modules.append(made)
        linked = {"i_clk": "i_clk", "i_rst": "i_rst", **links}
        listed = []
        for p in made.ports:
            if p.output:
                wire = f"{label}_{p.name[2:]}"
                self.wires.append(f"wire {vec(p.width)}{wire};")
                listed.append(f".{p.name}({wire})")
            else:
                listed.append(f".{p.name}({linked[p.name]})")
        return f"{made.name} {label} ({', '.join(listed)});"

    def _front(self) -> str:
        """Return images, weights, the sequencer and what counts steps."""
        g, learning, name = self.g, self.learning, self.name
        batch = images(f"{name}_images", g)
        host = weights(f"{name}_weights", g, self.opened, self.closed)
        order = sequence(f"{name}_sequence", g)
        lines = ["wire go = order_idle & images_any & ~host_busy & ~i_read & ~i_weight_valid;",
                 self._made(batch, "images", i_valid="i_valid", i_pixel="i_pixel",
                            i_label="i_label", i_last="i_last", i_go="go",
                            i_image="softmax_image", i_rate="i_rate"),
                 self._made(order, "order", i_go="go", i_bank="images_bank",
                            i_rows="images_rows", i_groups="images_groups", i_taken="drain_take",
                            i_drained="drain_idle", i_softmax_done="softmax_done",
                            i_seeded="seeds_done" if learning.salts else "1'b1"),
                 self._made(host, "host", i_idle="order_idle", i_valid="i_weight_valid",
                            i_word="i_weight", i_read="i_read", i_ready="i_weight_ready",
                            i_row="weights_data", i_velocities="velocities_data")]
        if learning.counted:
            lines.append(self._counters())
        if learning.salts:
            assert learning.random is not None
            unit = part(f"{name}_random", "random bits of a counter", learning.random, 4)
            self.modules.append(unit.module)
            lines.append(self._made(
                seeds(f"{name}_seeds", g, unit), "seeds", i_begin="order_begin",
                i_phase="order_phase", i_whole="images_rows == "
                + literal(learning.batch, self.s.images), i_step="counted"))
        return "\n".join(lines)

    def _counters(self) -> str:
        learning = self.learning
        lines = ["reg [31:0] counted;", "always @(posedge i_clk)",
                 f"  if (i_rst) counted <= 32'd{learning.step & 0xFFFFFFFF};",
                 "  else if (go) counted <= counted + 32'd1;"]
        if learning.decay_period:
            bits = bits_for(learning.decay_period)
            begun = literal(learning.step % learning.decay_period, bits)
            period = literal(learning.decay_period - 1, bits)
            lines += [f"reg {vec(bits)}since;\nreg decayed;\nalways @(posedge i_clk)",
                      f"  if (i_rst) since <= {begun};",
                      "  else if (go) begin",
                      f"    since <= since == {period} ? {literal(0, bits)} : since + "
                      f"{literal(1, bits)};",
                      f"    decayed <= since == {period};", "  end"]
        return "\n".join(lines)

    def _operands(self) -> str:
        """Return the stage behind the memories: the operands of lanes."""
        g, learning = self.g, self.learning
        numbers = learning.numbers
        values, weight = numbers["activations"].width, numbers["weights"].width
        p, one = g.lanes, literal(numbers["activations"].kept(learning.one), values)
        lines = [f"wire {vec(values)}value = order_first_layer ? inputs_data : values_data;",
                 "wire first_layer = order_first_layer;",
                 "reg valid, first, load, ends, one;",
                 self.active.instance("activated", numbers["activations"].opened("x", "value")),
                 f"wire {vec(values)}active = " + numbers["activations"].closed(
                     self.active.answers("activated"), "o") + ";",
                 f"wire {vec(values)}seen = one ? {one} : "
                 "first_layer ? value : active;",
                 "always @(posedge i_clk) begin",
                 *(f"  {n} <= order_{n}{' & ~i_rst' if n in ('valid', 'ends') else ''};"
                   for n in ("valid", "first", "load", "ends", "one")), "end"]
        if self.drain.backward:
            lines += [f"reg {vec(self.s.lane)}of_row;",
                      "always @(posedge i_clk) of_row <= order_word;",
                      f"reg {vec(weight)}shared;", "always @* begin", "  case (of_row)",
                      *(f"    {literal(i, self.s.lane)}: shared = "
                        f"weights_data[{(i + 1) * weight - 1}:{i * weight}];"
                        for i in range(1, p)),
                      f"    default: shared = weights_data[{weight - 1}:0];", "  endcase", "end"]
        lines += ["reg lane_first, lane_load, lane_ends;",
                  "always @(posedge i_clk) begin", "  lane_first <= first; lane_load <= load; "
                  "lane_ends <= ends & ~i_rst;", "end",
                  f"wire is_backward = order_kind == 2'd{BACKWARD};",
                  f"wire is_update = order_kind == 2'd{UPDATE};"]
        for i in range(p):
            lines.append(self._operand(i))
        return "\n".join(lines)

    def _operand(self, i: int) -> str:
        learning, lane = self.learning, self.lane
        numbers = learning.numbers
        weight, gradient = numbers["weights"].width, numbers["gradients"].width
        a = _wide("seen", numbers["activations"].width, lane.scalar)
        absents = {FORWARD: learning.forward, BACKWARD: learning.backward,
                   UPDATE: learning.update}
        absent = _absent("seen", learning.forward)
        own_weight = _wide(f"weights_data[{(i + 1) * weight - 1}:{i * weight}]", weight,
                           lane.vector)
        b = f"is_update ? {_wide(f'rows_{i}_data', gradient, lane.vector)} : {own_weight}"
        if self.drain.backward:
            bank = f"bank_{i}_data" if i < self.g.images else literal(0, gradient)
            a = f"is_backward ? {_wide(bank, gradient, lane.scalar)} : {a}"
            b = f"is_backward ? {_wide('shared', weight, lane.vector)} : {b}"
            of_bank = _absent(bank, absents[BACKWARD]) if i < self.g.images else "1'b1"
            absent = f"(is_backward ? {of_bank} : {absent})"
        return (f"reg {vec(lane.scalar)}a_{i};\nreg {vec(lane.vector)}b_{i};\nreg absent_{i};\n"
                "always @(posedge i_clk) begin\n"
                f"  a_{i} <= {a};\n  b_{i} <= {b};\n"
                f"  absent_{i} <= ~valid | load | {absent};\nend")

    def _lanes(self) -> str:
        g, lane = self.g, self.lane
        self.modules.append(lane.module)
        lines = [f"wire {vec(lane.width)}register_{i};\n{lane.module.name} lane_{i} ("
                 f".i_clk(i_clk), .i_kind(order_kind), .i_first(lane_first), .i_load(lane_load), "
                 f".i_absent(absent_{i}), .i_a(a_{i}), .i_b(b_{i}), .o_register(register_{i}));"
                 for i in range(g.lanes)]
        names = [f"ends_{i}" for i in range(1, g.loop + 1)]
        moves = " ".join(f"{n} <= {before} & ~i_rst;"
                         for n, before in zip(names, ["lane_ends", *names]))
        lines += [f"reg {', '.join(names)};", f"always @(posedge i_clk) begin {moves} end"]
        row = ", ".join(f"register_{i}" for i in reversed(range(g.lanes)))
        lines.append(self._made(queue(f"{self.name}_queue", g.lanes * lane.width, g.depth), "queue",
                                i_write=names[-1], i_data=f"{{{row}}}", i_take="drain_take"))
        return "\n".join(lines)

    def _end(self) -> str:
        """Return the drain and the soft-max."""
        lines = [self._made(
            self.drain.module, "drain", i_begin="order_begin", i_kind="order_kind",
            i_phase="order_phase", i_rows="images_rows", i_groups="images_groups",
            i_any="queue_any", i_row="queue_data", i_weights="weights_data", i_value="values_data",
            i_velocities="velocities_data", i_rate="images_rate",
            i_seed_weights="seeds_weights", i_seed_biases="seeds_biases", i_decayed="decayed")]
        lines.append(self._made(
            self.softmax.module, "softmax", i_start="order_softmax", i_rows="images_rows",
            i_value="values_data", i_label="images_label"))
        lines += ["assign o_ready = images_ready;", "assign o_weight_ready = host_ready;",
                  "assign o_weight_valid = host_valid;", "assign o_weight = host_word;",
                  "assign o_weight_last = host_last;", "assign o_busy = ~order_idle;",
                  "assign o_done = order_done;", "assign o_steps = valid & ~load;"]
        return "\n".join(lines)

    def _memories(self) -> str:
        g, s, learning, name = self.g, self.s, self.learning, self.name
        numbers = learning.numbers
        values, weight, gradient = (numbers[r].width for r in ("activations", "weights",
                                                               "gradients"))
        wide = g.lanes * weight
        low = f"order_scalar[{s.inputs - 1}:0]" if s.scalars > s.inputs else "order_scalar"
        scalar = f"order_scalar[{s.values - 1}:0]" if s.scalars > s.values else "order_scalar"
        reads = "order_valid & ~order_load & ~order_one"
        softmax = f"order_kind == 2'd{SOFTMAX}"
        lines = [self._made(
            memory(f"{name}_inputs", values, 2 * learning.batch * learning.sizes[0]), "inputs",
            i_write="images_write", i_write_address="images_write_address", i_data="images_value",
            i_read=f"{reads} & order_first_layer", i_read_address=low)]
        lines.append(self._made(
            memory(f"{name}_values", values, g.values), "values", i_write="drain_value_write",
            i_write_address="drain_value_write_address", i_data="drain_value",
            i_read=f"is_backward | {softmax} | ({reads} & ~order_first_layer)",
            i_read_address=f"is_backward ? drain_value_address : {softmax} ? "
            f"softmax_value_address : {scalar}"))
        lines.append(self._made(
            memory(f"{name}_rows", wide, g.weight_rows), "weights",
            i_write="drain_weights_write | host_write",
            i_write_address="drain_weights_write ? drain_weights_write_address : host_address",
            i_data="drain_weights_write ? drain_weights : host_row",
            i_read="order_idle ? host_fetch : is_update | order_valid",
            i_read_address="order_idle ? host_address : is_update ? "
            "drain_weights_address : order_weights"))
        if learning.velocities:
            lines.append(self._made(
                memory(f"{name}_velocities", g.lanes * gradient, g.weight_rows), "velocities",
                i_write="drain_weights_write | host_write_velocities",
                i_write_address="drain_weights_write ? drain_weights_write_address : host_address",
                i_data="drain_weights_write ? drain_velocities : host_row",
                i_read="order_idle ? host_fetch : is_update",
                i_read_address="order_idle ? host_address : drain_weights_address"))
        lines.append(self._gradients(gradient))
        return "\n".join(lines)

    def _gradients(self, bits: int) -> str:
        """Return the memories of gradients: a row's words, and the banks of images."""
        g, s, name = self.g, self.s, self.name
        lines = []
        source = {n: f"softmax_{o}" for n, o in (
            ("gradient_write", "write"), ("gradient", "gradient"), ("gradient_row", "row"),
            ("gradient_word", "word"), ("gradient_banked", "banked"), ("gradient_bank", "bank"))}
        widths = {"gradient_write": 1, "gradient": bits, "gradient_row": s.rows,
                  "gradient_word": s.lane, "gradient_banked": s.banks, "gradient_bank": s.lane}
        for key, other in source.items():
            value = f"drain_gradient_write ? drain_{key} : {other}"
            if key == "gradient_write":
                value = f"drain_gradient_write | {other}"
            lines.append(f"wire {vec(widths[key])}{key} = "
                         + (value if self.drain.backward else other) + ";")
        rows = memory(f"{name}_gradients", bits, g.gradient_rows)
        at = f"order_gradients[{s.rows - 1}:0]" if s.gradients > s.rows else "order_gradients"
        for i in range(g.lanes):
            lines.append(self._made(
                rows, f"rows_{i}", i_write="gradient_write & gradient_word == "
                + literal(i, s.lane), i_write_address="gradient_row", i_data="gradient",
                i_read="order_valid & is_update", i_read_address=at))
        if self.drain.backward:  # the gradients of the first layer's outputs go no further down
            number = next(i for i, p in enumerate(g.phases)
                          if p.kind == BACKWARD and p.layer == 1)
            lines.append(f"wire gradient_banks = order_phase != {literal(number, s.phase)};")
            banks = memory(f"{name}_banks", bits, g.bank_words)
            at = (f"order_gradients[{s.banks - 1}:0]" if s.gradients > s.banks
                  else "order_gradients")
            for i in range(g.images):
                lines.append(self._made(
                    banks, f"bank_{i}", i_write=f"gradient_write & gradient_banks & "
                    f"gradient_bank == {literal(i, s.lane)}", i_write_address="gradient_banked",
                    i_data="gradient", i_read="order_valid & is_backward", i_read_address=at))
        return "\n".join(lines)


def _wide(vector: str, bits: int, to: int) -> str:
    return vector if bits == to else f"{{{to - bits}'d0, {vector}}}"


def _absent(vector: str, one) -> str:
    """Return whether a number is the absent one."""
    name = next(iter(one.a.fields))
    bits = one.a.bits(name)
    value = literal(one.absent, bits)
    if vector[0].isdigit():
        return "1'b1"
    part = f"{vector}[{bits - 1}:0]" if bits < one.a.width else vector
    return f"{part} == {value}"

