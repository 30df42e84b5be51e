"""Artists and the tracks that they make: plain descriptions, nothing is rendered here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lildata_utils.crate.mixing import Desk
from lildata_utils.crate.patterns import Chord, Event, Section
from lildata_utils.crate.waves import Waveform

PARTS = ("drums", "bass", "chords", "lead", "voice", "noise")

# Each of eight artists releases a track, then each a second one; then come the next eight.
# So even six tracks have six artists, and no track depends on how many there are.
ARTISTS_IN_TURN = 8
TRACKS_PER_ARTIST = 2


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST_WORDS = _words(
    "Amber Antique Arctic Blue Bright Broken Cedar Chrome Cobalt Copper Coral Crooked Dusty "
    "Early Electric Empty Faded Feral Fifth Golden Hidden Hollow Idle Indigo Iron Ivory Jade "
    "Late Lazy Little Lost Lucid Lunar Marble Midnight Minor Modern Mono Neon Nine Northern "
    "Olive Open Paper Pale Plastic Polar Quiet Rapid Red Rolling Rusty Sable Silver Sleepy "
    "Slow Solar Static Sunday Velvet Violet Wild Winter Yellow"
)
_SECOND_WORDS = _words(
    "Alley Antenna Arcade Atlas Aviary Badger Balcony Beacon Bicycle Bureau Canyon Capital "
    "Carousel Circuit Comet Condor Cousin Curtain Delta Engine Estate Falcon Ferry Fiction "
    "Forum Garden Ghost Harbour Heron Hotel Island Juniper Kiosk Lantern Laundry Letter "
    "Library Lobby Machine Magnet Mirror Monsoon Motel Nomad Orchard Otter Parade Parallel "
    "Pilot Planet Pocket Radio Raven Reservoir River Saloon Satellite Signal Sparrow Station "
    "Theory Tiger Valley Volcano"
)
_NAMES = len(_FIRST_WORDS) * len(_SECOND_WORDS)


class Instrument(Protocol):
    """Anything that can play an event (notebook 01)."""

    def play(self, what: Any, seconds: float, glide: float | None = None) -> Waveform:
        """Render one event."""
        ...


@dataclass(frozen=True)
class Layer:
    """One instrument's events in a track, and its channel on the desk (notebook 01)."""

    part: str  # One of `PARTS`
    instrument: Instrument  # A patch
    events: tuple[Event, ...]  # In beats from the start of the track
    # Level of what sounds (root mean square; for drums the peak) before the master.
    level_db: float
    # Sends, 0 to 1.
    reverb: float = 0.15
    echo: float = 0.0
    duck: float = 0.0  # How far the sidechain pulls the layer down at every kick, 0 to 1
    low_cut_hz: float = 0.0  # High-pass; 0 for none
    sweeps: tuple[tuple[float, float, float, float], ...] = ()  # Filters that move
    wobbles: tuple[tuple[float, float, float, float], ...] = ()  # Rhythmic swells of the level


@dataclass(frozen=True)
class Artist:
    """A palette drawn from the ranges of a genre (notebook 01)."""

    name: str
    genre: str
    number: int  # Of the artist within the genre
    roots: tuple[int, ...]  # Favourite keys (pitch classes)
    patches: Mapping[str, Instrument]  # The drum kit and the synthesisers
    traits: Mapping[str, float]  # Swing, density, levels: what the recipe asks for by name
    habits: frozenset[str]  # Optional ingredients, some of them borrowed from other genres
    desk: Desk  # How the records are mixed


@dataclass(frozen=True)
class Track:
    """A composed track: everything that is needed to render it (notebook 01).

    The genre's track of this `number` in the collection of this `seed`; `tempo_bpm` and `key` (such
    as ``F# minor``) are None for noise.
    """

    genre: str
    number: int
    seed: int
    artist: Artist
    title: str
    tempo_bpm: float | None
    key: str | None
    duration_s: float
    sections: tuple[Section, ...]
    layers: tuple[Layer, ...] = field(repr=False)
    chords: tuple[Chord, ...] = field(default=(), repr=False)  # Of each beat; none for noise
    # When each beat begins, for a band that follows somebody; empty for a band with a clock.
    beats_s: tuple[float, ...] = field(default=(), repr=False)

    @property
    def beats_per_second(self) -> float:
        """Beats in a second; noise counts in seconds."""
        return (self.tempo_bpm or 60.0) / 60

    def seconds(self, beat: float) -> float:
        """Say when a beat, or a moment between two beats, is heard."""
        if not self.beats_s:
            return beat / self.beats_per_second
        whole = min(max(int(beat), 0), len(self.beats_s) - 2)
        start, end = self.beats_s[whole : whole + 2]
        return start + (beat - whole) * (end - start)


def artist_number(track_number: int) -> int:
    """Say who made a track of a genre (notebook 01).

    Examples
    --------
    >>> [artist_number(number) for number in (0, 1, 7, 8, 15, 16)]
    [0, 1, 7, 0, 7, 8]
    """
    tour, place_ = divmod(track_number, ARTISTS_IN_TURN * TRACKS_PER_ARTIST)
    return tour * ARTISTS_IN_TURN + place_ % ARTISTS_IN_TURN


def pair_of_words(number: int) -> str:
    """Name number `number` (notebook 01); the first 4096 differ, later ones carry a count."""
    # A step without a common factor with 4096 visits every pair once.
    index = (number * 1777 + 311) % _NAMES
    lap = number // _NAMES
    name = f"{_FIRST_WORDS[index % 64]} {_SECOND_WORDS[index // 64]}"
    return f"{name} {lap + 1}" if lap else name
