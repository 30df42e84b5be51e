"""What the LSTMs draw, and what it is worth (notebook 05)."""
