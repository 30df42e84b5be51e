"""What is played: scales, chords, grooves, melodies and the form of a track.

A groove is written as a step sequencer shows it, one string a drum and one character a step::

    {"kick":  "x...x...x...x...",
     "clap":  "....x.......x...",
     "hat":   "..x...x...x...x."}

``.`` rests, ``o`` is a ghost note, ``x`` a hit, ``X`` an accent, ``2`` to ``6`` a roll of so many
hits within the step. A string of 16 steps is a bar of sixteenths, one of 32 two bars.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lildata_utils.crate.voice import BREATH, CONSONANTS, VOWELS, Syllable

BEATS_PER_BAR = 4
NOTE_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic_minor": (0, 2, 3, 5, 7, 8, 11),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
}

_VELOCITIES = {"o": 0.3, "x": 0.8, "X": 1.0}

Groove = Mapping[str, str]


class Event(NamedTuple):
    """One note, drum hit, syllable or scene of a layer (notebook 01)."""

    # When, from the start of the track, and how long it is held.
    beat: float
    beats: float
    what: Any  # A MIDI pitch, the name of a drum, a syllable, or the number of a take
    velocity: float = 1.0  # Level, 0 to 1
    glide: float | None = None  # Pitch from or to which the note slides


class Section(NamedTuple):
    """A part of the form, such as ``drop``: where it starts and how long it is (notebook 01)."""

    name: str
    bar: int
    bars: int


# Semitones above the root: every triad that the scales hold.
TRIADS = {
    (0, 4, 7): "major",
    (0, 3, 7): "minor",
    (0, 3, 6): "diminished",
    (0, 4, 8): "augmented",
}


class Chord(NamedTuple):
    """A triad: its root (pitch class, 0 for C) and quality, one of `TRIADS` (notebook 09)."""

    root: int
    quality: str

    @property
    def name(self) -> str:
        """Such as ``F# minor``."""
        return f"{NOTE_NAMES[self.root]} {self.quality}"


