"""What the processor that Numba compiles for can do with vectors."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from numba.core import config as _config

__all__ = ["Target", "target"]

config: Any = _config  # Numba sets its options dynamically

# Processor names (as LLVM spells them) that have 512-bit vectors of 16-bit words.
AVX512 = ("skylake-avx512", "cascadelake", "cooperlake", "cannonlake", "icelake", "tigerlake",
          "rocketlake", "sapphirerapids", "emeraldrapids", "graniterapids", "znver4", "znver5",
          "x86-64-v4")
VBMI = ("cannonlake", "icelake", "tigerlake", "rocketlake", "sapphirerapids", "emeraldrapids",
        "graniterapids", "znver4", "znver5")  # of them, those that permute bytes too
VNNI = ("cascadelake", "cooperlake", *VBMI[1:])  # those that add four products of bytes
GATHERS = "graniterapids"  # gathers 32 words of 16 bits in 0.6 of the time that 32 loads take
AVX2 = ("haswell", "broadwell", "skylake", "znver1", "znver2", "znver3", "alderlake",
        "raptorlake", "meteorlake", "lunarlake", "arrowlake", "sierraforest", "x86-64-v3")


class Target:
    """The vector facilities of one processor: register size and special instructions."""

    def __init__(self, level: str, bytes: bool = False, fours: bool = False,
                 gathers: bool = False):
        self.level = level
        self.bytes = bytes  # whether it picks among bytes as among words (AVX-512 VBMI)
        self.fours = fours  # whether it adds four products of bytes at once (AVX-512 VNNI)
        self.gathers = gathers  # whether it gathers words of 16 bits faster than it loads each
        self.register_bits = {"avx512": 512, "avx2": 256}.get(level, 128)

    def lanes(self, width: int) -> int:
        """Return how many lanes of this width one register holds."""
        return self.register_bits // width


@lru_cache(maxsize=1)
def target() -> Target:
    """Return the target that Numba compiles for.

    NUMBA_CPU_NAME alone would keep the host's features; a processor asked for by
    name is meant whole, so its own features are taken instead.
    """
    if config.CPU_NAME and config.CPU_FEATURES is None:
        config.CPU_FEATURES = ""
        name = config.CPU_NAME
        return Target(_level_of_name(name), name.startswith(VBMI), name.startswith(VNNI),
                      name.startswith(GATHERS))
    features = _features()
    level = _level_of_features(features)
    # amx-fp16: what tells GATHERS from those before it, whatever LLVM takes the host for
    more = (level == "avx512" and f"+{name}" in features
            for name in ("avx512vbmi", "avx512vnni", "amx-fp16"))
    return Target(level, *more)


def _features() -> set[str]:
    from numba.core.registry import cpu_target

    text = config.CPU_FEATURES
    if text is None:
        text = cpu_target.target_context.codegen()._tm_features
    return set(text.split(","))


def _level_of_name(name: str) -> str:
    if name.startswith(AVX512):
        return "avx512"
    return "avx2" if name in AVX2 else "plain"


def _level_of_features(features: set[str]) -> str:
    if {"+avx512bw", "+avx512vl", "+avx512dq"} <= features:
        return "avx512"
    return "avx2" if "+avx2" in features else "plain"
