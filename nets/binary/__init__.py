"""Networks of weights and activations -1 and 1: training, packing, counting bits."""
