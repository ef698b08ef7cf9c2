"""Designs simulated against the compiled kernels."""
