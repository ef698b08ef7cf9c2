"""Commands about operators: list, check, likeness, one of one's own."""
