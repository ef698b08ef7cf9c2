"""Tables that lie in registers: a bank is what one instruction picks from.

AVX-512 picks among the words of two registers: 64 of 16 bits, 32 of 32 bits and, on most
processors, 128 of 8 bits; AVX2 shuffles bytes, 16 of them. Of four banks the second and the third
are one where what is read of them has different places: a table of 96 entries for each sign takes
three.
"""

from __future__ import annotations

from collections.abc import Sequence

from llvmlite import ir

__all__ = ["Banks", "intrinsic"]

I8, I16 = (ir.IntType(n) for n in (8, 16))
MOST_BANKS = {"avx512": 4, "avx2": 8, "plain": 0}
ADDED = {"avx512": "llvm.x86.avx512.pmaddubs.w.512", "avx2": "llvm.x86.avx2.pmadd.ub.sw"}
SHUFFLED = 8  # words of 16 bits in a bank of AVX2
MOST = 512  # entries that any registers hold


class Banks:
    """Emits reads of tables from registers, for one vector shape."""

    def __init__(self, builder, lanes):
        self.builder = builder
        self.lanes = lanes
        self.level = lanes.target.level

    def fit(self, values: Sequence[int | None]) -> bool:
        """Whether the registers hold a table."""
        read = [v for v in values if v is not None]
        return len(values) <= MOST and len(values) <= self._room(read)

    def _room(self, values) -> int:
        if self.lanes.width > 32:
            return 0
        if self.lanes.width == 8:
            short = all(-(1 << 7) <= v < 1 << 7 for v in values)
            return 128 * MOST_BANKS[self.level] if short and self.lanes.target.bytes else 0
        wide = self.level == "avx512" and self.lanes.width == 32
        if wide and _least(values) is not None:
            return 64 * MOST_BANKS[self.level]
        if all(-(1 << 15) <= v < 1 << 15 for v in values):
            return MOST_BANKS[self.level] * (64 if self.level == "avx512" else SHUFFLED)
        return 32 * MOST_BANKS[self.level] if wide else 0

    def read(self, entries: Sequence[int | None], address, bound: int = 1 << 64):
        """Return entries[address modulo their power-of-two count], of a table that fits; None
        is never read.

        Addresses of lanes that count are known to be below the bound.
        """
        every = list(entries)
        size = 1 << (len(every) - 1).bit_length()
        every = (every + every[:1] * (size - len(every))) * max(1, 16 // size)
        b, lanes = self.builder, self.lanes
        if lanes.width == 32 and self.level == "avx512":
            filled = [v or 0 for v in every]
            least = _least(filled)
            return (self._pick(filled, address, "d") if least is None else
                    self._biased(filled, least, address))
        if lanes.width == 8:
            return self._pick(every, address, "qi")
        words = b.bitcast(address, ir.VectorType(I16, lanes.target.register_bits // 16))
        found = (self._pick(every, words, "hi") if self.level == "avx512" else
                 self.shuffled(every, words, bound))
        found = b.bitcast(found, lanes.type)
        if lanes.width == 16:
            return found
        up = lanes.splat(lanes.width - 16)
        return b.ashr(b.shl(found, up), up)

    def folded(self, u):
        """Return (u >> 8) + 32 (u & 255) of lanes of 16 bits that are not negative."""
        if self.level not in ADDED:
            b, splat = self.builder, self.lanes.splat
            return b.add(b.lshr(u, splat(8)), b.mul(b.and_(u, splat(255)), splat(32)))
        kind = ir.VectorType(I8, 2 * self.lanes.count)
        factors = ir.Constant(kind, [32, 1] * self.lanes.count)
        name, types = ADDED[self.level], [kind, kind]
        function = self.builder.module.globals.get(name) or ir.Function(
            self.builder.module, ir.FunctionType(self.lanes.type, types), name)
        return self.builder.call(function, [self.builder.bitcast(u, kind), factors])

    def _biased(self, entries: list[int], least: int, address):
        """AVX-512: lanes of 32 bits read words of 16, which lie above the least entry. The high
        half of an address is zero, so that of what is found is the first word."""
        b, lanes = self.builder, self.lanes
        words = [v - least for v in entries]
        halves = b.bitcast(address, ir.VectorType(I16, 2 * lanes.count))
        found = b.bitcast(self._pick(words, halves, "hi"), lanes.type)
        return b.add(found, lanes.splat(least - (words[0] << 16)))

    def _pick(self, entries: Sequence[int | None], address, kind: str):
        """AVX-512: one permutation of two registers for each bank, then selections."""
        b, lanes = self.builder, address.type
        size = 2 * lanes.count
        banks = [entries[i : i + size] for i in range(0, len(entries), size)]

        def picked(bank):
            return self._permute([v or 0 for v in bank] * (size // len(bank)), address, kind)

        def chosen(bit: int, odd, even, number=address):
            ones = b.icmp_signed("!=", b.and_(number, _splat(lanes, bit)), _splat(lanes, 0))
            return b.select(ones, odd, even)

        if len(banks) == 4 and (middle := _both(*banks[1:3])):  # those with the bit a bank further
            outer = chosen(2 * size, picked(banks[3]), picked(banks[0]))
            return chosen(2 * size, picked(middle), outer, b.add(address, _splat(lanes, size)))
        found, bit = [picked(bank) for bank in banks], size
        while len(found) > 1:
            found = [chosen(bit, odd, even) for even, odd in zip(found[::2], found[1::2])]
            bit *= 2
        return found[0]

    def _permute(self, bank, address, kind: str):
        lanes = address.type
        low, high = (ir.Constant(lanes, bank[i : i + lanes.count]) for i in (0, lanes.count))
        if bank[: lanes.count] == bank[lanes.count :]:
            one = {"d": "si"}.get(kind, kind)
            return intrinsic(self.builder, f"llvm.x86.avx512.permvar.{one}.512", lanes, low,
                             address)
        return intrinsic(self.builder, f"llvm.x86.avx512.vpermi2var.{kind}.512", lanes, low,
                         address, high)

    def shuffled(self, entries: Sequence[int | None], words, bound: int):
        """AVX2: return entries[words modulo their power-of-two count]; None is never read.

        Each bank of eight entries is sixteen bytes, of which a shuffle picks by the low
        four bits of each byte; the bits above choose among the banks.
        """
        b, kind = self.builder, words.type
        entries = list(entries) * max(1, SHUFFLED // len(entries))
        bytes_type = ir.VectorType(I8, 2 * kind.count)
        if bound > len(entries):
            words = b.and_(words, _splat(kind, len(entries) - 1))
        pairs = b.add(b.mul(words, _splat(kind, 0x0202)), _splat(kind, 0x0100))
        address = b.bitcast(pairs, bytes_type)
        picked = [self._shuffle_bank(entries[i : i + SHUFFLED], address, bytes_type)
                  for i in range(0, len(entries), SHUFFLED)]
        bit = 2 * SHUFFLED
        while len(picked) > 1:
            up = b.shl(pairs, _splat(kind, 8 - bit.bit_length()))  # the bit on top of its byte
            odd = b.icmp_signed("<", b.bitcast(up, bytes_type), _splat(bytes_type, 0))
            picked = [high if low is None else low if high is None else b.select(odd, high, low)
                      for low, high in zip(picked[::2], picked[1::2])]
            bit *= 2
        return b.bitcast(picked[0], kind)

    def _shuffle_bank(self, bank, address, kind):
        """Return what a bank gives; None for one that is never read."""
        if all(v is None for v in bank):
            return None
        data = [byte for v in bank for byte in ((v or 0) & 0xFF, ((v or 0) >> 8) & 0xFF)]
        table = ir.Constant(kind, data * (kind.count // 16))
        return intrinsic(self.builder, "llvm.x86.avx2.pshuf.b", kind, table, address)


def _both(first: Sequence[int | None], second: Sequence[int | None]) -> list[int | None] | None:
    """Return the bank that two are, where no entry that is read differs."""
    if any(None not in (v, w) and v != w for v, w in zip(first, second)):
        return None
    return [w if v is None else v for v, w in zip(first, second)]


def intrinsic(builder, name: str, kind, *arguments):
    """Return the call of one of LLVM's functions, declared where it is not yet."""
    function_type = ir.FunctionType(kind, [a.type for a in arguments])
    function = builder.module.globals.get(name) or ir.Function(builder.module, function_type,
                                                               name)
    return builder.call(function, arguments)


def _splat(kind, value: int) -> ir.Constant:
    return ir.Constant(kind, [value] * kind.count)


def _least(values: Sequence[int]) -> int | None:
    """Return the least value if all are that and a word of 16 bits from 0, else None."""
    least = min(values)
    return least if max(values) - least < 1 << 16 else None
