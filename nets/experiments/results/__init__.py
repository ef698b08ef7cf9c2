"""What the runs of a store say: compared, drawn, as tables, beside published ones."""
