"""Circuits run on arrays: compiled or node by node, elementwise, in products and convolutions."""
