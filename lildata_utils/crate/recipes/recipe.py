"""What makes a genre: its recipe, and the forms and harmonies that genres share.

Tempo, grooves and sounds are what defines the genre for a listener; the habits are what artists
borrow from elsewhere, with the probabilities that stand in the `_..._palette` functions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lildata_utils.crate.artists import Instrument
from lildata_utils.crate.mixing import Desk
from lildata_utils.crate.sketch import Sketch


@dataclass(frozen=True)
class Palette:
    """What is drawn for an artist, see `Artist` (notebook 01)."""

    patches: dict[str, Instrument]
    traits: dict[str, float]
    habits: frozenset[str]
    desk: Desk


@dataclass(frozen=True)
class Recipe:
    """A genre (notebook 01).

    Attributes
    ----------
    tempo_bpm : (float, float) or None
        Range of tempos; None for noise.
    scales : tuple of str
        Keys of `SCALES`.
    progressions : tuple of tuple of int
        Degrees of the scale, a chord a bar (0 is the root).
    plan : tuple of (section, share)
        The form.
    palette : callable
        Draws an artist.
    write : callable
        Writes a track.
    """

    tempo_bpm: tuple[float, float] | None
    scales: tuple[str, ...]
    progressions: tuple[tuple[int, ...], ...]
    plan: tuple[tuple[str, float], ...]
    palette: Callable[[np.random.Generator], Palette]
    write: Callable[[Sketch], None]


CLUB_PLAN = (
    ("intro", 0.1),
    ("verse", 0.14),
    ("build", 0.07),
    ("drop", 0.25),
    ("break", 0.13),
    ("build", 0.06),
    ("drop", 0.17),
    ("outro", 0.08),
)
SONG_PLAN = (
    ("intro", 0.09),
    ("verse", 0.26),
    ("drop", 0.16),
    ("break", 0.08),
    ("verse", 0.2),
    ("drop", 0.13),
    ("outro", 0.08),
)
MINOR = ((0, 5, 2, 6), (0, 5, 3, 4), (0, 3, 5, 4), (0, 0, 5, 6), (0, 6, 5, 6), (0, 2, 5, 5))
DARK = (*MINOR, (0, 0, 1, 0), (0, 0, 5, 5), (0, 1, 0, 6))
WARM = ((3, 4, 2, 5), (0, 5, 3, 4), (3, 2, 1, 0), (1, 4, 0, 5), (0, 2, 3, 4), (3, 4, 5, 5))
