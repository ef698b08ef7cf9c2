// SPDX-License-Identifier: MIT
// A system around a VexRiscv with the bus of a custom function unit: memory, a console, a
// cycle counter. What is below 0x80000000 is memory (and cached), from there up (uncached):
//   0x80000000  write: a byte for the console
//   0x80000004  read: cycles since the reset
//   0x80000008  write: the program ends with this status
// A word is acknowledged a cycle after it is asked for; lines of the caches come word by word.

`default_nettype none

module soc #(
    parameter WORDS = 1 << 20  // of memory, 32 bits each
) (
    input wire clk,
    input wire reset,
    output wire cmd_valid,
    input wire cmd_ready,
    output wire [9:0] cmd_payload_function_id,
    output wire [31:0] cmd_payload_inputs_0,
    output wire [31:0] cmd_payload_inputs_1,
    input wire rsp_valid,
    output wire rsp_ready,
    input wire [31:0] rsp_payload_outputs_0,
    output wire console_valid,
    output wire [7:0] console_byte,
    output reg ended,
    output reg [31:0] status,
    output wire [31:0] pc  // of the last instruction that was finished
);

  reg [31:0] memory[0:WORDS-1];
  reg [8 * 256 - 1:0] program_file;
  initial begin
    if (!$value$plusargs("program=%s", program_file)) $fatal(1, "give +program=FILE.hex");
    $readmemh(program_file, memory);
  end

  reg [31:0] cycles;
  always @(posedge clk) cycles <= reset ? 32'd0 : cycles + 32'd1;

  // instructions
  wire i_cyc, i_stb;
  wire [29:0] i_adr;
  reg i_ack;
  reg [31:0] i_data;
  always @(posedge clk) begin
    i_ack <= i_cyc & i_stb & ~i_ack & ~reset;
    i_data <= memory[i_adr[$clog2(WORDS)-1:0]];
  end

  // data
  wire d_cyc, d_stb, d_we;
  wire [29:0] d_adr;
  wire [31:0] d_mosi;
  wire [3:0] d_sel;
  reg d_ack;
  reg [31:0] d_data;
  wire d_outside = d_adr[29];
  wire d_write = d_cyc & d_stb & d_we & ~d_ack & ~reset;
  integer k;
  always @(posedge clk) begin
    d_ack <= d_cyc & d_stb & ~d_ack & ~reset;
    d_data <= d_outside ? cycles : memory[d_adr[$clog2(WORDS)-1:0]];
    if (d_write & ~d_outside)
      for (k = 0; k < 4; k = k + 1)
        if (d_sel[k]) memory[d_adr[$clog2(WORDS)-1:0]][8*k+:8] <= d_mosi[8*k+:8];
  end

  assign console_valid = d_write & d_outside & (d_adr[1:0] == 2'd0);
  assign console_byte = d_mosi[7:0];
  always @(posedge clk)
    if (reset) begin
      ended  <= 1'b0;
      status <= 32'd0;
    end else if (d_write & d_outside & (d_adr[1:0] == 2'd2)) begin
      ended  <= 1'b1;
      status <= d_mosi;
    end

  assign pc = cpu.lastStagePc;

  VexRiscv cpu (
      .externalResetVector(32'd0),
      .timerInterrupt(1'b0),
      .softwareInterrupt(1'b0),
      .externalInterruptArray(32'd0),
      .CfuPlugin_bus_cmd_valid(cmd_valid),
      .CfuPlugin_bus_cmd_ready(cmd_ready),
      .CfuPlugin_bus_cmd_payload_function_id(cmd_payload_function_id),
      .CfuPlugin_bus_cmd_payload_inputs_0(cmd_payload_inputs_0),
      .CfuPlugin_bus_cmd_payload_inputs_1(cmd_payload_inputs_1),
      .CfuPlugin_bus_rsp_valid(rsp_valid),
      .CfuPlugin_bus_rsp_ready(rsp_ready),
      .CfuPlugin_bus_rsp_payload_outputs_0(rsp_payload_outputs_0),
      .iBusWishbone_CYC(i_cyc),
      .iBusWishbone_STB(i_stb),
      .iBusWishbone_ACK(i_ack),
      .iBusWishbone_WE(),
      .iBusWishbone_ADR(i_adr),
      .iBusWishbone_DAT_MISO(i_data),
      .iBusWishbone_DAT_MOSI(),
      .iBusWishbone_SEL(),
      .iBusWishbone_ERR(1'b0),
      .iBusWishbone_CTI(),
      .iBusWishbone_BTE(),
      .dBusWishbone_CYC(d_cyc),
      .dBusWishbone_STB(d_stb),
      .dBusWishbone_ACK(d_ack),
      .dBusWishbone_WE(d_we),
      .dBusWishbone_ADR(d_adr),
      .dBusWishbone_DAT_MISO(d_data),
      .dBusWishbone_DAT_MOSI(d_mosi),
      .dBusWishbone_SEL(d_sel),
      .dBusWishbone_ERR(1'b0),
      .dBusWishbone_CTI(),
      .dBusWishbone_BTE(),
      .clk(clk),
      .reset(reset)
  );

endmodule

`default_nettype wire
