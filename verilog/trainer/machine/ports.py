"""What comes in and goes out: images with labels, and words of weights."""

from __future__ import annotations

from verilog.emit.module import Module, Port
from verilog.trainer.machine.parts import Part
from verilog.trainer.machine.sequence import Sizes
from verilog.trainer.plan.geometry import Geometry, bits_for
from verilog.trainer.writing.text import literal, module, table, vec

__all__ = ["images", "weights"]


def images(name: str, g: Geometry) -> Module:
    """Return what takes images, a pixel a cycle, into one half of a memory while a step runs
    on the other; a batch is whole with i_last or when it is full."""
    s, learning = Sizes(g), g.learning
    label, pixel = bits_for(learning.sizes[-1] - 1), bits_for(learning.sizes[0] - 1)
    values = learning.numbers["activations"]
    rate = 0
    if learning.rated:
        node = learning.update.finish.inputs["rate"]
        rate = max(node.high.bit_length(), (-node.low - 1).bit_length() + 1 if node.low < 0 else 1)
    ports = [Port("i_clk", 1), Port("i_rst", 1), Port("i_valid", 1), Port("o_ready", 1, True),
             Port("i_pixel", 8), Port("i_label", label), Port("i_last", 1),
             Port("i_go", 1), Port("o_any", 1, True), Port("o_bank", 1, True),
             Port("o_rows", s.images, True), Port("o_groups", s.images, True),
             Port("o_write", 1, True), Port("o_write_address", s.inputs, True),
             Port("o_value", values.width, True), Port("i_image", s.images),
             Port("o_label", label, True)]
    if rate:
        ports += [Port("i_rate", rate), Port("o_rate", rate, True)]
    batch = learning.batch
    place = bits_for(2 * batch - 1)
    texts = {
        "IV": vec(s.images), "AV": vec(s.inputs), "LV": vec(label), "XV": vec(pixel),
        "DV": vec(values.width), "BV": vec(s.lane), "I0": literal(0, s.images),
        "I1": literal(1, s.images), "X0": literal(0, pixel), "X1": literal(1, pixel),
        "LAST": literal(learning.sizes[0] - 1, pixel), "BATCH": literal(batch, s.images),
        "HALF": literal(batch * learning.sizes[0], s.inputs), "A0": literal(0, s.inputs),
        "A1": literal(1, s.inputs), "LANES_1": literal(g.lanes - 1, s.lane),
        "B0": literal(0, s.lane), "B1": literal(1, s.lane), "PLACES": str(2 * batch - 1),
        "PV": vec(place), "AT": _place(s.images, place, batch, "fills", "image"),
        "OF": _place(s.images, place, batch, "bank", "i_image"),
        "RATE": f"reg {vec(rate)}next_rate, rate;\nassign o_rate = rate;" if rate else "",
        "TAKE_RATE": "next_rate <= i_rate;" if rate else "",
        "GIVE_RATE": "rate <= next_rate;" if rate else "",
        "TABLE": table("i_pixel", [{"value": literal(values.kept(p), values.width)}
                                   for p in learning.pixels],
                       {"value": literal(0, values.width)})}
    body = _IMAGES
    for key, value in texts.items():
        body = body.replace(f"@{key}@", value)
    return module(name, "images and labels of the next batch", ports, body)


def _place(own: int, bits: int, batch: int, half: str, image: str) -> str:
    wide = f"{{{bits - own}'d0, {image}}}" if bits > own else image
    return f"{wide} + ({half} ? {literal(batch, bits)} : {literal(0, bits)})"


