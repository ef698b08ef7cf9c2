"""Memories: rows in blocks, read a clock or two later, and their hex files.

A block promises nothing where a row is read while it is written (no_rw_check): whoever
uses it never does that. A block's own output is late in the cycle, so that a register stands
behind it; of deep memories, which are several blocks, words are chosen a clock later still.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fxp.format import FormatError
from verilog.core.parts.text import banner, spanned
from verilog.emit.module import Module, Port

__all__ = ["BLOCK_BITS", "Memory", "block_count", "hex_rows", "is_cut", "memory", "small_memory"]

# Rows of a block memory of the ECP5 and the bits of each.
BLOCK_BITS = {1024: 18, 2048: 9, 4096: 4, 8192: 2, 16384: 1}
SHALLOW = 64  # rows up to which a memory is made of LUTs


@dataclass(frozen=True)
class Memory:
    """A memory's module, its rows and bits, and the clocks from an address to its row."""

    module: Module
    width: int
    depth: int
    latency: int

    @property
    def address_bits(self) -> int:
        return bits_for(self.depth)

    @property
    def bits(self) -> int:
        return self.width * self.depth

    @property
    def blocks(self) -> int:
        """Block memories of an ECP5 that it takes; none where LUTs do."""
        return block_count(self.width, self.depth)[0]


def bits_for(count: int) -> int:
    """Return the bits of an index below count."""
    return max(1, (count - 1).bit_length())


def block_count(width: int, depth: int) -> tuple[int, int]:
    """Return the block memories of so many rows, and the rows of each that is least, the
    deepest of equal ones."""
    if depth <= SHALLOW:
        return 0, depth
    ways = [(_blocks(width, depth, rows), -rows) for rows in BLOCK_BITS]
    count, rows = min(ways)
    return count, -rows


def is_cut(width: int, depth: int) -> bool:
    """Return whether a memory is several blocks deep."""
    return block_count(width, depth)[1] < depth


def _blocks(width: int, depth: int, rows: int) -> int:
    """Return the blocks where the memory is cut into parts of so many rows, each one block
    deep; the last part takes the shape that suits it."""
    whole, rest = divmod(depth, rows)
    last = min(-(-width // bits) for r, bits in BLOCK_BITS.items() if r >= rest) if rest else 0
    return whole * -(-width // BLOCK_BITS[rows]) + last


def hex_rows(rows: Sequence[int], width: int, depth: int) -> str:
    """Return the text that $readmemh takes; FormatError unless the rows fill the memory:
    simulators would go on with what they have, some without a word."""
    if len(rows) != depth:
        raise FormatError(f"a memory of {depth} rows takes as many, got {len(rows)}")
    if rows and not 0 <= min(rows) <= max(rows) < 1 << width:
        raise FormatError(f"rows must be 0..2^{width} - 1, got {min(rows)}..{max(rows)}")
    digits = -(-width // 4)
    return "".join(f"{row:0{digits}x}\n" for row in rows)


def memory(name: str, width: int, depth: int, rows: Sequence[int] | None = None,
           latency: int = 2) -> Memory:
    """Return a memory with one port that writes and one that reads.

    rows, if given, are what it holds at first. latency is 1, 2 with a register behind what is
    read, or 3 with one behind each block and one behind the choice between them.
    """
    cut = block_count(width, depth)[1]
    starts = range(0, depth, cut)
    files, parts, names = {}, [], []
    address = bits_for(depth)
    for k, start in enumerate(starts):
        size = min(cut, depth - start)
        whole = len(starts) == 1
        part = "rows" if whole else f"rows_{k}"
        low = bits_for(size)
        here = "" if whole else f" && i_write_address[{address - 1}:{bits_for(cut)}] == " \
                                f"{address - bits_for(cut)}'d{k}"
        load = ""
        if rows is not None:
            file = f"{name}.hex" if whole else f"{name}_{k}.hex"
            files[file] = hex_rows(rows[start : start + size], width, size)
            load = f'  initial $readmemh("{file}", {part});\n'
        index = f"[{low - 1}:0]" if address > 1 else ""
        parts.append(f"""\
  (* no_rw_check *) reg {spanned(width)}{part} [0:{size - 1}];
  reg {spanned(width)}{part}_read;
{load}  always @(posedge i_clk) begin
    if (i_write{here}) {part}[i_write_address{index}] <= i_data;
    if (i_read) {part}_read <= {part}[i_read_address{index}];
  end
""")
        names.append(f"{part}_read")
        if latency == 3:
            parts.append(_behind(f"{part}_behind", names[-1], width))
            names[-1] = f"{part}_behind"
    found = names[0]
    if len(names) > 1:
        high = address - bits_for(cut)
        parts.append(f"""\
  reg {spanned(high)}chosen;
  always @(posedge i_clk) if (i_read) chosen <= i_read_address[{address - 1}:{bits_for(cut)}];
""")
        chosen = "chosen"
        if latency == 3:
            parts.append(_behind("chosen_behind", chosen, high))
            chosen = "chosen_behind"
        found = names[-1]
        for k in reversed(range(len(names) - 1)):
            found = f"{chosen} == {high}'d{k} ? {names[k]} : {found}"
    if latency > 1:
        parts.append(_behind("held", found, width))
        found = "held"
    parts.append(f"  assign o_data = {found};\n")
    ports = _ports(width, address)
    summary = f"{depth} rows of {width} bits, read {latency} clocks after the address"
    return Memory(Module(name, ports, _module(name, summary, ports, "\n".join(parts)), files),
                  width, depth, latency)


def _behind(name: str, value: str, width: int) -> str:
    """Return a register that takes a value at each clock."""
    return (f"  reg {spanned(width)}{name};\n"
            f"  always @(posedge i_clk) {name} <= {value};\n")


def small_memory(name: str, width: int, depth: int) -> Memory:
    """Return a memory of LUTs whose row is there in the clock of its address."""
    ports = _ports(width, bits_for(depth), read=False)
    text = f"""\
  (* ram_style = "distributed" *) reg {spanned(width)}rows [0:{depth - 1}];
  always @(posedge i_clk) if (i_write) rows[i_write_address] <= i_data;
  assign o_data = rows[i_read_address];
"""
    summary = f"{depth} rows of {width} bits, read at once"
    return Memory(Module(name, ports, _module(name, summary, ports, text)), width, depth, 0)


def _ports(width: int, address: int, read: bool = True) -> tuple[Port, ...]:
    return (Port("i_clk", 1), Port("i_write", 1), Port("i_write_address", address),
            Port("i_data", width), *((Port("i_read", 1),) if read else ()),
            Port("i_read_address", address), Port("o_data", width, True))


def _module(name: str, summary: str, ports: tuple[Port, ...], body: str) -> str:
    heads = ",\n".join(f"  {'output' if p.output else 'input'} wire {spanned(p.width)}{p.name}"
                       for p in ports)
    return (f"{banner(name, summary)}`default_nettype none\n\nmodule {name} (\n{heads}\n);\n"
            f"{body}endmodule\n\n`default_nettype wire\n")
