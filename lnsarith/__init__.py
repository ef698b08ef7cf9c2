"""Logarithmic number system arithmetic, bit by bit."""
