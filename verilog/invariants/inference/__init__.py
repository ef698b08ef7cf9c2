"""What is claimed of inference cores, and what holds between their registers."""
