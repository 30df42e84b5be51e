"""Ask a musician for music: from nothing, on from a beginning, or into a hole (notebook 08)."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lildata_utils.errors import LilDataError
from lildata_utils.generation.drawing import drawing_to_sound
from lildata_utils.generation.settings import Piece, Sampling
from lildata_utils.generation.writing import Codes, Writer, Written
from lildata_utils.learning.musician import Musician
from lildata_utils.networks.codec import STEP_COLUMNS, Codec
from lildata_utils.sound.bands import COLUMN_S, FRAMES_A_COLUMN, from_bands, to_bands
from lildata_utils.sound.spectrogram import HOP_LENGTH, SAMPLE_RATE, Floats, Image

STEP_S = STEP_COLUMNS * COLUMN_S
# Written side by side; more would not be faster, and fill the memory.
SIDE_BY_SIDE = 16
# So that groups do not draw the same lots.
APART = 7919
Hole = tuple[float, float]


def compose(
    musician: Musician,
    piece: Piece,
    sampling: Sampling = Sampling(),
    count: int = 1,
    start: Floats | None = None,
    hole: Hole | None = None,
) -> Iterator[Written]:
    """Write pieces as codes (notebook 08).

    Parameters
    ----------
    musician : Musician
    piece, sampling : Piece, Sampling
        What is asked for, and how lots are drawn.
    count : int
        So many of them.
    start : ndarray of float32, shape (samples,), optional
        Sound at 22 050 Hz: its first `piece.keep_s` seconds are kept, or, with a hole, all of it.
    hole : (float, float), optional
        From where to where in the sound, in seconds, music is written anew.

    Yields
    ------
    Written
        Every four seconds of music; the last one with the codes.

    Raises
    ------
    LilDataError
        If the genre is unknown, or the sound is too short for the hole or what is kept.
    """
    genre = musician.number(piece.genre)
    known, missing = _task(musician.codec, piece, start, hole)
    writer, groups = Writer(musician.composer), range(0, count, SIDE_BY_SIDE)
    written: list[Codes] = []
    for group, first in enumerate(groups):
        pieces = np.repeat(known, min(SIDE_BY_SIDE, count - first), axis=0)
        lots = replace(sampling, seed=(sampling.seed + APART * group) % 2**31)
        for step in writer.write(pieces, missing, genre, lots):
            if step.codes is None:
                done = group * step.steps + step.done
                yield Written(done, len(groups) * step.steps)
        written.append(step.finished)
    total = len(groups) * len(missing)
    yield Written(total, total, np.concatenate(written))


def _task(
    codec: Codec, piece: Piece, start: Floats | None, hole: Hole | None
) -> tuple[Codes, NDArray[np.bool_]]:
    """Say what is known, shape (1, steps, tokens), and which steps are to be written."""
    tokens = codec.settings.tokens
    if start is None:
        steps = steps_of(piece.seconds)
        return np.zeros((1, steps, tokens), np.int32), np.ones(steps, bool)
    length_s = len(start) / SAMPLE_RATE
    if hole is not None:
        begin, end = hole
        if not 0 <= begin < end <= length_s:
            raise LilDataError(
                f"a hole from {begin:g} to {end:g} s: expected one within the {length_s:.1f} s"
            )
        codes = transcribe(codec, start)
        missing = np.zeros(codes.shape[1], bool)
        missing[int(begin / STEP_S) : steps_of(end)] = True
        return codes, missing
    if length_s < piece.keep_s:
        raise LilDataError(f"{length_s:.1f} s to start from: {piece.keep_s:g} s are needed")
    if piece.seconds <= piece.keep_s:
        raise LilDataError(
            f"{piece.seconds:g} s in all, of which {piece.keep_s:g} s are kept: expected more"
        )
    # More is heard than is kept: the codes at its end should not be those of an end.
    kept = max(1, int(piece.keep_s / STEP_S))
    codes = transcribe(codec, start)[:, :kept]
    more = steps_of(piece.seconds) - codes.shape[1]
    missing = np.arange(codes.shape[1] + more) >= codes.shape[1]
    return np.pad(codes, ((0, 0), (0, more), (0, 0))), missing


def steps_of(seconds: float) -> int:
    """Count the steps that cover so many seconds (notebook 08)."""
    return int(np.ceil(seconds / STEP_S - 1e-6))


def transcribe(codec: Codec, waveform: Floats) -> Codes:
    """Write sound as codes, shape (1, steps, tokens) (notebook 08).

    Parameters
    ----------
    codec : Codec
    waveform : ndarray of float32, shape (samples,)
        Mono at 22 050 Hz.
    """
    bands = to_bands(waveform)
    lacking = -len(bands) % STEP_COLUMNS
    padded = np.pad(bands, ((0, lacking), (0, 0)), mode="edge")
    codes: Codes = codec.encode(padded[None]).numpy()
    return codes


def picture(codec: Codec, codes: Codes, seconds: float, tokens: int | None = None) -> Image:
    """Draw codes, shape (steps, tokens), as a spectrogram (notebook 08).

    As one whole, however long: there are no borders in it. `tokens` is how many codes of each step
    are looked at (default: all): fewer draw a coarser picture.
    """
    frames = round(seconds * SAMPLE_RATE / HOP_LENGTH) + 1
    bands = codec.decode(codes[None], tokens).numpy()[0]
    return from_bands(bands, min(frames, FRAMES_A_COLUMN * len(bands)))


def perform(codec: Codec, codes: Codes, seconds: float) -> tuple[Image, Floats]:
    """Make codes, shape (steps, tokens), audible: picture and sound (notebook 08)."""
    image = picture(codec, codes, seconds)
    return image, drawing_to_sound(image)
