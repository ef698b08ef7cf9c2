"""Circuits and plans to machine code: lanes, vector and scalar code, loops, the cache."""
