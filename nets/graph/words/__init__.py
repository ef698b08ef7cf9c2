"""Graphs in words: lowered to sums of products, tables and copies of any arithmetic."""
