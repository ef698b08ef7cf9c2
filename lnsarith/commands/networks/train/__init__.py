"""lnsarith train."""
