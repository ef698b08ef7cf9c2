"""Training of graphs in words: gradients of each step, and steps against them."""
