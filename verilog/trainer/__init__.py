"""A core that trains a multilayer perceptron: circuits around memories and a sequencer."""
