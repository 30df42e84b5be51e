"""Telling genres, and judging who tells them (notebooks 02 and 03)."""
