"""Accuracy of trained networks, a row a run."""
