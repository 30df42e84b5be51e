"""What a song is before anybody plays it: beats, chords, key, form, melody.

The score of a track of the crate is exact; that of a recording is heard (`transfer.hearing`).
"""

from dataclasses import dataclass, replace

import numpy as np

from lildata_utils.crate.artists import Layer, Track
from lildata_utils.crate.patterns import (
    BEATS_PER_BAR,
    NOTE_NAMES,
    SCALES,
    Chord,
    Event,
    Key,
    Section,
)
from lildata_utils.crate.voice import BREATH, Syllable
from lildata_utils.errors import LilDataError

# What rings on so long after a chord has changed is not struck again, in beats.
RINGS_ON = 0.75
# On a chord that the key does not have, its own tones and these.
_FOREIGN_SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 10),
    "minor": (0, 2, 3, 5, 7, 9, 10),
    "diminished": (0, 1, 3, 5, 6, 8, 10),
    "augmented": (0, 2, 4, 6, 8, 9, 10),
}


@dataclass(frozen=True)
class Score:
    """A song that any band can play (notebook 09).

    Attributes
    ----------
    beats_s : tuple of float
        When each beat begins, and when the last one ends. Beat 0 begins a bar of four, and may lie
        before the sound's start.
    key : Key
    chords : tuple of Chord
        Of each beat.
    sections : tuple of Section
        In bars; a louder one has a name that bands play louder.
    duration_s : float
    melody : tuple of Event
        Notes, in beats; empty if nobody knows it.
    """

    beats_s: tuple[float, ...]
    key: Key
    chords: tuple[Chord, ...]
    sections: tuple[Section, ...]
    duration_s: float
    melody: tuple[Event, ...] = ()

    @property
    def tempo_bpm(self) -> float:
        """The tempo of most beats."""
        return 60 / float(np.median(np.diff(self.beats_s)))

    def doubled(self) -> "Score":
        """Count twice as many beats in the same time."""
        steps = np.arange(2 * len(self.beats_s) - 1) / 2
        beats_s = np.interp(steps, np.arange(len(self.beats_s)), self.beats_s)
        return replace(
            self,
            beats_s=tuple(beats_s.tolist()),
            chords=tuple(chord for chord in self.chords for _ in range(2)),
            sections=tuple(Section(name, 2 * bar, 2 * n) for name, bar, n in self.sections),
            melody=_slower(self.melody, 2),
        )

    def halved(self) -> "Score":
        """Count half as many beats in the same time; of two chords on one beat the first stays."""
        beats_s, chords = [*self.beats_s], [*self.chords]
        while len(chords) % (2 * BEATS_PER_BAR):
            beats_s.append(2 * beats_s[-1] - beats_s[-2])
            chords.append(chords[-1])
        ends = [-(-(bar + bars) // 2) for _, bar, bars in self.sections]
        spans = zip(self.sections, [0, *ends], ends, strict=False)
        return replace(
            self,
            beats_s=tuple(beats_s[::2]),
            chords=tuple(chords[::2]),
            sections=tuple(
                Section(s.name, start, end - start) for s, start, end in spans if end > start
            ),
            melody=_slower(self.melody, 0.5),
        )


def _slower(melody: tuple[Event, ...], times: float) -> tuple[Event, ...]:
    return tuple(note._replace(beat=times * note.beat, beats=times * note.beats) for note in melody)


def score_of(track: Track) -> Score:
    """Write down what a track of the crate plays: exact knowledge (notebook 09).

    Raises
    ------
    LilDataError
        If it is noise, which has no beat and no chords.
    """
    if track.key is None:
        raise LilDataError(
            f"{track.genre} has no beat and no chords: choose music of another genre"
        )
    root, scale = track.key.split(maxsplit=1)
    beats_s = track.beats_s or tuple(track.seconds(beat) for beat in range(len(track.chords) + 1))
    notes = [
        note
        for layer in track.layers
        if layer.part == "lead"
        for note in layer.events
        if isinstance(note.what, int | np.integer)
    ]
    return Score(
        beats_s,
        Key(NOTE_NAMES.index(root), scale.replace(" ", "_")),
        track.chords,
        track.sections,
        track.duration_s,
        tuple(sorted(notes, key=lambda note: note.beat)),
    )


def bent(layer: Layer, score: Score) -> Layer:
    """Bend what was written on the key's own chord alone to the chord of each beat (notebook 09).

    Chords move as little as they can, note by note. Bass, lead and sung vowels keep their contour.
    Drums, noise and rap stay. A note that is held while the chord changes is struck again.
    """
    if layer.part in ("drums", "noise"):
        return layer
    count = len(score.chords)
    ends = [count] * count
    for beat in range(count - 2, -1, -1):
        ends[beat] = ends[beat + 1] if score.chords[beat] == score.chords[beat + 1] else beat + 1
    events = tuple(
        _bent_event(part, score, nearest=layer.part == "chords")
        for event in layer.events
        for part in ([event] if layer.part == "voice" else _struck_again(event, ends))
    )
    return replace(layer, events=tuple(sorted(events, key=lambda event: event.beat)))


def _struck_again(event: Event, ends: list[int]) -> list[Event]:
    parts = []
    while (end := ends[min(int(event.beat), len(ends) - 1)]) < len(ends):
        rest = event.beat + event.beats - end
        if rest < RINGS_ON:
            break
        parts.append(event._replace(beats=end - event.beat))
        event = event._replace(beat=float(end), beats=rest)
    return [*parts, event]


def _bent_event(event: Event, score: Score, nearest: bool) -> Event:
    chord = score.chords[min(int(event.beat), len(score.chords) - 1)]
    what = event.what
    if isinstance(what, Syllable):
        # Who raps has no notes.
        if what.consonant or what == BREATH:
            return event
        pitch = _bent_pitch(int(what.pitch), score.key, chord, nearest)
        return event._replace(what=what._replace(pitch=pitch, end_pitch=pitch))
    pitch = _bent_pitch(int(what), score.key, chord, nearest)
    glide = None if event.glide is None else event.glide + pitch - what
    return event._replace(what=pitch, glide=glide)


def _bent_pitch(pitch: int, key: Key, chord: Chord, nearest: bool) -> int:
    octave, offset = divmod(pitch - key.root, 12)
    degree = int(np.searchsorted(SCALES[key.scale], offset, side="right")) - 1
    step = scale_on(key, chord)[degree]
    if nearest:
        return pitch + (chord.root + step - pitch + 5) % 12 - 5
    return 12 * octave + key.root + (chord.root - key.root + 5) % 12 - 5 + step


def scale_on(key: Key, chord: Chord) -> tuple[int, ...]:
    """Give the seven notes that fit a chord, in semitones from its root (notebook 09).

    Examples
    --------
    >>> scale_on(Key(0, "major"), Chord(2, "minor"))
    (0, 2, 3, 5, 7, 9, 10)
    """
    for degree in range(len(SCALES[key.scale])):
        if key.triad(degree) == chord:
            root = key.pitch(degree, 0)
            return tuple(key.pitch(degree + step, 0) - root for step in range(7))
    return _FOREIGN_SCALES[chord.quality]
