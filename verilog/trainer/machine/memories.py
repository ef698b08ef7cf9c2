"""Memories: a port to write, a port to read, which never meet on one address."""

from __future__ import annotations

from verilog.emit.module import Module, Port
from verilog.trainer.plan.geometry import bits_for
from verilog.trainer.writing.text import module, vec

__all__ = ["instance", "memory", "queue"]


def memory(name: str, bits: int, depth: int) -> Module:
    """Return a memory of so many words; what is read stands a cycle behind its address."""
    address = bits_for(depth - 1)
    ports = [Port("i_clk", 1), Port("i_write", 1), Port("i_write_address", address),
             Port("i_data", bits), Port("i_read", 1), Port("i_read_address", address),
             Port("o_data", bits, True)]
    return module(name, f"{depth} words of {bits} bits", ports, f"""
(* no_rw_check *)
reg {vec(bits)}words [0:{depth - 1}];
reg {vec(bits)}data;
always @(posedge i_clk) begin
  if (i_write) words[i_write_address] <= i_data;
  if (i_read) data <= words[i_read_address];
end
assign o_data = data;
""")


def queue(name: str, bits: int, depth: int) -> Module:
    """Return a queue of a power of two of rows; the oldest stands at its output."""
    address = bits_for(depth - 1)
    ports = [Port("i_clk", 1), Port("i_rst", 1), Port("i_write", 1), Port("i_data", bits),
             Port("i_take", 1), Port("o_any", 1, True), Port("o_data", bits, True)]
    return module(name, f"{depth} rows of sums that wait", ports, f"""
reg {vec(bits)}rows [0:{depth - 1}];
reg {vec(address)}newest, oldest;
always @(posedge i_clk) begin
  if (i_rst) begin
    newest <= {address}'d0;
    oldest <= {address}'d0;
  end else begin
    if (i_write) newest <= newest + {address}'d1;
    if (i_take) oldest <= oldest + {address}'d1;
  end
  if (i_write) rows[newest] <= i_data;
end
assign o_any = newest != oldest;
assign o_data = rows[oldest];
""")


def instance(module_name: str, label: str, **links: str) -> str:
    """Return an instance with its ports linked by name."""
    listed = ", ".join(f".{port}({value})" for port, value in links.items())
    return f"{module_name} {label} ({listed});"