_IMAGES = """
reg fills, bank, full;
reg @IV@image, groups, rows, rows_1, next_groups;
reg @BV@in_group;
reg @XV@pixel;
reg @AV@address;
wire takes = i_valid & ~full;
wire image_ends = takes & pixel == @LAST@;
wire batch_ends = image_ends & (i_last | image + @I1@ == @BATCH@);
wire group_ends = in_group == @LANES_1@;
@RATE@
always @(posedge i_clk) begin
  if (i_rst) begin
    fills <= 1'b0;
    bank <= 1'b0;
    full <= 1'b0;
    image <= @I0@;
    groups <= @I1@;
    in_group <= @B0@;
    pixel <= @X0@;
    address <= @A0@;
  end else begin
    if (takes) begin
      pixel <= image_ends ? @X0@ : pixel + @X1@;
      address <= batch_ends ? (fills ? @A0@ : @HALF@) : address + @A1@;
    end
    if (image_ends) begin
      image <= batch_ends ? @I0@ : image + @I1@;
      in_group <= batch_ends | group_ends ? @B0@ : in_group + @B1@;
      groups <= batch_ends ? @I1@ : group_ends ? groups + @I1@ : groups;
    end
    if (batch_ends) begin
      full <= 1'b1;
      fills <= ~fills;
      rows_1 <= image;
      next_groups <= groups;
      @TAKE_RATE@
    end
    if (i_go) begin
      full <= 1'b0;
      bank <= ~fills;
      rows <= rows_1 + @I1@;
      groups_now <= next_groups;
      @GIVE_RATE@
    end
  end
end
reg @IV@groups_now;

reg @LV@labels [0:@PLACES@];
wire @PV@at = @AT@;
wire @PV@of = @OF@;
always @(posedge i_clk) if (image_ends) labels[at] <= i_label;

reg @DV@value, written;
reg write;
reg @AV@write_address;
@TABLE@
always @(posedge i_clk) begin
  write <= takes & ~i_rst;
  write_address <= address;
  written <= value;
end

assign o_ready = ~full;
assign o_any = full;
assign o_bank = bank;
assign o_rows = rows;
assign o_groups = groups_now;
assign o_write = write;
assign o_write_address = write_address;
assign o_value = written;
assign o_label = labels[of];
"""


def weights(name: str, g: Geometry, opened: Part | None, closed: Part | None) -> Module:
    """Return what loads words of weights and reads them out while no step runs: of each
    layer the biases, then the weights of each input; behind all of them the velocities."""
    s, learning = Sizes(g), g.learning
    number, second = learning.numbers["weights"], learning.numbers["gradients"]
    bits, word = number.width, learning.word_bits
    moving = learning.velocities
    layer = bits_for(len(g.layers) - 1)
    ports = [Port("i_clk", 1), Port("i_rst", 1), Port("i_idle", 1), Port("i_valid", 1),
             Port("o_ready", 1, True), Port("i_word", word), Port("i_read", 1),
             Port("o_valid", 1, True), Port("i_ready", 1), Port("o_word", word, True),
             Port("o_last", 1, True), Port("o_busy", 1, True), Port("o_fetch", 1, True),
             Port("o_address", s.weights, True),
             Port("o_write", 1, True), Port("o_row", g.lanes * bits, True),
             Port("i_row", g.lanes * bits)]
    if moving:
        ports += [Port("o_write_velocities", 1, True), Port("i_velocities", g.lanes * second.width)]
    rows = [{"rows_1": literal(x.inputs, s.count), "tiles_1": literal(x.tiles - 1, s.count),
             "last_1": literal(x.last - 1, s.lane)} for x in g.layers]
    raw, out = "i_word", f"row[{bits - 1}:0]" if bits > 1 else "row[0]"
    lines = [table("layer", rows, {"rows_1": literal(0, s.count), "tiles_1": literal(0, s.count),
                                   "last_1": literal(0, s.lane)})]
    if opened and closed:
        lines.append(opened.instance("opened", {"word": "i_word"}))
        raw = number.closed(dict(zip(number.ports("w"), opened.answers("opened").values())), "w")
        lines.append(closed.instance("closed", number.opened("", "row")))
        out = closed.answers("closed")["word"].fitted(word)
    texts = {
        "TABLE": "\n".join(lines), "RAW": raw, "OUT": out, "CV": vec(s.count), "LV": vec(s.lane),
        "NV": vec(layer), "RV": vec(g.lanes * bits), "AV": vec(s.weights), "BITS": str(bits),
        "C0": literal(0, s.count), "C1": literal(1, s.count), "L0": literal(0, s.lane),
        "L1": literal(1, s.lane), "LANES_1": literal(g.lanes - 1, s.lane),
        "N0": literal(0, layer), "N1": literal(1, layer), "A0": literal(0, s.weights),
        "A1": literal(1, s.weights), "LAST_LAYER": literal(len(g.layers) - 1, layer),
        "KINDS": "1'b1" if moving else "1'b0", "WORDV": vec(bits),
        "ROW_IN": "second ? i_velocities : i_row" if moving else "i_row",
        "SHIFTED": f"{{{bits}'d0, row[{g.lanes * bits - 1}:{bits}]}}" if g.lanes > 1 else "row",
        "SECOND": "assign o_write_velocities = write & write_second;" if moving else "",
        "EMPTY": f"{g.lanes * bits}'d0",
        "LANEV": f"{g.lanes - 1}:0",
        "PUTS": "\n".join(f"    if (lane == {literal(i, s.lane)}) "
                          f"row[{(i + 1) * bits - 1}:{i * bits}] <= raw;"
                          for i in range(g.lanes))}
    body = _WEIGHTS
    for key, value in texts.items():
        body = body.replace(f"@{key}@", value)
    return module(name, "words of weights, loaded and read out", ports, body)


