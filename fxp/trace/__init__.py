"""What is traced: the vocabulary of specs, graphs of nodes with ranges, plans of loops."""
