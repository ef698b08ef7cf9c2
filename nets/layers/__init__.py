"""Layers: forward and backward side by side, over any arithmetic."""