@dataclass(frozen=True)
class Key:
    """A root (pitch class, 0 for C) and a scale (a key of `SCALES`; notebook 01)."""

    root: int
    scale: str

    @property
    def name(self) -> str:
        """Such as ``F# minor``."""
        return f"{NOTE_NAMES[self.root]} {self.scale.replace('_', ' ')}"

    def pitch(self, degree: int, octave: int = 4) -> int:
        """MIDI pitch of a degree of the scale (0 is the root; any integer)."""
        steps = SCALES[self.scale]
        return 12 * (octave + 1 + degree // 7) + self.root + steps[degree % 7]

    def triad(self, degree: int) -> Chord:
        """Name the chord on a degree of the scale.

        Examples
        --------
        >>> Key(9, "minor").triad(5).name
        'F major'
        """
        root, third, fifth = (self.pitch(degree + step, 0) for step in (0, 2, 4))
        return Chord(root % 12, TRIADS[0, third - root, fifth - root])

    def chord(self, degree: int, size: int, centre: float = 60.0) -> tuple[int, ...]:
        """Stack thirds of the scale and voice them closely around a MIDI pitch.

        Parameters
        ----------
        degree : int
            Root of the chord as a degree of the scale.
        size : int
            3 for a triad, 4 for a seventh, 5 for a ninth.
        centre : float
            Mean pitch of the voicing.

        Examples
        --------
        >>> Key(0, "major").chord(0, 4, 64)
        (59, 60, 64, 67)
        """
        pitches = []
        for third in range(size):
            pitch = self.pitch(degree + 2 * third, 0) % 12
            # The octave that puts the tone within six semitones of the centre.
            pitches.append(pitch + 12 * round((centre - pitch) / 12))
        return tuple(sorted(pitches))


def form(plan: Sequence[tuple[str, float]], bars: int) -> tuple[Section, ...]:
    """Divide a number of bars into sections that cover them without gaps (notebook 01).

    Sections shrink in proportion to their shares, which need not sum to 1; those of eight bars and
    more are rounded to four, shorter ones to whole bars, and what would get less than half a bar is
    left out.
    """
    total = sum(share for _, share in plan)
    edges, position = [0], 0.0
    for _, share in plan:
        position += share / total * bars
        grid = 4 if share / total * bars >= 8 else 1
        edges.append(max(edges[-1], grid * round(position / grid)))
    edges[-1] = bars
    edges = [min(edge, bars) for edge in edges]
    return tuple(
        Section(name, start, end - start)
        for (name, _), start, end in zip(plan, edges, edges[1:], strict=False)
        if end > start
    )


def beat(
    groove: Groove, bar: int, bars: int, swing: float = 0.0, late: Mapping[str, float] | None = None
) -> list[Event]:
    """Turn a groove into drum hits (notebook 01).

    Parameters
    ----------
    groove : mapping of str to str
        Steps of each drum, see the module.
    bar, bars : int
        Where it starts and how long it is repeated.
    swing : float
        How far every second sixteenth is delayed, in sixteenths (0 to 0.5).
    late : mapping of str to float
        Delay of single drums in beats.

    Returns
    -------
    list of Event
        Rolls are spelled out.

    Examples
    --------
    >>> [hit.beat for hit in beat({"kick": "x...x...x...x..."}, bar=2, bars=1)]
    [8.0, 9.0, 10.0, 11.0]
    """
    hits = []
    for drum, steps in groove.items():
        delay = (late or {}).get(drum, 0.0)
        for step, mark in enumerate((steps * (bars * 16 // len(steps) + 1))[: bars * 16]):
            if mark == ".":
                continue
            start = bar * BEATS_PER_BAR + step / 4 + (swing / 4 if step % 2 else 0.0) + delay
            if mark.isdigit():
                count = int(mark)
                hits += [
                    Event(start + n / count / 4, 0.25 / count, drum, 0.45 + 0.4 * n / count)
                    for n in range(count)
                ]
            else:
                hits.append(Event(start, 0.25, drum, _VELOCITIES[mark]))
    return hits


def rolling_hats(rng: np.random.Generator, busy: float) -> str:
    """Write two bars of trap hi-hats: eighths, with faster ones thrown in (notebook 01)."""
    steps = list("x.x.x.x.x.x.x.x." * 2)
    for group in range(8):
        if rng.random() < busy:
            start = 4 * group
            fill = str(rng.choice(["xxxx", "x.22", "3.3.", "x.3.", "2222", "x.x4", "6.x.", "xx2x"]))
            steps[start : start + 4] = fill
    return "".join(steps)


def thinned(steps: str, rng: np.random.Generator, keep: float) -> str:
    """Leave out steps of a pattern at random (notebook 01)."""
    return "".join(mark if rng.random() < keep else "." for mark in steps)


def rhythm(rng: np.random.Generator, density: float) -> list[tuple[float, float]]:
    """Draw the onsets and lengths, in beats, of a bar of melody (notebook 01)."""
    weights = np.array([3, 1, 2, 1] * 4) * density / 2
    weights[0] = max(weights[0], 0.9)
    steps = [step for step in range(16) if rng.random() < weights[step] / 3] or [0]
    ends = [*steps[1:], 16]
    return [(a / 4, (b - a) / 4) for a, b in zip(steps, ends, strict=True)]


def melody(
    rng: np.random.Generator,
    key: Key,
    degrees: Sequence[int],
    octave: int,
    density: float,
    leap: float = 1.6,
) -> list[Event]:
    """Compose four bars: a motif, its repetition, a variation, an answer (notebook 01).

    Parameters
    ----------
    degrees : sequence of int
        Chord of each bar.
    octave : int
        Around which octave.
    density : float
        About how full the rhythm is, 0 to 1.
    leap : float
        Standard deviation of the steps in degrees.
    """
    motif, answer = rhythm(rng, density), rhythm(rng, density)
    contour = np.round(rng.normal(0, leap, len(motif))).astype(int)
    events = []
    for bar, figure in enumerate((motif, motif, motif, answer)):
        degree = degrees[bar % len(degrees)] + 2 * int(rng.integers(0, 3))
        for number, (start, length) in enumerate(figure):
            strong = start == int(start)
            step = int(contour[number % len(contour)]) if bar < 3 else round(rng.normal(0, leap))
            degree += step
            if strong and (degree - degrees[bar % len(degrees)]) % 2:
                degree += 1 if step < 0 else -1
            degree = int(np.clip(degree, -4, 10))
            velocity = 0.95 if strong else 0.75
            events.append(
                Event(
                    bar * BEATS_PER_BAR + start, 0.9 * length, key.pitch(degree, octave), velocity
                )
            )
    return events


def repeated(events: Sequence[Event], length: int, section: Section) -> list[Event]:
    """Repeat a phrase of `length` bars, from beat 0 on, through a section (notebook 01)."""
    start, end = section.bar * BEATS_PER_BAR, (section.bar + section.bars) * BEATS_PER_BAR
    out = []
    for offset in range(start, end, length * BEATS_PER_BAR):
        for event in events:
            beat_ = offset + event.beat
            if beat_ < end:
                out.append(event._replace(beat=beat_, beats=min(event.beats, end - beat_)))
    return out


def verse(
    rng: np.random.Generator, section: Section, pitch: float, flow: float, vocabulary: int = 28
) -> list[Event]:
    """Write the rhythm and the syllables of a rap, without words (notebook 01).

    Lines are two bars long and end on a rhyme (the same vowel); the voice falls through a line
    and takes a breath before the next.

    Parameters
    ----------
    pitch : float
        MIDI pitch of the speaking voice.
    flow : float
        Share of the sixteenths that carry a syllable (0.4 is lazy, 0.8 is fast).
    vocabulary : int
        How many different syllables there are; fewer are quicker to render.
    """
    vowels = list(VOWELS)
    words = [
        (str(rng.choice(CONSONANTS)), str(rng.choice(vowels)), str(rng.choice(vowels)))
        for _ in range(vocabulary)
    ]
    rhyme = words[0]
    triplets = rng.random() < 0.3
    events = []
    for line in range(0, section.bars, 2):
        start = (section.bar + line) * BEATS_PER_BAR
        length = min(2, section.bars - line) * BEATS_PER_BAR
        step = 1 / 3 if triplets and rng.random() < 0.5 else 0.25
        grid = np.arange(0.0, length - 0.75, step)
        chosen = [at for at in grid if rng.random() < (1.3 if at % 1 < 0.01 else 0.9) * flow]
        for at, following in zip(chosen, [*chosen[1:], length - 0.5], strict=True):
            last = following == length - 0.5
            consonant, vowel, end_vowel = rhyme if last else words[rng.integers(vocabulary)]
            # Two pitches for each half of a line keep the number of different notes small.
            accent = round(2 * (1 if at % 1 < 0.01 else 0) - 3 * at / length)
            beats = min(following - at, 0.75 if last else 0.5)
            events.append(
                Event(
                    start + at,
                    max(beats, 0.2) * 0.95,
                    Syllable(consonant, vowel, end_vowel, pitch + accent, pitch + accent - 1),
                    1.0 if at % 1 < 0.01 else 0.8,
                )
            )
        events.append(Event(start + length - 0.45, 0.4, BREATH, 0.6))
        if rng.random() < 0.4:
            rhyme = words[rng.integers(vocabulary)]
    return events


def chops(
    rng: np.random.Generator, key: Key, degrees: Sequence[int], octave: int, density: float
) -> list[Event]:
    """Compose four bars of chopped vowels: short notes sung by a sample (notebook 01)."""
    vowels = [str(vowel) for vowel in rng.choice(list(VOWELS), 3)]
    return [
        note._replace(
            beats=min(note.beats, 0.6), what=Syllable("", vowel, vowel, note.what, note.what)
        )
        for note in melody(rng, key, degrees, octave, density, leap=2.2)
        for vowel in [vowels[rng.integers(3)]]
    ]
