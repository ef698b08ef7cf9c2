"""Proofs for all inputs, by SMT."""
