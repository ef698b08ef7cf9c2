"""The sequencer: phases of a step, and in each the sums, their steps and addresses.

The sums of a phase are numbered (x, y), y the faster. As many as there are registers in
the loop of a lane run side by side: a slot each, a step of each in turn. An address is that
of the sum plus that of the step.
"""

from __future__ import annotations

from verilog.emit.module import Module, Port
from verilog.trainer.plan.geometry import BACKWARD, FORWARD, SOFTMAX, UPDATE, Geometry, bits_for
from verilog.trainer.writing.text import literal, module, table, vec

__all__ = ["Sizes", "sequence"]


class Sizes:
    """The bits of addresses and counters of a trainer."""

    def __init__(self, g: Geometry):
        sizes, batch = g.learning.sizes, g.learning.batch
        self.count = 1 + bits_for(max(*sizes, batch))
        self.weights = bits_for(g.weight_rows - 1)
        self.inputs = bits_for(2 * batch * sizes[0] - 1)
        self.values = bits_for(g.values - 1)
        self.scalars = max(self.inputs, self.values)
        self.rows = bits_for(g.gradient_rows - 1)
        self.banks = bits_for(max(1, g.bank_words) - 1)
        self.gradients = max(self.rows, self.banks)
        self.phase = bits_for(len(g.phases) - 1)
        self.lane = bits_for(g.lanes - 1)
        self.images = bits_for(batch)
        self.flight = bits_for(2 * g.depth)
        self.slot = bits_for(g.loop - 1)


def sequence(name: str, g: Geometry) -> Module:
    """Return the sequencer: i_go starts a step over i_rows images in i_groups groups."""
    s = Sizes(g)
    ports = [
        Port("i_clk", 1), Port("i_rst", 1), Port("i_go", 1), Port("i_bank", 1),
        Port("i_rows", s.images), Port("i_groups", s.images), Port("i_taken", 1),
        Port("i_drained", 1), Port("i_softmax_done", 1), Port("i_seeded", 1),
        Port("o_idle", 1, True), Port("o_done", 1, True), Port("o_begin", 1, True),
        Port("o_softmax", 1, True), Port("o_phase", s.phase, True), Port("o_kind", 2, True),
        Port("o_first_layer", 1, True), Port("o_valid", 1, True), Port("o_first", 1, True),
        Port("o_load", 1, True), Port("o_ends", 1, True), Port("o_one", 1, True),
        Port("o_weights", s.weights, True), Port("o_scalar", s.scalars, True),
        Port("o_gradients", s.gradients, True), Port("o_word", s.lane, True)]
    body = _TEXT
    for key, value in {
            "CV": vec(s.count), "WV": vec(s.weights), "AV": vec(s.scalars), "GV": vec(s.gradients),
            "PV": vec(s.phase), "LV": vec(s.lane), "FV": vec(s.flight), "SV": vec(s.slot),
            "IV": vec(s.images),
            "CONSTANTS": table("phase", _phases(g, s), _defaults(s)),
            "LAST_PHASE": literal(len(g.phases) - 1, s.phase), "LANES_1":
            literal(g.lanes - 1, s.lane), "SLOT_1": literal(g.loop - 1, s.slot),
            "SLOTS": literal(g.loop, s.flight), "ROOM": literal(g.depth - 1, s.flight),
            "COUNT_PAD": f"{{{s.count - s.images}{{1'b0}}}}",
            **{f"{k}0": literal(0, getattr(s, k2)) for k, k2 in (
                ("C", "count"), ("W", "weights"), ("A", "scalars"), ("G", "gradients"),
                ("P", "phase"), ("L", "lane"), ("F", "flight"), ("S", "slot"))},
            **{f"{k}1": literal(1, getattr(s, k2)) for k, k2 in (
                ("C", "count"), ("W", "weights"), ("P", "phase"), ("L", "lane"), ("F", "flight"),
                ("S", "slot"))}}.items():
        body = body.replace(f"@{key}@", value)
    return module(name, "phases of a step, the sums of each and their addresses", ports, body)


def _defaults(s: Sizes) -> dict[str, str]:
    wide = {"c_x": s.count, "c_y": s.count, "c_s": s.count, "c_w": s.weights, "c_wx": s.weights,
            "c_wy": s.weights, "c_ws": s.weights, "c_a": s.scalars, "c_b": s.scalars,
            "c_ax": s.scalars, "c_ay": s.scalars, "c_as": s.scalars, "c_g": s.gradients,
            "c_gx": s.gradients, "c_gy": s.gradients, "c_gs": s.gradients, "c_kind": 2,
            "c_first": 1}
    return {name: literal(0, bits) for name, bits in wide.items()}


