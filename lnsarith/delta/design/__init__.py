"""The search for Delta methods: sums to judge them by, the best cells, what they cost."""
