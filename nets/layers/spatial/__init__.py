"""Layers over images: convolutions, pools and branches, and the windows they gather."""
