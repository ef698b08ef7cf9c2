"""The drain: rows of sums are finished, a word or some a cycle, while others are formed."""

from __future__ import annotations

from verilog.emit.module import Port
from verilog.trainer.machine.finish import backward_circuit, update_circuit
from verilog.trainer.machine.lane import Lane
from verilog.trainer.machine.parts import Part, latency_for, part
from verilog.trainer.machine.sequence import Sizes
from verilog.trainer.plan.geometry import BACKWARD, FORWARD, UPDATE, Geometry, bits_for
from verilog.trainer.writing.text import literal, module, table, vec

__all__ = ["Drain"]


class Drain:
    """The module of the drain and the circuits in it."""

    def __init__(self, name: str, g: Geometry, lane: Lane, nanoseconds: float):
        self.g, self.lane, self.sizes = g, lane, Sizes(g)
        self.learning = learning = g.learning
        self.element = bits_for(max(learning.rows, default=0) * (max(learning.sizes) + 1))
        self.state = max(self.element, self.sizes.values)

        def made(label: str, what: str, circuit) -> Part:
            return part(f"{name}_{label}", what, circuit, latency_for(circuit, nanoseconds))

        self.forward = made("output", "the sum of a layer, rounded", learning.forward.finish)
        self.update = made("update", "a weight after a step", update_circuit(learning))
        self.parts = [self.forward, self.update]
        self.backward = None
        if len(learning.layers) > 1:
            self.backward = made("gradient", "the gradient of a layer's output",
                                 backward_circuit(learning))
            self.parts.append(self.backward)
        self.module = module(f"{name}_drain", "rows of sums, finished", self._ports(),
                             self._body())

    def _ports(self) -> list[Port]:
        g, s, learning = self.g, self.sizes, self.learning
        weights, gradients = learning.numbers["weights"].width, learning.numbers["gradients"].width
        values = learning.numbers["activations"].width
        ports = [Port("i_clk", 1), Port("i_rst", 1), Port("i_begin", 1), Port("i_kind", 2),
                 Port("i_phase", s.phase), Port("i_rows", s.images), Port("i_groups", s.images),
                 Port("i_any", 1), Port("i_row", g.lanes * self.lane.width),
                 Port("i_weights", g.lanes * weights), Port("i_value", values),
                 Port("o_take", 1, True), Port("o_idle", 1, True),
                 Port("o_weights_address", s.weights, True),
                 Port("o_value_address", s.values, True),
                 Port("o_value_write", 1, True), Port("o_value_write_address", s.values, True),
                 Port("o_value", values, True), Port("o_weights_write", 1, True),
                 Port("o_weights_write_address", s.weights, True),
                 Port("o_weights", g.lanes * weights, True)]
        if self.backward:
            ports += [Port("o_gradient_write", 1, True), Port("o_gradient", gradients, True),
                      Port("o_gradient_row", s.rows, True), Port("o_gradient_word", s.lane, True),
                      Port("o_gradient_banked", s.banks, True),
                      Port("o_gradient_bank", s.lane, True)]
        if learning.velocities:
            ports += [Port("i_velocities", g.lanes * gradients),
                      Port("o_velocities", g.lanes * gradients, True)]
        if learning.rated:
            ports.append(Port("i_rate", self.update.circuit.inputs["rate"].high.bit_length()
                              if self.update.circuit.inputs["rate"].low >= 0 else
                              (-self.update.circuit.inputs["rate"].low - 1).bit_length() + 1))
        if learning.salts:
            ports += [Port("i_seed_weights", 32), Port("i_seed_biases", 32)]
        if learning.decay is not None:
            ports.append(Port("i_decayed", 1))
        return ports

    # --- the text -------------------------------------------------------------------

    def _constants(self) -> str:
        """Return the table of bases and strides of each phase."""
        g = self.g
        rows = []
        for phase in g.phases:
            layer = g.layers[phase.layer]
            k, n, t, p = layer.inputs, layer.outputs, layer.tiles, g.lanes
            row: dict[str, int] = {"c_xs": t, "c_ys": 1, "c_last": layer.last - 1}
            if phase.kind == FORWARD:
                row |= {"c_e": layer.values, "c_ex": p, "c_ey": n, "c_ed": 1}
            elif phase.kind == BACKWARD:
                below = g.layers[phase.layer - 1]
                row |= {"c_ys": k - 1, "c_e": below.values, "c_ex": p * k, "c_ey": 1, "c_ed": k,
                        "c_r": below.rows, "c_rx": p * below.tiles, "c_rd": below.tiles,
                        "c_q": below.banks}
            elif phase.kind == UPDATE:
                row |= {"c_xs": k + 1, "c_ys": t - 1, "c_w": layer.weights, "c_ey": p,
                        "c_ex": self.learning.rows[phase.layer] if self.learning.rows else 0,
                        "c_ed": g.units}
            rows.append({name: literal(value, self._bits(name)) for name, value in row.items()})
        names = ("c_xs", "c_ys", "c_last", "c_e", "c_ex", "c_ey", "c_ed", "c_r", "c_rx", "c_rd",
                 "c_q", "c_w")
        return table("i_phase", rows, {n: literal(0, self._bits(n)) for n in names})

    def _bits(self, name: str) -> int:
        s = self.sizes
        return {"c_x": s.count, "c_y": s.count, "c_l": s.lane, "c_e": self.state, "c_r": s.rows,
                "c_q": s.banks, "c_w": s.weights}[name[:3]]

    def _body(self) -> str:
        g, s = self.g, self.sizes
        p, f, width = g.lanes, g.units, self.lane.width
        padded = f * g.chunks
        text = _TEXT
        for key, value in {
                "CONSTANTS": self._constants(), "CV": vec(s.count), "EV": vec(self.state),
                "RV": vec(s.rows), "QV": vec(s.banks), "WV": vec(s.weights), "LV": vec(s.lane),
                "CHUNK_1": literal(g.chunks - 1, s.lane), "LANES_1": literal(p - 1, s.lane),
                "LANES": literal(p, s.count),
                "COUNT_PAD": f"{{{s.count - s.images}{{1'b0}}}}",
                "ROWV": vec(padded * width), "REG": vec(width), "UPDATES": self._updates(),
                "OUTPUTS": self._outputs(), "WIDTH": str(width),
                "ROW": self._padded("i_row", p * width, padded * width),
                "SHIFTED_1": self._shifted("row", width, padded * width),
                "SHIFTED_F": self._shifted("row", f * width, padded * width),
                "L0": literal(0, s.lane), "L1": literal(1, s.lane), "C0": literal(0, s.count),
                "C1": literal(1, s.count), "R1": literal(1, s.rows), "Q1": literal(1, s.banks),
                "W1": literal(1, s.weights), "W0": literal(0, s.weights),
                "E_LOW": f"[{s.values - 1}:0]" if self.state > s.values else "",
                "LANE_COUNT": f"[{s.lane - 1}:0]" if s.count > s.lane else "",
        }.items():
            text = text.replace(f"@{key}@", value)
        return text

    @staticmethod
    def _padded(vector: str, bits: int, to: int) -> str:
        return vector if bits == to else f"{{{to - bits}'d0, {vector}}}"

    @staticmethod
    def _shifted(vector: str, by: int, bits: int) -> str:
        return f"{{{by}'d0, {vector}[{bits - 1}:{by}]}}" if by < bits else f"{bits}'d0"

    def _outputs(self) -> str:
        """Return what finishes outputs and gradients, a word a cycle."""
        learning, s = self.learning, self.sizes
        forward = learning.forward
        values = learning.numbers["activations"]
        given = forward.register.opened("", "word")
        lines = [self.forward.instance("rounded", given)]
        done = self.forward.answers("rounded")
        lines += _delayed("output_write", "1", f"moving & i_kind == 2'd{FORWARD}",
                          self.forward.latency + 1, True)
        lines += _delayed("output_address", str(s.values), f"e[{s.values - 1}:0]" if
                          self.state > s.values else "e", self.forward.latency + 1)
        closed = values.closed(dict(zip(values.ports("o"), done.values())), "o")
        lines += [f"assign o_value_write = output_write;\nassign o_value = {closed};",
                  "assign o_value_write_address = output_address;"]
        if self.backward is None:
            return "\n".join([*lines, "wire gradient_moving = 1'b0;"])
        latency = self.backward.latency + 1
        gradients = learning.numbers["gradients"]
        given = {**learning.backward.register.opened("", "word"), **values.opened("x", "i_value")}
        lines.append(self.backward.instance("gradient", given))
        for what, bits, source in (("row", s.rows, "r"), ("word", s.lane, "row_word"),
                                   ("banked", s.banks, "q"), ("bank", s.lane, "chunk")):
            lines += _delayed(f"gradient_{what}", str(bits), source, latency)
            lines.append(f"assign o_gradient_{what} = gradient_{what};")
        lines += _delayed("gradient_write", "1", f"moving & i_kind == 2'd{BACKWARD}", latency, True)
        closed = gradients.closed(self.backward.answers("gradient"), "o")
        lines += [f"assign o_gradient_write = gradient_write;\nassign o_gradient = {closed};",
                  "wire gradient_moving = gradient_write_any;"]
        return "\n".join(lines)

    def _updates(self) -> str:
        """Return what finishes updates, `units` weights a cycle, and gathers rows of them."""
        g, learning, s = self.g, self.learning, self.sizes
        f, width, padded = g.units, self.lane.width, g.units * g.chunks
        w, v = learning.numbers["weights"], learning.numbers["gradients"]
        kept = [("w", w, "weights")] + ([("v", v, "velocities")] if learning.velocities else [])
        lines, gathers = [], []
        for name, number, port in kept:
            bits, whole = number.width, padded * number.width
            row = self._padded(f"i_{port}", g.lanes * bits, whole)
            lines.append(f"reg {vec(whole)}{name}_row;\nalways @(posedge i_clk)\n"
                         f"  if (take) {name}_row <= {row};\n"
                         f"  else {name}_row <= {self._shifted(f'{name}_row', f * bits, whole)};")
        if learning.salts:
            lines.append("reg [31:0] seed;\nalways @(posedge i_clk)\n"
                         "  if (take) seed <= x == " + literal(0, s.count)
                         + " ? i_seed_biases : i_seed_weights;")
        for unit in range(f):
            given = {**learning.update.register.opened("", "row", unit * width)}
            for name, number, _ in kept:
                given |= number.opened(name, f"{name}_row", unit * number.width)
            given |= {"rate": "i_rate", "seed": "seed", "decayed": "i_decayed"}
            if learning.salts:
                given["element"] = f"{{{31 - self.state}'d0, e + {literal(unit, self.state)}}}"
            lines.append(self.update.instance(f"update_{unit}", given))
        lines += _delayed("updated", "1", f"moving & i_kind == 2'd{UPDATE}", self.update.latency,
                          True)
        lines += _delayed("updated_last", "1", "last", self.update.latency)
        for name, number, port in kept:
            bits, whole = number.width, padded * number.width
            out = "o" if name == "w" else "o_v"
            new = [number.closed(self.update.answers(f"update_{u}"), out) for u in range(f)]
            chunk = f"{{{', '.join(reversed(new))}}}"
            moved = chunk if f * bits == whole else (
                f"{{{chunk}, {name}_new[{whole - 1}:{f * bits}]}}")
            gathers.append(f"reg {vec(whole)}{name}_new;\nalways @(posedge i_clk)\n"
                           f"  if (updated) {name}_new <= {moved};\n"
                           f"assign o_{port} = {name}_new"
                           + (f"[{g.lanes * bits - 1}:0];" if g.lanes * bits < whole else ";"))
        return "\n".join([*lines, *gathers])


