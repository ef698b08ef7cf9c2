"""Generated Verilog: how long it takes, what it costs, which faults are found."""
