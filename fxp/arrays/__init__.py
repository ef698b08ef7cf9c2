"""Arrays of fixed-point words, and what NumPy's functions do with arrays of numbers."""