def _delayed(name: str, bits: str, source: str, count: int, flag: bool = False) -> list[str]:
    """Return the wire <name>: the source, so many cycles later. A flag has <name>_any, which
    tells whether one is on its way, and is cleared by a reset."""
    wide = int(bits)
    lines = [f"reg {vec(wide)}{', '.join(f'{name}_{i + 1}' for i in range(count))};"]
    sources = [source, *(f"{name}_{i + 1}" for i in range(count - 1))]
    moves = " ".join(f"{name}_{i + 1} <= {before}{' & ~i_rst' if flag else ''};"
                     for i, before in enumerate(sources))
    lines += [f"always @(posedge i_clk) begin {moves} end",
              f"wire {vec(wide)}{name} = {name}_{count};"]
    if flag:
        lines.append(f"wire {name}_any = {' | '.join(f'{name}_{i + 1}' for i in range(count))};")
    return lines


_TEXT = f"""
localparam FORWARD = 2'd{FORWARD}, BACKWARD = 2'd{BACKWARD}, UPDATE = 2'd{UPDATE};
""" + """
reg @CV@c_xs, c_ys;
reg @LV@c_last;
reg @EV@c_e, c_ex, c_ey, c_ed;
reg @RV@c_r, c_rx, c_rd;
reg @QV@c_q;
reg @WV@c_w;
@CONSTANTS@

// Where the next row belongs: the sum (x, y), and addresses by it.
reg @CV@xs, y_1, x, y;
reg @LV@last_1;
reg @EV@ex, ey, ed, next_e, e_base;
reg @RV@rx, rd, next_r, r_base;
reg @LV@next_word;
reg @QV@next_q;
reg @WV@next_weights, written;

// The row at work.
reg busy;
reg @LV@chunk, chunk_1, row_word;
reg @EV@e;
reg @RV@r;
reg @QV@q;
reg @ROWV@row;

wire moving = busy;
wire last = chunk == chunk_1;
wire take = i_any & (~busy | last);
wire wrap = y == y_1;
wire last_x = x + @C1@ == xs;
wire word_wraps = next_word == @LANES_1@;
wire @CV@images = {@COUNT_PAD@, i_rows} - x_images;
reg @CV@x_images;

always @(posedge i_clk) begin
  if (i_rst) busy <= 1'b0;
  else busy <= take | (busy & ~last);
  if (i_begin) begin
    xs <= i_kind == BACKWARD ? {@COUNT_PAD@, i_groups} : c_xs;
    y_1 <= i_kind == FORWARD ? {@COUNT_PAD@, i_rows} - @C1@ : c_ys;
    last_1 <= c_last;
    ex <= c_ex; ey <= c_ey; ed <= c_ed;
    rx <= c_rx; rd <= c_rd;
    x <= @C0@; y <= @C0@; x_images <= @C0@;
    next_e <= c_e; e_base <= c_e;
    next_r <= c_r; r_base <= c_r;
    next_word <= @L0@;
    next_q <= c_q;
    next_weights <= c_w;
  end else if (take) begin
    y <= wrap ? @C0@ : y + @C1@;
    if (wrap) x <= x + @C1@;
    if (wrap) x_images <= x_images + @LANES@;
    next_e <= wrap ? (i_kind == UPDATE & x == @C0@ ? e_base : e_base + ex) : next_e + ey;
    if (wrap & ~(i_kind == UPDATE & x == @C0@)) e_base <= e_base + ex;
    next_r <= wrap ? r_base + rx : word_wraps ? next_r + @R1@ : next_r;
    if (wrap) r_base <= r_base + rx;
    next_word <= wrap | word_wraps ? @L0@ : next_word + @L1@;
    next_q <= next_q + @Q1@;
    next_weights <= next_weights + @W1@;
  end
  if (take) begin
    chunk <= @L0@;
    chunk_1 <= i_kind == UPDATE ? @CHUNK_1@ :
               i_kind == FORWARD ? (last_x ? last_1 : @LANES_1@) :
               images < @LANES@ ? images@LANE_COUNT@ - @L1@ : @LANES_1@;
    e <= next_e;
    r <= next_r;
    row_word <= next_word;
    q <= next_q;
    row <= @ROW@;
  end else begin
    chunk <= chunk + @L1@;
    e <= e + ed;
    r <= r + rd;
    row <= i_kind == UPDATE ? @SHIFTED_F@ : @SHIFTED_1@;
  end
end

// Outputs of layers and their gradients; the output before its activation is read meanwhile.
reg @REG@word;
always @(posedge i_clk) word <= row[@WIDTH@-1:0];
@OUTPUTS@

// Updates.
@UPDATES@
reg row_done;
always @(posedge i_clk) begin
  row_done <= updated & updated_last & ~i_rst;
  if (i_begin) written <= c_w;
  else if (row_done) written <= written + @W1@;
end

assign o_take = take;
assign o_idle = ~busy & ~output_write_any & ~gradient_moving & ~updated_any & ~row_done;
assign o_weights_address = next_weights + (take ? @W1@ : @W0@);
assign o_weights_write = row_done;
assign o_weights_write_address = written;
assign o_value_address = e@E_LOW@;
"""
