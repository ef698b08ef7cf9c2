"""What a core takes of a trained network, by kind of run."""
