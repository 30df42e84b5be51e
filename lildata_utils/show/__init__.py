"""Figures, players and panels."""
