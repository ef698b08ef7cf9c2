"""A circuit's nodes as LLVM vector code: lanes, tables in registers, rounding."""
