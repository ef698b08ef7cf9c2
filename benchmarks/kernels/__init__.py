"""What the inner loops of training are made of, and how near they come to the processor.

    python -m benchmarks.kernels --arith lns12 --delta lut [--guard 4] [--update stochastic]

A row is a product of a dense layer: forward, backward (the gradient of its inputs) or the
step of its weights, with operands of at most one, and above one where the kernel has other
code for those; or a product of two arrays, where that goes by a form of its own, which is named
by what its sums are held in. Columns, of the loop over the depth that most time goes to:

    MAC/s      multiply-accumulates in a second of processor time, of the whole call, one thread
    bits       the width of a lane
    per vector vector instructions for one vector of sums (64, 32, 16, ... of them)
    a MAC      the same divided by its lanes
    loads      of them, those that read memory other than the stack, a vector
    spills     those that read or write the stack, a vector: registers that were not enough
    of limit   vector instructions a second over those of a loop that only adds and xors in
               registers, measured beside: 100 % is all that the ports take of the simplest
               ones. Shifts, permutations, comparisons into masks and saturating sums have
               fewer ports, so a loop of them ends at 50 %

The instructions are read from the machine code: the shortest way through the loop with
operands of at most one, the longest else. A step of weights has, beside its loop, an end
for each weight that is not counted in the instructions but in the time.
"""
