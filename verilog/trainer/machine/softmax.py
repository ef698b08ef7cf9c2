"""The soft-max unit: a first pass over the logits of an image sums, a second one gives
gradients."""

from __future__ import annotations

from verilog.emit.lower import width_of
from verilog.emit.module import Module, Port
from verilog.trainer.machine.parts import Part, latency_for, part
from verilog.trainer.machine.sequence import Sizes
from verilog.trainer.plan.geometry import Geometry, bits_for
from verilog.trainer.plan.learning import Wire
from verilog.trainer.writing.text import literal, module, table, vec

__all__ = ["Softmax"]


class Softmax:
    """The module of the unit and the circuits in it."""

    def __init__(self, name: str, g: Geometry, nanoseconds: float):
        self.g, self.sizes = g, Sizes(g)
        about = {"linear": "the exponent of a logit", "log_add": "the sum of two powers",
                 "mean": "the mean exponent", "common": "the pull on all logits",
                 "gradient": "the gradient of a logit"}
        self.units: dict[str, Part] = {
            label: part(f"{name}_softmax_{label}", what, circuit, latency_for(circuit, nanoseconds))
            for label, what in about.items()
            if (circuit := g.learning.softmax.get(label)) is not None}
        self.parts = list(self.units.values())
        self.module = self._module(f"{name}_softmax")

    def _module(self, name: str) -> Module:
        s, numbers = self.sizes, self.g.learning.numbers
        label = bits_for(self.g.learning.sizes[-1] - 1)
        ports = [Port("i_clk", 1), Port("i_rst", 1), Port("i_start", 1), Port("i_rows", s.images),
                 Port("i_value", numbers["activations"].width), Port("i_label", label),
                 Port("o_done", 1, True), Port("o_image", s.images, True),
                 Port("o_value_address", s.values, True), Port("o_write", 1, True),
                 Port("o_gradient", numbers["gradients"].width, True),
                 Port("o_row", s.rows, True), Port("o_word", s.lane, True),
                 Port("o_banked", s.banks, True), Port("o_bank", s.lane, True)]
        text = _TEXT
        for key, value in self._values(label).items():
            text = text.replace(f"@{key}@", value)
        return module(name, "soft-max of the logits of a batch and its gradients", ports, text)

    def _values(self, label: int) -> dict[str, str]:
        g, s, learning = self.g, self.sizes, self.g.learning
        units, classes = self.units, g.learning.sizes[-1]
        last, lat = g.layers[-1], {k: u.latency for k, u in self.units.items()}
        gap = lat["log_add"] + 1
        settle = lat["linear"] + lat["log_add"] + lat.get("mean", 0) + lat.get("common", 0) + 3
        end = lat["linear"] + lat["gradient"] + 2
        wait = bits_for(max(settle, end, gap))
        return {
            "IV": vec(s.images), "AV": vec(s.values), "LV": vec(label), "RV": vec(s.rows),
            "WV": vec(s.lane), "BV": vec(s.banks), "NV": vec(wait),
            "SV": vec(_width(units["gradient"], "s")), "PARTS": self._circuits(label),
            "SCALES": self._scales(), "READ": str(lat["linear"] + 1),
            "ADDED": str(lat["log_add"]),
            "LEFT": str(lat["gradient"]), "LOGITS": literal(last.values, s.values),
            "CLASSES_1": literal(classes - 1, label), "GAP_1": literal(gap - 1, wait),
            "SETTLE": literal(settle, wait), "END": literal(end, wait), "N0": literal(0, wait),
            "N1": literal(1, wait), "L0": literal(0, label), "L1": literal(1, label),
            "I0": literal(0, s.images), "I1": literal(1, s.images), "A1": literal(1, s.values),
            "ROWS": literal(last.rows, s.rows), "R1": literal(1, s.rows),
            "BANKS": literal(last.banks, s.banks), "W0": literal(0, s.lane),
            "W1": literal(1, s.lane), "LANES_1": literal(g.lanes - 1, s.lane),
            "CLASSES": literal(classes, s.banks), "BL": _fit("left", label, s.banks),
            "SHIFTS": _shifts(("on_way", "heads", "sums"), lat["linear"] + 1, ("on_way",)),
            "MORE_SHIFTS": _shifts(("added",), lat["log_add"], ("added",))
            + _shifts(("leaving",), lat["gradient"], ("leaving",)),
            "GRADIENT": learning.numbers["gradients"].closed(self._gradient(), "")}

    def _gradient(self) -> dict[str, Wire]:
        answers = self.units["gradient"].answers("gradient").values()
        return dict(zip(self.g.learning.numbers["gradients"].ports(""), answers))

    def _circuits(self, label: int) -> str:
        units, numbers = self.units, self.g.learning.numbers
        single = len(numbers["activations"].fields) == 1
        lines = [units["linear"].instance("linear", numbers["activations"].opened(
            "word" if single else "", "i_value"))]
        term = units["linear"].answers("linear")["out"]
        sums = units["gradient"].circuit.inputs["s"]
        bits = width_of(sums.low, sums.high)
        held = Wire("sum", sums.low, sums.high)
        lines += [f"wire {vec(bits)}term = {term.fitted(bits)};",
                  units["log_add"].instance("added_up", {"s": held, "t": term}),
                  f"wire {vec(bits)}after = "
                  f"{units['log_add'].answers('added_up')['out'].fitted(bits)};"]
        given: dict[str, str | Wire] = {"t": term, "s": held, "label": "labelled",
                                        "scale": "scale"}
        if "mean" in units:
            total = units["mean"].circuit.inputs["total"]
            wide = width_of(total.low, total.high)
            lines += [f"reg {vec(wide)}total;\nalways @(posedge i_clk)\n"
                      "  if (arrives) total <= "
                      f"first ? {term.fitted(wide)} : total + {term.fitted(wide)};",
                      units["mean"].instance("mean", {"total": "total"}),
                      units["common"].instance("common", {
                          "mean": self._held(units["mean"].answers("mean")["out"],
                                             units["common"])})]
            given |= {f"c_{k}": w for k, w in units["common"].answers("common").items()}
        return "\n".join([*lines, units["gradient"].instance("gradient", given)])

    @staticmethod
    def _held(wire: Wire, taker: Part) -> str:
        """Return a mean in the bits of the operand, which hold every mean that can be."""
        node = taker.circuit.inputs["mean"]
        return wire.fitted(width_of(node.low, node.high))

    def _scales(self) -> str:
        bits = _width(self.units["gradient"], "scale")
        rows = [{"scale": literal(v, bits)} for v in (0, *self.g.learning.scales)]
        return f"reg {vec(bits)}scale;\n" + table("i_rows", rows, {"scale": literal(0, bits)})


