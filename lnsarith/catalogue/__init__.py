"""The list of operators, and what one is."""
