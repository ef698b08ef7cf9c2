"""Circuits to Verilog: syntax, names, modules, pipelines."""