def _phases(g: Geometry, s: Sizes) -> list[dict[str, str]]:
    """Return the constants of each phase: counts (where they are no images), bases, strides
    by x, y and step of weights, scalars (in the other half of the inputs: c_b) and gradients."""
    return [{k: literal(v, int(w.partition("'")[0])) for (k, v), w in
             ((item, _defaults(s)[item[0]]) for item in _phase(g, p.kind, p.layer).items())}
            for p in g.phases]


def _phase(g: Geometry, kind: int, number: int) -> dict[str, int]:
    layer = g.layers[number]
    k, n, t = layer.inputs, layer.outputs, layer.tiles
    own = {"c_kind": kind, "c_first": int(number == 0)}
    base = 0 if number == 0 else g.layers[number - 1].values
    scalars = {"c_a": base - 1, "c_b": (g.learning.batch * k if number == 0 else base) - 1}
    if kind == FORWARD:
        return {**own, **scalars, "c_x": t, "c_s": k, "c_w": layer.weights, "c_wx": 1, "c_ws": t,
                "c_ay": k, "c_as": 1}
    if kind == BACKWARD:
        return {**own, "c_y": k - 1, "c_s": n - 1, "c_w": layer.weights + t, "c_wy": t, "c_ws": 1,
                "c_g": layer.banks, "c_gx": n, "c_gs": 1}
    if kind == UPDATE:
        return {**own, **scalars, "c_x": k + 1, "c_y": t - 1, "c_ax": 1, "c_as": k,
                "c_g": layer.rows, "c_gy": 1, "c_gs": t}
    assert kind == SOFTMAX
    return own


