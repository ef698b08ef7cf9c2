"""Layers of -1 and 1: products with signs, norms, the sign."""
