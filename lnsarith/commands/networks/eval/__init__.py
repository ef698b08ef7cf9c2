"""lnsarith eval, of every kind of network."""
