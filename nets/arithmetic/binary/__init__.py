"""Weights of -1 and 1 over latent floats."""
