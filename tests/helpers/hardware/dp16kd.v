// A block memory of the ECP5 as Yosys uses it: port A writes, or reads as a ROM does; port B
// reads; 36 bits wide both ports are one. What is read at the clock that writes it is unknown.
module DP16KD (
  input CLKA, CEA, OCEA, WEA, RSTA, CSA0, CSA1, CSA2,
  input CLKB, CEB, OCEB, WEB, RSTB, CSB0, CSB1, CSB2,
  input ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
  input ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
  input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8,
  input DIA9, DIA10, DIA11, DIA12, DIA13, DIA14, DIA15, DIA16, DIA17,
  input DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8,
  input DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16, DIB17,
  output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8,
  output DOA9, DOA10, DOA11, DOA12, DOA13, DOA14, DOA15, DOA16, DOA17,
  output DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8,
  output DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15, DOB16, DOB17);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18, REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "ENABLED";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
@PARAMETERS@
  wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2,
                     ADA1, ADA0};
  wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2,
                     ADB1, ADB0};
  wire [35:0] di = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6,
                    DIB5, DIB4, DIB3, DIB2, DIB1, DIB0, DIA17, DIA16, DIA15, DIA14, DIA13, DIA12,
                    DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  reg [8:0] bytes [0:2047];
  reg [35:0] read_a, read_b, held_a, held_b;
  integer i;
  localparam [20479:0] init = {@INITIAL@};

  // 18 bits of data in 20 of INITVAL; widths below nine use eight bits of a byte.
  initial for (i = 0; i < 2048; i = i + 1) bytes[i] = init[(i / 2) * 20 + (i % 2) * 9 +: 9];

  wire writes = CEA & WEA & ~CSA0 & ~CSA1 & ~CSA2;
  wire met = writes & CEB & (DATA_WIDTH_A == 36 ? |ada[3:0] & ada[13:5] == adb[13:5] :
                             DATA_WIDTH_A == 18 ? |ada[1:0] & ada[13:4] == adb[13:4] : ada == adb);
  wire [10:0] at_a = ada[13:3], at_b = adb[13:3];
  wire [8:0] byte_b = bytes[at_b] >> (DATA_WIDTH_B == 4 ? adb[2] * 4 : DATA_WIDTH_B == 2 ?
                                      adb[2:1] * 2 : DATA_WIDTH_B == 1 ? adb[2:0] : 0);
  always @(posedge CLKA) begin
    held_a <= read_a;
    if (writes) case (DATA_WIDTH_A)
      36: for (i = 0; i < 4; i = i + 1) if (ada[i]) bytes[{at_a[10:2], 2'd0} + i] <= di[9*i +: 9];
      18: for (i = 0; i < 2; i = i + 1) if (ada[i]) bytes[{at_a[10:1], 1'd0} + i] <= di[9*i +: 9];
      9: bytes[at_a] <= di[8:0];
      4: if (ada[2]) bytes[at_a][7:4] <= di[3:0]; else bytes[at_a][3:0] <= di[3:0];
      2: case (ada[2:1])
        3: bytes[at_a][7:6] <= di[1:0];
        2: bytes[at_a][5:4] <= di[1:0];
        1: bytes[at_a][3:2] <= di[1:0];
        default: bytes[at_a][1:0] <= di[1:0];
      endcase
      default: bytes[at_a][ada[2:0]] <= di[0];
    endcase else if (CEA) read_a <= {bytes[{at_a[10:1], 1'd1}], bytes[{at_a[10:1], 1'd0}]};
  end
  always @(posedge CLKB) begin
    held_b <= read_b;
    if (CEB) read_b <= met ? 36'bx : DATA_WIDTH_B == 36 ?
      {bytes[{at_b[10:2], 2'd3}], bytes[{at_b[10:2], 2'd2}], bytes[{at_b[10:2], 2'd1}],
       bytes[{at_b[10:2], 2'd0}]} : DATA_WIDTH_B == 18 ?
      {bytes[{at_b[10:1], 1'd1}], bytes[{at_b[10:1], 1'd0}]} : byte_b;
  end

  wire [35:0] a = REGMODE_A == "OUTREG" ? held_a : read_a;
  wire [35:0] b = REGMODE_B == "OUTREG" ? held_b : read_b;
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
          DOB4, DOB3, DOB2, DOB1, DOB0} = DATA_WIDTH_B == 36 ? b[35:18] : b[17:0];
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
          DOA4, DOA3, DOA2, DOA1, DOA0} = DATA_WIDTH_B == 36 ? b[17:0] : a[17:0];
endmodule
