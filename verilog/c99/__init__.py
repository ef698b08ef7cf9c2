"""Circuits as C99: the spec for firmware, simulators and microcontrollers."""
