"""Training networks in fixed-point and logarithmic arithmetic."""
