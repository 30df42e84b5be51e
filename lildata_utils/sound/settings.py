"""What the room of sound can be asked for: formats of sound files and settings of an inversion."""

# What can be written, and what a player calls it.
MIME_TYPES = {"flac": "audio/flac", "wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg"}