_TEXT = f"""
localparam FORWARD = 2'd{FORWARD}, SOFTMAX = 2'd{SOFTMAX};
localparam BACKWARD = 2'd{BACKWARD}, UPDATE = 2'd{UPDATE};
localparam IDLE = 3'd0, PREPARE = 3'd1, SEED = 3'd2, ISSUE = 3'd3, WAIT = 3'd4, SOFT = 3'd5;
""" + """
reg [2:0] state;
reg @PV@phase;
reg @CV@c_x, c_y, c_s;
reg @WV@c_w, c_wx, c_wy, c_ws;
reg @AV@c_a, c_b, c_ax, c_ay, c_as;
reg @GV@c_g, c_gx, c_gy, c_gs;
reg [1:0] c_kind;
reg c_first;
@CONSTANTS@

// The constants of this phase.
reg [1:0] kind;
reg first_layer;
reg @CV@xs, y_1, s_1;
reg @WV@wx, wy, ws;
reg @AV@ax, ay, as;
reg @GV@gx, gy, gs;

// The sum of this slot, and of the first slot of its group; base is that of its x.
reg @SV@slot;
reg @CV@step, x, y, first_x, first_y;
reg @WV@w, w_base, first_w, first_w_base, w_step;
reg @AV@a, a_base, first_a, first_a_base, a_step;
reg @GV@g, g_base, first_g, first_g_base, g_step;
reg @LV@word;
reg @FV@flight;

wire wrap = y == y_1;
wire over = x == xs;
wire @CV@next_x = over | ~wrap ? x : x + @C1@;
wire @CV@next_y = over ? y : wrap ? @C0@ : y + @C1@;
wire @WV@next_w_base = wrap ? w_base + wx : w_base;
wire @AV@next_a_base = wrap ? a_base + ax : a_base;
wire @GV@next_g_base = wrap ? g_base + gx : g_base;
wire @WV@next_w = wrap ? next_w_base : w + wy;
wire @AV@next_a = wrap ? next_a_base : a + ay;
wire @GV@next_g = wrap ? next_g_base : g + gy;

wire last_slot = slot == @SLOT_1@;
wire last_step = step == s_1;
wire begins = step == @C0@ & slot == @S0@;
wire room = flight + @SLOTS@ <= @ROOM@;  // a full queue would look empty
wire issue = state == ISSUE & (~begins | room);
wire lands = issue & last_step & ~over;
wire ended = flight == @F0@ & i_drained;

always @(posedge i_clk) begin
  if (i_rst) begin
    state <= IDLE;
    phase <= @P0@;
    flight <= @F0@;
  end else begin
    flight <= flight + (lands ? @F1@ : @F0@) - (i_taken ? @F1@ : @F0@);
    case (state)
      IDLE: if (i_go) begin
        state <= PREPARE;
        phase <= @P0@;
      end
      PREPARE: state <= c_kind == SOFTMAX ? SOFT : c_kind == UPDATE ? SEED : ISSUE;
      SEED: if (i_seeded) state <= ISSUE;
      ISSUE: if (issue & last_slot & last_step & next_x == xs) state <= WAIT;
      default: if (state == SOFT ? i_softmax_done : ended) begin
        state <= phase == @LAST_PHASE@ ? IDLE : PREPARE;
        phase <= phase + @P1@;
      end
    endcase
  end
end

always @(posedge i_clk) begin
  if (state == PREPARE) begin
    kind <= c_kind;
    first_layer <= c_first;
    xs <= c_kind == BACKWARD ? {@COUNT_PAD@, i_groups} : c_x;
    y_1 <= c_kind == FORWARD ? {@COUNT_PAD@, i_rows} - @C1@ : c_y;
    s_1 <= c_kind == UPDATE ? {@COUNT_PAD@, i_rows} - @C1@ : c_s;
    wx <= c_wx; wy <= c_wy; ws <= c_ws;
    ax <= c_ax; ay <= c_ay; as <= c_as;
    gx <= c_gx; gy <= c_gy; gs <= c_gs;
    slot <= @S0@;
    step <= @C0@;
    word <= @L0@;
    x <= @C0@; y <= @C0@; first_x <= @C0@; first_y <= @C0@;
    w <= c_w; w_base <= c_w; first_w <= c_w; first_w_base <= c_w;
    a <= i_bank ? c_b : c_a; a_base <= i_bank ? c_b : c_a;
    first_a <= i_bank ? c_b : c_a; first_a_base <= i_bank ? c_b : c_a;
    g <= c_g; g_base <= c_g; first_g <= c_g; first_g_base <= c_g;
    w_step <= @W0@; a_step <= @A0@; g_step <= @G0@;
  end else if (issue) begin
    slot <= last_slot ? @S0@ : slot + @S1@;
    if (last_slot & ~last_step) begin
      step <= step + @C1@;
      x <= first_x; y <= first_y;
      w <= first_w; w_base <= first_w_base;
      a <= first_a; a_base <= first_a_base;
      g <= first_g; g_base <= first_g_base;
      word <= word == @LANES_1@ ? @L0@ : word + @L1@;
      w_step <= kind == BACKWARD & word != @LANES_1@ ? w_step : w_step + ws;
      a_step <= a_step + as;
      g_step <= g_step + gs;
    end else begin
      x <= next_x; y <= next_y;
      if (~over) begin
        w <= next_w; w_base <= next_w_base;
        a <= next_a; a_base <= next_a_base;
        g <= next_g; g_base <= next_g_base;
      end
      if (last_slot) begin
        step <= @C0@;
        first_x <= next_x; first_y <= next_y;
        first_w <= next_w; first_w_base <= next_w_base;
        first_a <= next_a; first_a_base <= next_a_base;
        first_g <= next_g; first_g_base <= next_g_base;
        word <= @L0@;
        w_step <= @W0@; a_step <= @A0@; g_step <= @G0@;
      end
    end
  end
end

// A step of a sum, as the memories see it.
reg valid, first, load, ends, one;
reg @WV@weights;
reg @AV@scalar;
reg @GV@gradients;
reg @LV@of_row;
always @(posedge i_clk) begin
  valid <= issue & ~over & ~i_rst;
  first <= issue & step == @C0@;
  load <= kind == FORWARD & step == @C0@;
  ends <= lands & ~i_rst;
  one <= kind == UPDATE & x == @C0@;
  weights <= w + w_step;
  scalar <= a + a_step;
  gradients <= g + g_step;
  of_row <= word;
end

assign o_idle = state == IDLE;
assign o_done = state == WAIT & ended & phase == @LAST_PHASE@;
assign o_begin = state == PREPARE;
assign o_softmax = state == PREPARE & c_kind == SOFTMAX;
assign o_phase = phase;
assign o_kind = state == PREPARE ? c_kind : kind;
assign o_first_layer = first_layer;
assign o_valid = valid;
assign o_first = first;
assign o_load = load;
assign o_ends = ends;
assign o_one = one;
assign o_weights = weights;
assign o_scalar = scalar;
assign o_gradients = gradients;
assign o_word = of_row;
"""
