"""What whole cores never do, whatever comes in and whatever the words are: shown by invariants.

ABC searches an inductive invariant (property directed reachability), an SMT solver checks it: what
is claimed rests on the solver and on how Yosys reads Verilog alone.
"""
