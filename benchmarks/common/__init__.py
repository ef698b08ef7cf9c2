"""What all benchmarks share: the machine, timing, options, rows of results, child processes."""
