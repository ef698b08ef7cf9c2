"""Units around operators: MACs, dot products, arrays."""
