"""lnsarith spindle fit|sample."""
