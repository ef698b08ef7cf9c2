"""From circuits to Verilog: emission, simulation, proofs and cost."""
