"""Images: sets, downloads, files, what is done to them before training."""
