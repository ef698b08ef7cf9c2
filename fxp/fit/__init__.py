"""Fits of functions: line segments and shifted ReLUs, the fewest within an error."""
