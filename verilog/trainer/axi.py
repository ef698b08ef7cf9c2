"""A trainer behind AXI: images with labels and words of weights as AXI4-Stream, AXI4-Lite beside
them."""

from __future__ import annotations

from verilog.core.axi import LITE, axi_ports
from verilog.core.parts.text import banner, spanned
from verilog.emit.module import Module
from verilog.trainer.core import Core
from verilog.trainer.plan.geometry import bits_for

__all__ = ["axi_trainer", "registers"]

WIDEST = 32  # bits that AXI4-Lite loads at once


def registers(core: Core) -> list[tuple[str, str, str, str]]:
    """Return address, name, access and meaning of each register of a trainer."""
    found = [
        ("0x00", "CONTROL", "write", "bit 0: take images (0 after a reset); bit 1: reset the "
                                     "core; bit 2: give all weights on m_axis"),
        ("0x04", "STATUS", "read", "bit 0: a step runs"),
        ("0x08", "LOAD", "write", "a word of weights, as weights.hex has them; the write waits "
                                  "until no step runs"),
        ("0x0c", "STEPS", "read", "steps done since the reset, modulo 2^32")]
    if core.geometry.learning.rated:
        found.append(("0x10", "RATE", "write", "the learning rate of the batches that end from "
                                               "now on, as i_rate has it"))
    return found


def axi_trainer(core: Core) -> Module | None:
    """Return the module <name>_axi around a trainer; None where a word of weights or a label
    does not fit AXI4-Lite's 32 bits or a byte of the stream."""
    learning = core.geometry.learning
    word, label = learning.word_bits, core.port("i_label").width
    rate = core.port("i_rate").width if learning.rated else 0
    if max(word, rate) > WIDEST or label > 8:
        return None
    name, wide = f"{core.name}_axi", -(-word // 8) * 8
    ports = axi_ports(wide, 5)
    heads = ",\n".join(f"  {'output' if p.output else 'input'} wire {spanned(p.width)}{p.name}"
                       for p in ports)
    least = min(word, rate) if rate else word
    spare = "" if least == WIDEST else f", s_axil_wdata[31:{least}]"
    count = bits_for(learning.sizes[0])
    text = banner(name, f"{core.name} with AXI4-Stream and AXI4-Lite") + _TEXT.format(
        name=name, core=core.name, heads=heads, lite=LITE, word=word - 1, label=label - 1,
        count=spanned(count), pixels=f"{count}'d{learning.sizes[0]}",
        before=f"{count}'d{learning.sizes[0] - 1}", zero=f"{count}'d0", one=f"{count}'d1",
        word_span=spanned(word), padding=f"{wide - word}'d0, " if wide > word else "",
        rated=f"\n  reg {spanned(rate)}rate;" if rate else "",
        rate_port=",\n    .i_rate(rate)" if rate else "",
        rate_write=f"\n    if (taken && s_axil_awaddr[4:2] == 3'd4) rate <= "
                   f"s_axil_wdata[{rate - 1}:0];" if rate else "",
        unused="s_axil_awprot, s_axil_arprot, s_axil_wstrb, s_axil_awaddr[1:0], "
               f"s_axil_araddr[1:0], o_steps{spare}")
    return Module(name, ports, text)


_TEXT = """\
`default_nettype none

module {name} (
{heads}
);
  reg enabled, restart, reads_all, answered, told;
  reg [31:0] steps, found;
  reg {count}at;  // bytes of the image that came
  reg [7:0] pixel;  // the last pixel, which waits for its label{rated}
  wire ready, load_ready, busy, done, o_steps;
  wire {word_span}word;

  // A write is taken with its address and data, when the answer before is gone; one to LOAD
  // when the core takes it.
  wire offered = s_axil_awvalid && s_axil_wvalid && !answered;
  wire loads = offered && s_axil_awaddr[4:2] == 3'd2;
  wire taken = offered && (!loads || load_ready);
  wire controls = taken && s_axil_awaddr[4:2] == 3'd0;
  wire reads = s_axil_arvalid && !told;

  wire last_pixel = at == {before};
  wire at_label = at == {pixels};

  {core} core (
    .i_clk(aclk), .i_rst(!aresetn || restart),
    .i_valid(s_axis_tvalid && enabled && !last_pixel), .o_ready(ready),
    .i_pixel(at_label ? pixel : s_axis_tdata), .i_label(s_axis_tdata[{label}:0]),
    .i_last(at_label && s_axis_tlast),
    .i_weight_valid(loads), .o_weight_ready(load_ready), .i_weight(s_axil_wdata[{word}:0]),
    .i_read(reads_all), .o_weight_valid(m_axis_tvalid), .i_weight_ready(m_axis_tready),
    .o_weight(word), .o_weight_last(m_axis_tlast),
    .o_busy(busy), .o_done(done), .o_steps(o_steps){rate_port}
  );

  assign s_axis_tready = enabled && (last_pixel || ready);
  assign m_axis_tdata = {{{padding}word}};
{lite}
  always @(posedge aclk) begin
    if (!aresetn) begin
      enabled <= 1'b0;
      restart <= 1'b0;
      reads_all <= 1'b0;
      answered <= 1'b0;
      told <= 1'b0;
    end else begin
      restart <= controls && s_axil_wdata[1];
      reads_all <= controls && s_axil_wdata[2];
      if (controls) enabled <= s_axil_wdata[0];
      answered <= taken || (answered && !s_axil_bready);
      told <= reads || (told && !s_axil_rready);
    end
    if (!aresetn || restart) begin
      steps <= 32'd0;
      at <= {zero};
    end else begin
      if (done) steps <= steps + 32'd1;
      if (s_axis_tvalid && s_axis_tready) at <= at_label ? {zero} : at + {one};
    end
    if (last_pixel) pixel <= s_axis_tdata;{rate_write}
    if (reads)
      case (s_axil_araddr[4:2])
        3'd1: found <= {{31'd0, busy}};
        3'd3: found <= steps;
        default: found <= {{31'd0, enabled}};
      endcase
  end

  wire unused = &{{1'b0, {unused}}};
endmodule

`default_nettype wire
"""
