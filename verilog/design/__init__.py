"""What can be generated: designs, their names and words to try, packages, test benches."""
