"""What is claimed of every memory: ports that never meet, rows that were written before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from verilog.invariants.claims import Claim

__all__ = ["never_meets", "one_of", "written_at"]


def never_meets(label: str, ports: Mapping[str, str], given: Sequence[str] = ()) -> Claim:
    """Return the claim that a memory's row is never read while it is written, which no_rw_check
    promises to the tools; ports are what those of an instance are connected to."""
    read, write = ports.get("i_read", "1'd1"), ports["i_write"]
    return Claim(f"apart_{label}", f"no row of {label} is read at the clock that writes it",
                 f"({read}) & ({write}) & (({ports['i_read_address']}) == "
                 f"({ports['i_write_address']}))", f"({read}) | ({write})",
                 given=given)


def written_at(label: str, ports: Mapping[str, str], bits: int, used: str, anew: str) -> Claim:
    """Return the claim that a row that is read, at clocks at which it is used, was written since
    `anew` was 1: of any one row, at_<label>, which was written where was_<label> is 1."""
    at, was = f"at_{label}", f"was_{label}"
    watch = (f"reg [{bits - 1}:0] {at};", f"always @(posedge i_clk) {at} <= {at};", f"reg {was};",
             f"always @(posedge i_clk) if ({anew}) {was} <= 1'd0; else if (({ports['i_write']}) & "
             f"({ports['i_write_address']}) == {at}) {was} <= 1'd1;")
    return Claim(f"written_{label}", f"no row of {label} is read for use that was not written "
                 "for this batch", f"({used}) & (({ports['i_read_address']}) == {at}) & ~{was}",
                 used, watch)


def one_of(depth: int, address: str) -> str:
    """Return the bits of which one, that of a row, is 1."""
    return f"({depth}'d1 << ({address}))"
