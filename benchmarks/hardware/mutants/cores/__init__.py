"""Faults in cores that run or train whole networks, counted by whether their benches see them."""
