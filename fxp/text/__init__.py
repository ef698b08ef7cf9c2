"""Numbers as texts: read exactly, and dyadic ones."""
