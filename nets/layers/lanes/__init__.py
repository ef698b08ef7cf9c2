"""Layers over float32 numbers where a lane is an image: convolutions and min-selectors.

Everything lies as features x batch. A layer is told by `places`, positions x depth: the
rows of x that the inputs of each position are. So windows need neither copies nor padding
(zeros around an image are one row of zeros), and a dense layer is one position.
"""
