"""The front door's commands, one module each, loaded when called."""
