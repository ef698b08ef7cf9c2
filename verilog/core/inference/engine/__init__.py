"""What the front and the back of a core share: sequencers and rows of memories."""
