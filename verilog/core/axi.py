"""An inference core behind AXI: pixels and answers as AXI4-Stream, AXI4-Lite beside them."""

from __future__ import annotations

from fxp.format import FormatError
from verilog.core.inference.core import Core
from verilog.core.parts.text import banner, spanned
from verilog.emit.module import Module, Port

__all__ = ["LITE", "REGISTERS", "axi_ports", "axi_wrapper"]

REGISTERS = (
    ("0x0", "CONTROL", "write", "bit 0: take pixels (0 after a reset); bit 1: reset the core"),
    ("0x4", "STATUS", "read", "bit 0: a batch runs; bits 15..8: the layer that runs"),
    ("0x8", "LOAD", "write", "a word of new weights, as load.hex has them; the write waits "
                             "until no batch runs"),
    ("0xc", "IMAGES", "read", "images answered since the reset, modulo 2^32"),
)

# The slave's channels of AXI4-Lite: one write and one read at a time, its answer held until taken.
LITE = """\
  assign s_axil_awready = taken;
  assign s_axil_wready = taken;
  assign s_axil_bvalid = answered;
  assign s_axil_bresp = 2'd0;
  assign s_axil_arready = reads;
  assign s_axil_rvalid = told;
  assign s_axil_rresp = 2'd0;
  assign s_axil_rdata = found;
"""


def axi_wrapper(core: Core) -> Module:
    """Return the module <name>_axi around a core; FormatError where a weight is wider than
    the 32 bits of AXI4-Lite."""
    if core.ports["load"] > 32:
        raise FormatError(f"AXI4-Lite loads words of 32 bits, and weights have "
                          f"{core.ports['load']}")
    name = f"{core.name}_axi"
    wide = -(-core.ports["answer"] // 8) * 8
    ports = axi_ports(wide, 4)
    heads = ",\n".join(f"  {'output' if p.output else 'input'} wire {spanned(p.width)}{p.name}"
                       for p in ports)
    layer = next(p.width for p in core.top.ports if p.name == "o_layer")
    text = banner(name, f"{core.name} with AXI4-Stream and AXI4-Lite") + _TEXT.format(
        name=name, core=core.name, heads=heads, lite=LITE, load=core.ports["load"] - 1,
        zeros=8 - layer,
        layer_span=spanned(layer), answer_span=spanned(core.ports["answer"]),
        padding="" if wide == core.ports["answer"] else
        f"{wide - core.ports['answer']}'d0, ", unused=_unused(core.ports["load"]))
    return Module(name, ports, text)


def _unused(load: int) -> str:
    rest = f", s_axil_wdata[31:{load}]" if load < 32 else ""
    return f"s_axil_awprot, s_axil_arprot, s_axil_wstrb, s_axil_awaddr[1:0], " \
           f"s_axil_araddr[1:0]{rest}"


def axi_ports(wide: int, address: int) -> tuple[Port, ...]:
    """Return the ports of a wrapper: bytes come on s_axis, words of `wide` bits go on m_axis,
    registers are at s_axil by so many bits of address."""
    def given(**widths):
        return [Port(k, w) for k, w in widths.items()]

    def answered(**widths):
        return [Port(k, w, True) for k, w in widths.items()]

    return (*given(aclk=1, aresetn=1, s_axis_tdata=8, s_axis_tvalid=1),
            *answered(s_axis_tready=1), *given(s_axis_tlast=1),
            *answered(m_axis_tdata=wide, m_axis_tvalid=1), *given(m_axis_tready=1),
            *answered(m_axis_tlast=1),
            *given(s_axil_awaddr=address, s_axil_awprot=3, s_axil_awvalid=1),
            *answered(s_axil_awready=1),
            *given(s_axil_wdata=32, s_axil_wstrb=4, s_axil_wvalid=1),
            *answered(s_axil_wready=1, s_axil_bresp=2, s_axil_bvalid=1),
            *given(s_axil_bready=1, s_axil_araddr=address, s_axil_arprot=3, s_axil_arvalid=1),
            *answered(s_axil_arready=1, s_axil_rdata=32, s_axil_rresp=2, s_axil_rvalid=1),
            *given(s_axil_rready=1))


_TEXT = """\
`default_nettype none

module {name} (
{heads}
);
  reg enabled, restart, answered, told;
  reg [31:0] images, found;
  wire ready, valid, last, load_ready, busy;
  wire {layer_span}layer;
  wire {answer_span}answer;

  // A write is taken with its address and data, when the answer before is gone; one to LOAD
  // when the core takes it.
  wire offered = s_axil_awvalid && s_axil_wvalid && !answered;
  wire loads = offered && s_axil_awaddr[3:2] == 2'd2;
  wire taken = offered && (!loads || load_ready);
  wire controls = taken && s_axil_awaddr[3:2] == 2'd0;
  wire reads = s_axil_arvalid && !told;
  wire [31:0] status = {{16'd0, {zeros}'d0, layer, 7'd0, busy}};

  {core} core (
    .i_clk(aclk), .i_rst(!aresetn || restart),
    .i_valid(s_axis_tvalid && enabled), .o_ready(ready), .i_data(s_axis_tdata),
    .i_last(s_axis_tlast),
    .o_valid(valid), .i_ready(m_axis_tready), .o_data(answer), .o_last(last),
    .i_load_valid(loads), .o_load_ready(load_ready), .i_load_data(s_axil_wdata[{load}:0]),
    .o_busy(busy), .o_layer(layer)
  );

  assign s_axis_tready = ready && enabled;
  assign m_axis_tvalid = valid;
  assign m_axis_tlast = last;
  assign m_axis_tdata = {{{padding}answer}};
{lite}
  always @(posedge aclk) begin
    if (!aresetn) begin
      enabled <= 1'b0;
      restart <= 1'b0;
      answered <= 1'b0;
      told <= 1'b0;
      images <= 32'd0;
    end else begin
      restart <= controls && s_axil_wdata[1];
      if (controls) enabled <= s_axil_wdata[0];
      answered <= taken || (answered && !s_axil_bready);
      told <= reads || (told && !s_axil_rready);
      if (restart) images <= 32'd0;
      else if (valid && m_axis_tready && last) images <= images + 32'd1;
    end
    if (reads)
      case (s_axil_araddr[3:2])
        2'd1: found <= status;
        2'd3: found <= images;
        default: found <= {{31'd0, enabled}};
      endcase
  end

  wire unused = &{{1'b0, {unused}}};
endmodule

`default_nettype wire
"""
