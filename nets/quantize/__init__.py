"""Trained networks made smaller: integers, pruning."""
