"""What the front door needs of its process: streams, extras, the version."""
