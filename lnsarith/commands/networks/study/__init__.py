"""lnsarith study."""
