"""Genre transfer: painting one clip in the style of another (notebook 04)."""
