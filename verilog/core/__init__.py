"""Cores that run whole networks: memories, lanes, sequencers around an engine's circuits."""
