"""Machine code: for which processor, whether it is defined, how it is kept and loaded."""
