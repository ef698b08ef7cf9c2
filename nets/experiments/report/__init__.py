"""One page of all that a store knows: its data, its pictures, its text."""
