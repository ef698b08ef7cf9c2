"""Layers of min-selectors, over floats and over words."""
