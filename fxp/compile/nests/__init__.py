"""The loops around a circuit, in LLVM: maps, products, convolutions, differing bits."""
