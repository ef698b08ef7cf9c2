"""Fixed-point arithmetic, and the spec vocabulary from which kernels are made."""
