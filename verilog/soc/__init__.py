"""A RISC-V with a custom function unit: the system, its firmware, and the labs on it."""
