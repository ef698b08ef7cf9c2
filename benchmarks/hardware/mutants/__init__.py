"""Faults in generated Verilog, counted by whether they are caught."""
