"""Proofs of whole cores: what their sequencers never do, whatever comes in and words are."""
