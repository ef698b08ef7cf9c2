"""Logarithmic numbers: their formats, the specs of their operators, to and from fixed point."""
