"""The parts of a trainer as modules: memories, lanes, drain, soft-max, sequencer."""
