"""Convolutions in float32 whose vectors lie along channels: images stay as they are."""