def _shifts(names: tuple[str, ...], most: int, cleared: tuple[str, ...]) -> str:
    """Return the moves of shift registers from bit 1 to bit `most`."""
    if most == 1:
        return ""
    return "".join(f"  {n}[{most}:2] <= {n}[{most - 1}:1]"
                   + (f" & {{{most - 1}{{~i_rst}}}}" if n in cleared else "") + ";\n"
                   for n in names)


def _width(unit: Part, port: str) -> int:
    node = unit.circuit.inputs[port]
    return width_of(node.low, node.high)


def _fit(name: str, own: int, bits: int) -> str:
    """Return a register of so many bits, which is no number below 0, in other bits."""
    if own == bits:
        return name
    return f"{name}[{bits - 1}:0]" if own > bits else f"{{{bits - own}'d0, {name}}}"


_TEXT = """
localparam IDLE = 3'd0, SUM = 3'd1, SETTLE = 3'd2, GRADIENT = 3'd3, END = 3'd4;
reg [2:0] state;
reg @IV@image;
reg @AV@address, base;
reg @LV@logit;
reg @NV@wait_for;
wire last_logit = logit == @CLASSES_1@;
wire reads = (state == SUM & wait_for == @N0@) | state == GRADIENT;
wire image_ends = state == END & wait_for == @N0@;
wire last_image = image + @I1@ == i_rows;

always @(posedge i_clk) begin
  if (i_rst) state <= IDLE;
  else case (state)
    IDLE: if (i_start) state <= SUM;
    SUM: if (reads & last_logit) state <= SETTLE;
    SETTLE: if (wait_for == @N0@) state <= GRADIENT;
    GRADIENT: if (last_logit) state <= END;
    default: if (wait_for == @N0@) state <= last_image ? IDLE : SUM;
  endcase
  if (state == IDLE) begin
    image <= @I0@;
    address <= @LOGITS@;
    base <= @LOGITS@;
  end else begin
    if (reads) address <= last_logit & state == SUM ? base : address + @A1@;
    if (image_ends) begin
      image <= image + @I1@;
      base <= address;
    end
  end
  if (state == IDLE) logit <= @L0@;
  else if (reads) logit <= last_logit ? @L0@ : logit + @L1@;
  if (state == IDLE) wait_for <= @N0@;
  else if (reads) wait_for <= state == GRADIENT ? @END@ : last_logit ? @SETTLE@ : @GAP_1@;
  else if (wait_for != @N0@) wait_for <= wait_for - @N1@;
end

// A logit arrives as the exponent `term`, @READ@ cycles after its address.
reg [@READ@:1] on_way, heads, sums;
always @(posedge i_clk) begin
  on_way[1] <= reads & ~i_rst;
  heads[1] <= logit == @L0@;
  sums[1] <= state == SUM;
@SHIFTS@
end
wire arrives = on_way[@READ@] & sums[@READ@];
wire first = heads[@READ@];
reg @SV@sum;
reg @LV@second;
wire labelled = second == i_label;
@SCALES@
@PARTS@
reg [@ADDED@:1] added;
reg [@LEFT@:1] leaving;
wire second_arrives = on_way[@READ@] & ~sums[@READ@];
always @(posedge i_clk) begin
  added[1] <= arrives & ~first & ~i_rst;
  leaving[1] <= second_arrives & ~i_rst;
@MORE_SHIFTS@
  if (arrives & first) sum <= term;
  else if (added[@ADDED@]) sum <= after;
  if (state == SUM) second <= @L0@;
  else if (second_arrives) second <= second + @L1@;
end

// Where the gradients go.
wire leaves = leaving[@LEFT@];
reg @LV@left;
reg @RV@row;
reg @WV@word, bank;
reg @BV@group;
wire row_ends = word == @LANES_1@ | left == @CLASSES_1@;
always @(posedge i_clk) begin
  if (state == IDLE) begin
    left <= @L0@;
    row <= @ROWS@;
    word <= @W0@;
    bank <= @W0@;
    group <= @BANKS@;
  end else if (leaves) begin
    left <= left == @CLASSES_1@ ? @L0@ : left + @L1@;
    row <= row_ends ? row + @R1@ : row;
    word <= row_ends ? @W0@ : word + @W1@;
    if (left == @CLASSES_1@) begin
      bank <= bank == @LANES_1@ ? @W0@ : bank + @W1@;
      if (bank == @LANES_1@) group <= group + @CLASSES@;
    end
  end
end

assign o_done = image_ends & last_image;
assign o_image = image;
assign o_value_address = address;
assign o_write = leaves;
assign o_gradient = @GRADIENT@;
assign o_row = row;
assign o_word = word;
assign o_banked = group + @BL@;
assign o_bank = bank;
"""
