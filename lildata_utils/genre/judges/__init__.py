"""Judges of genre that share nothing with any painter: other artists, other ears (notebook 07)."""
