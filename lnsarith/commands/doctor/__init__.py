"""lnsarith doctor."""
