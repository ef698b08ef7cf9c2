"""The frame of a self-checking bench in plain Verilog, which prints PASS or FAIL."""

from __future__ import annotations

__all__ = ["bench_module", "verdict"]


def bench_module(name: str, does: str, body: str) -> str:
    """Return the text of module tb_<name>; does is the comment above, body what is in it."""
    return f"""// SPDX-License-Identifier: MIT
// {does}

`default_nettype none
`timescale 1ns / 1ps

module tb_{name};

{body}
endmodule

`default_nettype wire
"""


def verdict(right: str, passed: str, failed: str) -> str:
    """Return the end of a run, within an initial block: PASS and status 0 where `right` holds,
    else FAIL and 1; passed and failed are formats, the closing quote and values with them."""
    return f"""\
    if ({right}) begin
      $display("PASS: {passed});
      $finish;
    end else begin
      $display("FAIL: {failed});
      $stop;
    end
"""
