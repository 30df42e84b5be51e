"""The composer's desk: a track that is being written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lildata_utils.crate.artists import Artist, Instrument, Layer
from lildata_utils.crate.drums import Riser
from lildata_utils.crate.patterns import (
    BEATS_PER_BAR,
    Event,
    Groove,
    Key,
    Section,
    beat,
    chops,
    repeated,
)

HELD = "x" + "-" * 15  # a bar, struck once


@dataclass
class Sketch:
    """A track that is being written: what a recipe writes into (notebook 01)."""

    artist: Artist
    rng: np.random.Generator  # Of the track
    key: Key
    progression: tuple[int, ...]  # Degree of each bar's chord, repeated through the track
    sections: tuple[Section, ...]
    layers: list[Layer] = field(default_factory=list)  # What has been written
    hits: list[Event] = field(default_factory=list)  # What the drummer was told since `play_kit`

    def patch(self, name: str) -> Instrument:
        """Give one of the artist's instruments."""
        return self.artist.patches[name]

    def trait(self, name: str) -> float:
        """Give one of the artist's numbers."""
        return self.artist.traits[name]

    def has(self, habit: str) -> bool:
        """Say whether the artist has a habit."""
        return habit in self.artist.habits

    def named(self, *names: str) -> list[Section]:
        """Give the sections of these names."""
        return [section for section in self.sections if section.name in names]

    def add(
        self,
        part: str,
        patch: str | Instrument,
        events: Iterable[Event],
        level_db: float,
        **channel: Any,
    ) -> None:
        """Write a layer, if it has any event; `channel` are the fields of `Layer`."""
        instrument = self.patch(patch) if isinstance(patch, str) else patch
        events = tuple(sorted(events, key=lambda event: event.beat))
        if events:
            self.layers.append(Layer(part, instrument, events, level_db, **channel))

    def silence(self, sections: Iterable[Section]) -> None:
        """Take out what begins in these sections."""
        spans_ = [
            (section.bar * BEATS_PER_BAR, (section.bar + section.bars) * BEATS_PER_BAR)
            for section in sections
        ]
        kept = [
            replace(
                layer,
                events=tuple(
                    event
                    for event in layer.events
                    if not any(start <= event.beat < end for start, end in spans_)
                ),
            )
            for layer in self.layers
        ]
        self.layers = [layer for layer in kept if layer.events]

    def drum(self, groove: Groove, sections: Iterable[Section]) -> None:
        """Let the kit play a groove through sections."""
        late = {"snare": self.artist.traits.get("late", 0.0)}
        for section in sections:
            self.hits += beat(
                groove, section.bar, section.bars, self.artist.traits.get("swing", 0.0), late
            )

    def fills(self, sections: Iterable[Section], groove: Groove) -> None:
        """Play a groove in the last bar of every section of four bars and more."""
        self.drum(groove, [last_bar(section) for section in sections if section.bars >= 4])

    def crashes(self, sections: Iterable[Section]) -> None:
        """Strike a crash cymbal where sections begin."""
        self.hits += [Event(section.bar * BEATS_PER_BAR, 1.0, "crash", 0.8) for section in sections]

    def play_kit(self, patch: str = "kit", level_db: float = -4.0, **channel: Any) -> None:
        """Write what the drummer was told so far as a layer."""
        self.add("drums", patch, self.hits, level_db, **{"reverb": 0.06, **channel})
        self.hits = []

    def chords(
        self, sections: Iterable[Section], steps: str, size: int, centre: float
    ) -> list[Event]:
        """Play the progression in a rhythm: ``x`` strikes, ``-`` holds, ``.`` rests.

        A string of 16 steps is a bar, one of 32 two bars on the first one's chord.
        """
        events = []
        for start, chord_bar, velocity, length in self._steps(sections, steps):
            degree = self.progression[chord_bar % len(self.progression)]
            events += [
                Event(start, length, pitch, velocity)
                for pitch in self.key.chord(degree, size, centre)
            ]
        return events

    def bass_line(self, sections: Iterable[Section], steps: str, octave: int) -> list[Event]:
        """Play roots in a rhythm: ``x`` root, ``5`` fifth, ``8`` octave, ``-`` holds."""
        events = []
        for section in sections:
            for bar in range(section.bars):
                degree = self.progression[bar % len(self.progression)]
                # Roots above the sixth degree are taken from below, which keeps the bass deep.
                degree -= 7 if degree > 4 else 0
                pattern = (steps * 2)[16 * (bar * 16 % len(steps) // 16) :][:16]
                for start, mark, length in spans(pattern):
                    offset = {"5": 4, "8": 7, "3": 2}.get(mark, 0)
                    at = (section.bar + bar) * BEATS_PER_BAR + start
                    pitch = self.key.pitch(degree + offset, octave)
                    events.append(Event(at, length, pitch, 1.0 if mark != "8" else 0.85))
        return events

    def _steps(
        self, sections: Iterable[Section], steps: str
    ) -> Iterable[tuple[float, int, float, float]]:
        bars = len(steps) // 16
        for section in sections:
            for bar in range(0, section.bars, bars):
                for start, mark, length in spans(steps):
                    at = bar * BEATS_PER_BAR + start
                    if at < section.bars * BEATS_PER_BAR:
                        at += section.bar * BEATS_PER_BAR
                        yield at, bar, {"o": 0.55}.get(mark, 0.9), length

    def tune(
        self, sections: Iterable[Section], phrase: Sequence[Event], bars: int = 4
    ) -> list[Event]:
        """Repeat a phrase through sections."""
        return [event for section in sections for event in repeated(phrase, bars, section)]

    def chopped(self, sections: Iterable[Section], level_db: float) -> None:
        """Write a tune of chopped vowels, as dense as the artist likes it."""
        phrase = chops(self.rng, self.key, self.progression, 4, self.trait("density"))
        self.add("voice", "chop", self.tune(sections, phrase), level_db, reverb=0.3, echo=0.3)

    def held(self, sections: Iterable[Section]) -> list[Event]:
        """Write one event for each section, for scenes and crackle."""
        return [
            Event(section.bar * BEATS_PER_BAR, section.bars * BEATS_PER_BAR, number)
            for number, section in enumerate(sections)
        ]

    def opening(
        self, sections: Iterable[Section], from_hz: float, to_hz: float
    ) -> tuple[tuple[float, float, float, float], ...]:
        """Make a filter that opens (or closes) through each section."""
        return tuple(
            (
                section.bar * BEATS_PER_BAR,
                (section.bar + section.bars) * BEATS_PER_BAR,
                from_hz,
                to_hz,
            )
            for section in sections
        )

    def risers(self, level_db: float = -22.0) -> None:
        """Write noise that rises through every build and falls after it."""
        pitch = self.key.pitch(0, 4)
        tone = self.artist.traits.get("riser_tone", 0.2)
        builds = self.named("build")
        rises = [
            Event(section.bar * BEATS_PER_BAR, section.bars * BEATS_PER_BAR, pitch)
            for section in builds
        ]
        falls = [
            Event((section.bar + section.bars) * BEATS_PER_BAR, 2 * BEATS_PER_BAR, pitch, 0.5)
            for section in builds
        ]
        self.add("noise", Riser(True, tone), rises, level_db, reverb=0.3)
        self.add("noise", Riser(False, 0.0), falls, level_db - 4, reverb=0.3)


def last_bar(section: Section) -> Section:
    """Give the last bar of a section (notebook 01)."""
    return section._replace(bar=section.bar + section.bars - 1, bars=1)


def spans(steps: str) -> list[tuple[float, str, float]]:
    """Read a rhythm: (start in beats, mark, length in beats) of every stroke (notebook 01).

    Examples
    --------
    >>> spans("x---x-..")
    [(0.0, 'x', 1.0), (1.0, 'x', 0.5)]
    """
    found = []
    for step, mark in enumerate(steps):
        if mark in ".-":
            continue
        held = len(steps[step + 1 :]) - len(steps[step + 1 :].lstrip("-"))
        found.append((step / 4, mark, (1 + held) / 4))
    return found
