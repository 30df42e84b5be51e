"""Waveforms, spectrograms, pictures, and the way back (notebooks 01 and 06)."""