_WEIGHTS = """
localparam IDLE = 3'd0, LOAD = 3'd1, FETCH = 3'd2, TAKE = 3'd3, SEND = 3'd4;
reg [2:0] state;
reg second, wanted;
reg @NV@layer;
reg @CV@of_layer, tile;
reg @LV@lane;
reg @AV@address, write_address;
reg @RV@row;
reg write, write_second;
reg @CV@rows_1, tiles_1;
reg @LV@last_1;
@TABLE@
wire @WORDV@raw = @RAW@;

wire moves = state == LOAD ? i_valid : state == SEND & i_ready;
wire tile_ends = tile == tiles_1;
wire row_ends = lane == (tile_ends ? last_1 : @LANES_1@);
wire layer_ends = tile_ends & of_layer == rows_1;
wire kind_ends = layer_ends & layer == @LAST_LAYER@;
wire all = row_ends & kind_ends & second == @KINDS@;

always @(posedge i_clk) begin
  if (i_rst) begin
    state <= IDLE;
    wanted <= 1'b0;
    write <= 1'b0;
  end else begin
    wanted <= (wanted | i_read) & ~(state == IDLE & i_idle);
    write <= state == LOAD & i_valid & row_ends;
    case (state)
      IDLE: if (i_idle & (wanted | i_read)) state <= FETCH;
            else if (i_idle & i_valid) state <= LOAD;
      LOAD: if (i_valid & all) state <= IDLE;
      FETCH: state <= TAKE;
      TAKE: state <= SEND;
      default: if (i_ready & row_ends) state <= all ? IDLE : FETCH;
    endcase
  end
end

always @(posedge i_clk) begin
  write_second <= second;
  write_address <= address;
  if (state == IDLE) begin
    second <= 1'b0;
    layer <= @N0@;
    of_layer <= @C0@;
    tile <= @C0@;
    lane <= @L0@;
    address <= @A0@;
  end else if (moves) begin
    lane <= row_ends ? @L0@ : lane + @L1@;
    if (row_ends) begin
      tile <= tile_ends ? @C0@ : tile + @C1@;
      address <= kind_ends ? @A0@ : address + @A1@;
      if (tile_ends) of_layer <= layer_ends ? @C0@ : of_layer + @C1@;
      if (layer_ends) layer <= kind_ends ? @N0@ : layer + @N1@;
      if (kind_ends) second <= 1'b1;
    end
  end
  if (state == TAKE) row <= @ROW_IN@;
  else if (state == SEND & i_ready) row <= @SHIFTED@;
  else if (state == LOAD & i_valid) begin
    if (lane == @L0@) row <= @EMPTY@;
@PUTS@
  end
end

assign o_ready = state == LOAD;
assign o_busy = state != IDLE | wanted;
assign o_fetch = state == FETCH;
assign o_valid = state == SEND;
assign o_word = @OUT@;
assign o_last = all;
assign o_address = state == LOAD | write ? write_address : address;
assign o_write = write & ~write_second;
assign o_row = row;
@SECOND@
"""
