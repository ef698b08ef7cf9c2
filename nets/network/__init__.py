"""Networks: layers in order, models by name and on disk, evaluation, probes."""
