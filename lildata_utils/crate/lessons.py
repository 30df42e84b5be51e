"""What the crate knows of its music, as numbers: tempo, key, parts, drums, notes.

Nothing is estimated: all of it is read from the composed track. Notebook 07 tells what it is good
for.
"""

import numpy as np
from numpy.typing import NDArray

from lildata_utils.crate.artists import PARTS, Track
from lildata_utils.crate.patterns import NOTE_NAMES

DRUMS = ("kick", "snare", "clap", "hat", "open_hat")
# Tempos of 60 to 182 BPM in steps of 5.7 %.
SLOWEST_BPM, TEMPOS_AN_OCTAVE, TEMPOS = 60.0, 12.5, 20
MOST_HITS = 3.0  # a beat
NOTHING = -1.0  # noise has neither tempo nor key
# Where what stands in a row of lessons.
TEMPO, ROOT, MINOR = 0, 1, 2
PLAYING = slice(3, 3 + len(PARTS))
HITS = slice(PLAYING.stop, PLAYING.stop + len(DRUMS))
NOTES = slice(HITS.stop, HITS.stop + len(NOTE_NAMES))
COLUMNS = NOTES.stop


def lessons(track: Track, start_s: float, length_s: float) -> NDArray[np.float32]:
    """Say what happens in a stretch of a track (notebook 07).

    Returns
    -------
    ndarray of float32, shape (26,)
        The number of its tempo, of its key's root, and 1 for a minor key (all -1 for noise); 1 for
        each of `PARTS` that plays; hits a beat of each of `DRUMS`, at most 3; how long each of the
        twelve notes sounds, as a share of the longest.
    """
    row = np.zeros(COLUMNS, np.float32)
    row[[TEMPO, ROOT, MINOR]] = NOTHING
    if track.tempo_bpm is not None and track.key is not None:
        step = np.log2(track.tempo_bpm / SLOWEST_BPM) * TEMPOS_AN_OCTAVE
        row[TEMPO] = int(np.clip(step, 0, TEMPOS - 1))
        row[ROOT] = NOTE_NAMES.index(track.key.split()[0])
        row[MINOR] = "major" not in track.key
    beats = length_s * track.beats_per_second
    start = start_s * track.beats_per_second
    end = start + beats
    for layer in track.layers:
        for event in layer.events:
            lasts = min(event.beat + event.beats, end) - max(event.beat, start)
            begins = start <= event.beat < end
            if lasts <= 0 and not begins:
                continue
            row[PLAYING][PARTS.index(layer.part)] = 1
            if layer.part == "drums" and event.what in DRUMS:
                row[HITS][DRUMS.index(event.what)] += begins / beats
            elif isinstance(event.what, int | np.integer):
                row[NOTES][int(event.what) % len(NOTE_NAMES)] += max(lasts, 0)
    row[HITS] = np.minimum(row[HITS], MOST_HITS)
    row[NOTES] /= max(float(row[NOTES].max()), 1e-6)
    return row
