"""What cores are made of: memories, sequencers, lanes, pipelines, rows, wires."""
