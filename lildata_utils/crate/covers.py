"""Covers: the same song by a band of another genre. Pairs without end, aligned to the sample."""

from dataclasses import replace

import numpy as np

from lildata_utils.crate.artists import Layer, Track
from lildata_utils.crate.composing import meet
from lildata_utils.crate.genres import RECIPES
from lildata_utils.crate.patterns import BEATS_PER_BAR
from lildata_utils.crate.recipes.ambience import write_interludes
from lildata_utils.crate.score import Score, bent, score_of
from lildata_utils.crate.sketch import Sketch
from lildata_utils.crate.waves import generator
from lildata_utils.errors import LilDataError
from lildata_utils.genres import MUSIC

ARTISTS = 64  # Of a genre and a seed, from whom one is drawn
OWN_KEY = (0,)  # What a recipe writes on before its notes are bent


def cover(track: Track, genre: str, artist: int | None = None) -> Track:
    """Let a band of another genre play a track: same chords on the same beats (notebook 09).

    Parameters
    ----------
    track : Track
        From `compose`; anything but noise.
    genre : str
        One of `MUSIC`.
    artist : int, optional
        Number of the genre's artist within the track's seed; drawn if not given.

    Returns
    -------
    Track
        Aligned to the sample with the original. Key, chords, form and length are the original's,
        the tempo is its own or an octave of it, and so is the melody where the genre has one.

    Raises
    ------
    LilDataError
        If the track is noise, or the genre has no recipe for a score.

    Examples
    --------
    >>> from lildata_utils.crate.composing import compose
    >>> song = compose("lofi", 0, duration_s=30.0)
    >>> played = cover(song, "house")
    >>> played.key == song.key, played.duration_s == song.duration_s
    (True, True)
    """
    take = f"{track.genre} {track.number}"
    played = perform(score_of(track), genre, track.seed, take, artist)
    return replace(played, title=track.title)


def perform(
    score: Score, genre: str, seed: int = 0, take: str = "", artist: int | None = None
) -> Track:
    """Let a band play a score (notebook 09).

    `artist`, `genre` and errors are as for `cover`; `seed` and `take` decide what is drawn.
    """
    if genre not in MUSIC:
        raise LilDataError(f"no band plays {genre!r}: expected one of {', '.join(MUSIC)}")
    recipe = RECIPES[genre]
    rng = generator(seed, "performance", genre, take)
    number = int(rng.integers(ARTISTS)) if artist is None else artist
    score = in_reach(score, recipe.tempo_bpm or (0.0, 0.0))
    sketch = Sketch(meet(genre, number, seed), rng, score.key, OWN_KEY, score.sections)
    recipe.write(sketch)
    write_interludes(sketch)
    return Track(
        genre,
        number,
        seed,
        sketch.artist,
        take,
        score.tempo_bpm,
        score.key.name,
        score.duration_s,
        score.sections,
        tuple(_sung(bent(layer, score), score) for layer in sketch.layers),
        score.chords,
        score.beats_s,
    )


def in_reach(score: Score, tempos_bpm: tuple[float, float]) -> Score:
    """Count the beats of a score so that its tempo is as near to a range as can be (notebook 09).

    In single, double or half time: no beat is moved.
    """

    def distance(one: Score) -> float:
        low, high = np.log2(np.array(tempos_bpm) / one.tempo_bpm)
        return float(max(low, -high, 0.0))

    return min((score, score.doubled(), score.halved()), key=distance)


def _sung(layer: Layer, score: Score) -> Layer:
    """Let a lead play the song's own melody, where it has one, in the octave that suits it."""

    def bar(beat: float) -> int:
        return int(beat // BEATS_PER_BAR)

    if layer.part != "lead":
        return layer
    bars = {bar(note.beat) for note in layer.events}
    notes = [note for note in score.melody if bar(note.beat) in bars]
    if not notes:
        return layer
    apart = np.mean([note.what for note in layer.events]) - np.mean([note.what for note in notes])
    shift = 12 * round(float(apart) / 12)
    return replace(layer, events=tuple(note._replace(what=note.what + shift) for note in notes))
