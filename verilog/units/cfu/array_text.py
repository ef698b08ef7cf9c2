"""The Verilog around a systolic array: commands, sums of places, what is on its way."""

from __future__ import annotations

from string import Template
from typing import Any

from verilog.units.macs import Mac

__all__ = ["PLACES", "array_text", "column_bits"]

PLACES = 128


def column_bits(columns: int) -> int:
    """Return the bits that name a column."""
    return 6 if columns > 8 else 3


def array_text(name: str, mac: Mac, rows: int, columns: int, rescales: bool) -> str:
    """Return the module `name` around the module <name>_array; with rescales around
    <name>_rescale too."""
    out, bits = mac.bits("out"), column_bits(columns)
    delay = rows + columns - 1
    fields: dict[str, Any] = {
        "name": name, "delay": delay, "last": delay - 1, "before_last": delay - 2,
        "places_top": PLACES - 1, "out_top": out - 1, "row_top": columns * out - 1,
        "column_top": bits - 1, "field_top": 7 + bits,
        "a": _lanes(mac.bits("a"), rows), "w": _lanes(mac.bits("b"), columns),
        "extended": _extended(out, mac.out.words[0] < 0), **_ways(delay),
        **_columns(columns, out, bits), **(RESCALING if rescales else PLAIN)}
    fields["late_registers"] = Template(fields["late_registers"]).substitute(name=name)
    return Template(TEXT).substitute(fields)


def _extended(out: int, signed: bool) -> str:
    """Return the word chosen, extended to 32 bits by its sign or with zeros."""
    if out == 32:
        return "chosen"
    fill = f"{{{32 - out}{{chosen[{out - 1}]}}}}" if signed else f"{32 - out}'d0"
    return f"{{{fill}, chosen}}"


def _ways(delay: int) -> dict[str, str]:
    """Return the places of words on their way: registers, moves, whether one is meant."""
    near = " | ".join(f"(way_valid[{k}] & (way_place_{k} == place))" for k in range(delay))
    return {"ways": "".join(f"  reg [6:0] way_place_{k};\n" for k in range(delay)),
            "moves": "".join(f"    way_place_{k} <= way_place_{k - 1};\n"
                             for k in range(1, delay)), "in_flight": near}


def _columns(columns: int, out: int, bits: int) -> dict[str, str]:
    """Return the choice of a column's word, and the registers of biases."""
    spans = [f"{(c + 1) * out - 1}:{c * out}" for c in range(columns)]
    return {"choice": "".join(f"      {bits}'d{c}: chosen = sums[{span}];\n"
                              for c, span in enumerate(spans) if c),
            "biases": "".join(f"      if (i_inputs_1[{bits - 1}:0] == {bits}'d{c}) "
                              f"biases[{span}] <= i_inputs_0[{out - 1}:0];\n"
                              for c, span in enumerate(spans))}


