"""Fixed-point operators beside the plain ones: min-selectors, functions of pieces, XNOR."""
