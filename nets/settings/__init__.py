"""What a run is made of: settings, their limits, which go together, what suits."""