def _lanes(bits: int, count: int) -> str:
    """Return the words side by side in the two registers held, as one vector; a word does not
    go over the end of a register."""
    each = 32 // bits
    lows = (k // each * 32 + k % each * bits for k in range(count))
    parts = [f"held[{low + bits - 1}:{low}]" for low in lows]
    return "{" + ", ".join(reversed(parts)) + "}"


PLAIN = {
    "late_codes": "", "late_registers": "", "late_word": "", "busy": "", "gets": "read",
    "waits": "(read | waiting)", "answer": "reading ? word_read : 32'd0",
    "done": "      if (taken) answered <= 1'b1;\n      else if (i_ready) answered <= 1'b0;\n"}
RESCALING = {
    "late_codes": """  wire scale = i_function == 10'd8;
  wire rescale = i_function == 10'd9;
  wire score = i_function == 10'd10;
""",
    "late_registers": """
  // a sum as a word, a cycle later than the sum
  reg [30:0] positive, negative;
  reg [31:0] ends, word_late;
  reg late;
  reg wide;
  reg scaled;
  wire [31:0] word_8, word_16;
  ${name}_rescale rescaler (.i_total(word_read), .i_positive(positive), .i_negative(negative),
      .i_ends(ends), .o_word(word_8), .o_score(word_16));
  always @(posedge i_clk)
    if (i_rst) begin
      positive <= 31'd0;
      negative <= 31'd0;
    end else if (taken & scale) begin
      positive <= i_inputs_0[30:0];
      negative <= i_inputs_1[30:0];
    end
  always @(posedge i_clk) begin
    if (taken) begin
      ends <= i_inputs_1;
      wide <= score;
    end
    word_late <= wide ? word_16 : word_8;
  end
  always @(posedge i_clk)
    if (i_rst) begin
      late <= 1'b0;
      scaled <= 1'b0;
    end else begin
      late <= taken & (rescale | score);
      if (taken) scaled <= rescale | score;
    end
""",
    "late_word": """  reg [31:0] word_held;
  reg fresh;
  always @(posedge i_clk) begin
    fresh <= late;
    if (fresh) word_held <= word_late;
  end
  wire [31:0] word_kept = fresh ? word_late : word_held;
""",
    "busy": " & ~late", "gets": "read | rescale | score",
    "waits": "(read | waiting | rescale | score)",
    "answer": "scaled ? word_kept : reading ? word_read : 32'd0",
    "done": """      if (taken & ~(rescale | score)) answered <= 1'b1;
      else if (late) answered <= 1'b1;
      else if (i_ready) answered <= 1'b0;
"""}
TEXT = """`default_nettype none

module ${name} (
    input wire i_clk, input wire i_rst,
    input wire i_valid, output wire o_ready,
    input wire [9:0] i_function, input wire [31:0] i_inputs_0, input wire [31:0] i_inputs_1,
    output wire o_valid, input wire i_ready, output wire [31:0] o_word);

  // commands
  wire load = i_function == 10'd0;
  wire swap = i_function == 10'd1;
  wire begins = i_function == 10'd2;
  wire stream = i_function == 10'd3;
  wire read = i_function == 10'd4;
  wire bias = i_function == 10'd5;
  wire waiting = i_function == 10'd6;
${late_codes}  reg answered;
  reg going;  // a word for the array is held, with its place
  reg loading;  // weights for it are held
  reg swapping;
  reg [${last}:0] way_valid;  // words on their way through the array, and their places
${ways}  wire empty = ~going & ~(|way_valid);
  reg [6:0] place;
  reg first;
  wire there = (going & (held_place == place)) | ${in_flight};
  wire stalls = (${waits} & ~empty) | (stream & there);
  assign o_ready = (~answered | i_ready) & ~stalls${busy};
  wire taken = i_valid & o_ready;
  reg reading;
  reg [${column_top}:0] read_column;
  assign o_valid = answered;

  always @(posedge i_clk)
    if (i_rst) answered <= 1'b0;
    else begin
${done}    end

  // sums of the places; one that is streamed is read a cycle before it goes into the array
  reg [${row_top}:0] memory [0:${places_top}];
  reg [${row_top}:0] sums;
  wire [6:0] address = stream ? place : i_inputs_0[6:0];
  wire back;
  wire [${row_top}:0] totals;
  always @(posedge i_clk) begin
    if (taken & (stream | ${gets})) sums <= memory[address];
    if (back) memory[way_place_${last}] <= totals;
  end

  reg [63:0] held;
  reg [6:0] held_place;
  reg held_first;
  reg [${row_top}:0] biases;
  always @(posedge i_clk) begin
    if (taken) held <= {i_inputs_1, i_inputs_0};
    if (taken & stream) begin
      held_place <= place;
      held_first <= first;
    end
    if (taken) begin
      reading <= read;
      read_column <= i_inputs_0[${field_top}:8];
    end
    if (taken & bias) begin
${biases}    end
  end

  always @(posedge i_clk)
    if (i_rst) begin
      place <= 7'd0;
      first <= 1'b1;
      going <= 1'b0;
      loading <= 1'b0;
      swapping <= 1'b0;
    end else begin
      going <= taken & stream;
      loading <= taken & load;
      swapping <= taken & swap;
      if (taken & begins) begin
        place <= i_inputs_0[6:0];
        first <= i_inputs_1[0];
      end else if (taken & stream) place <= place + 7'd1;
    end

  // what is on its way: the array takes just as long
  always @(posedge i_clk)
    if (i_rst) way_valid <= ${delay}'d0;
    else way_valid <= {way_valid[${before_last}:0], going};
  always @(posedge i_clk) begin
    way_place_0 <= held_place;
${moves}  end

  wire array_ready;
  ${name}_array systolic (
      .i_clk(i_clk), .i_rst(i_rst),
      .i_valid(going | loading | swapping), .o_ready(array_ready),
      .i_load(loading), .i_swap(swapping), .i_go(going),
      .i_a(${a}), .i_w(${w}),
      .i_init(held_first ? biases : sums),
      .o_valid(back), .i_ready(1'b1), .o_out(totals));

  // the answer
  reg [${out_top}:0] chosen;
  always @(*)
    case (read_column)
${choice}      default: chosen = sums[${out_top}:0];
    endcase
  wire [31:0] word_read = ${extended};
${late_registers}${late_word}  assign o_word = ${answer};

  wire unused = &{1'b0, array_ready, i_inputs_0, i_inputs_1, held};

endmodule

`default_nettype wire
"""
