"""Networks as graphs of named nodes: what they mean in floats, and in words of any arithmetic."""
