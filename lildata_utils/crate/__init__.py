"""The crate: eight genres of music composed and rendered by code, from one seed (notebook 01).

No samples, no downloads: instruments (`drums`, `synths`, `voice`, `noise`) play patterns that a
genre's recipe (`recipes`) writes for an artist, and a desk (`mixing`) finishes the track.
"""
