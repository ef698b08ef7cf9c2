"""What becomes of a sum's word on its way to memory: pooling, batch norm, activation, mean."""
