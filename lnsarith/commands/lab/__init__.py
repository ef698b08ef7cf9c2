"""lnsarith lab: the labs of a course on accelerators."""
