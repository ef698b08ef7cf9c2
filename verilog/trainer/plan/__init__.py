"""What is known of a trainer before a line is written: sizes, places, phases, cycles."""
