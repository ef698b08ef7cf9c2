"""Number systems over tensors: floats, fixed point, logarithms."""
