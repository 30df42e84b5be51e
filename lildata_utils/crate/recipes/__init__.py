"""Recipes: what the artists of a genre draw from, and how they write a track (notebook 01)."""
