"""Training: epochs, run folders, transfer, studies, curves."""
