"""The machine around: files, pictures, streams, packages and the version."""
