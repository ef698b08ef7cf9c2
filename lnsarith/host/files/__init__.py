"""Files: written whole or not at all, read with their sizes known and against their schema."""
