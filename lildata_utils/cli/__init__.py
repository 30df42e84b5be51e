"""The command `lildata`."""
