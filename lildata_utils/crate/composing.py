"""From a genre and a number to a composed track."""

from functools import lru_cache

import numpy as np

from lildata_utils.crate.artists import Artist, Track, artist_number, pair_of_words
from lildata_utils.crate.genres import RECIPES
from lildata_utils.crate.patterns import BEATS_PER_BAR, Chord, Key, form
from lildata_utils.crate.recipes.ambience import calm_palette, write_interludes
from lildata_utils.crate.settings import SHORTEST_TRACK_S
from lildata_utils.crate.sketch import Sketch
from lildata_utils.crate.waves import generator
from lildata_utils.errors import LilDataError
from lildata_utils.genres import GENRES


@lru_cache(maxsize=64)
def meet(genre: str, number: int, seed: int = 0) -> Artist:
    """Draw an artist of a genre, the same for the same arguments (notebook 01)."""
    rng = generator(seed, "artist", genre, number)
    roots = tuple(int(root) for root in rng.choice(12, 3, replace=False))
    palette = RECIPES[genre].palette(rng)
    calm_patches, calm_habits = calm_palette(rng)
    name = pair_of_words(number * len(GENRES) + GENRES.index(genre) + 97 * seed)
    return Artist(
        name,
        genre,
        number,
        roots,
        {**calm_patches, **palette.patches},
        palette.traits,
        palette.habits | calm_habits,
        palette.desk,
    )


def compose(
    genre: str,
    number: int,
    seed: int = 0,
    duration_s: float | None = None,
    tempo_bpm: float | None = None,
) -> Track:
    """Compose a track; nothing is rendered yet (notebook 01).

    It is the same for the same arguments, whatever else has been composed.

    Parameters
    ----------
    genre : str
        One of `GENRES`.
    number : int
        Of the track within the genre, 0 or more.
    seed : int
        Of the collection, 0 or more.
    duration_s : float or None
        Length, at least 2 s; the form shrinks or grows to fit. None lets the track choose
        between 60 and 240 s.
    tempo_bpm : float or None
        None lets the track choose within the genre's range; a DJ sets it to match beats.

    Raises
    ------
    LilDataError
        If an argument is out of range.

    Examples
    --------
    >>> track = compose("house", 3)
    >>> 120 <= track.tempo_bpm <= 128, 60 <= track.duration_s <= 240
    (True, True)
    """
    _check(genre, number, seed, duration_s, tempo_bpm)
    recipe = RECIPES[genre]
    rng = generator(seed, "track", genre, number)
    artist = meet(genre, artist_number(number), seed)
    tempo, key = None, Key(int(rng.choice(artist.roots)), str(rng.choice(recipe.scales)))
    if recipe.tempo_bpm is not None:
        tempo = round(float(rng.uniform(*recipe.tempo_bpm)), 1)
        tempo = tempo_bpm or tempo
    bar_s = BEATS_PER_BAR * 60 / (tempo or 60.0)
    chosen_s = float(rng.triangular(60, 140, 240))
    if duration_s is None:
        # Whole bars, and within the range after rounding.
        duration_s = float(np.clip(round(chosen_s / bar_s) * bar_s, 60, 240))
    sections = form(recipe.plan, max(1, int(np.ceil(duration_s / bar_s - 1e-6))))
    progression = recipe.progressions[int(rng.integers(len(recipe.progressions)))]
    sketch = Sketch(artist, rng, key, progression, sections)
    recipe.write(sketch)
    if tempo is not None:
        write_interludes(sketch)
    return Track(
        genre,
        number,
        seed,
        artist,
        title(genre, number, seed),
        tempo,
        None if tempo is None else key.name,
        duration_s,
        sections,
        tuple(sketch.layers),
        () if tempo is None else _harmony(sketch),
    )


def _harmony(sketch: Sketch) -> tuple[Chord, ...]:
    """Name the chord of each beat: a degree a bar, begun anew with every section."""
    degrees = sketch.progression
    return tuple(
        sketch.key.triad(degrees[bar % len(degrees)])
        for section in sketch.sections
        for bar in range(section.bars)
        for _ in range(BEATS_PER_BAR)
    )


def title(genre: str, number: int, seed: int = 0) -> str:
    """Give the title of a track, known without composing it (notebook 01)."""
    return pair_of_words(number * len(GENRES) + GENRES.index(genre) + 1031 + 131 * seed)


def _check(
    genre: str, number: int, seed: int, duration_s: float | None, tempo_bpm: float | None
) -> None:
    if genre not in RECIPES:
        raise LilDataError(f"genre {genre!r} is unknown: expected one of {', '.join(GENRES)}")
    if number < 0 or seed < 0:
        raise LilDataError(f"track {number} of seed {seed}: expected numbers of 0 or more")
    if duration_s is not None and not SHORTEST_TRACK_S <= duration_s < float("inf"):
        raise LilDataError(
            f"a track of {duration_s} s: expected a duration of {SHORTEST_TRACK_S:g} s or more"
        )
    if tempo_bpm is not None and not 40 <= tempo_bpm <= 240:
        raise LilDataError(f"a tempo of {tempo_bpm} BPM: expected 40 to 240")
