"""Activations fitted to samples: files of them, fits, tests, pictures."""
