"""Proofs of designs with a clock: what goes through them as streams."""
