"""Ways to bring a song into another genre, each an iterator of steps over sound (notebook 09).

First the cheats, which every method must beat: each needs a clip of the genre, as long as the
content. Then listening and playing again: what is heard of the content is a score, and a band of
the crate plays it. The paper's way, painting, is in `painting`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from librosa.effects import hpss
from scipy import ndimage

from lildata_utils.crate.covers import perform
from lildata_utils.crate.rendering import render
from lildata_utils.crate.score import Score
from lildata_utils.errors import LilDataError
from lildata_utils.sound.spectrogram import HOP_LENGTH, Floats, istft, stft
from lildata_utils.transfer.hearing import hear_score
from lildata_utils.transfer.settings import Playing

SMALLEST = 1e-9
# A track of the crate fades out at its end; what is played again does it after the content's end.
FADE_S = 0.3
# A quarter of a second in frames of 12 ms, by windows of 46 ms: a fifth of librosa's usual cost.
HARMONIC_FFT, HARMONIC_FRAMES = 1024, 21
# The artists, of 32, whom the shipped listener knows best by their genre (experiments/bands.py).
BANDS = {
    "trap": (15, 8, 26, 20, 23, 21),
    "future_bass": (4, 31, 10, 26, 14, 5),
    "lofi": (27, 26, 12, 31, 24, 16),
    "hardstyle": (29, 20, 25, 26, 0, 3),
    "yung_gravy": (13, 7, 12, 2, 30, 17),
    "liquid_dnb": (10, 4, 14, 23, 19, 28),
    "house": (17, 14, 29, 19, 28, 13),
}
BANDS_SEED = 0
# An equaliser is smooth, and does no wonders.
EQUALISER_BINS, EQUALISER_DB = 9, 24.0


@dataclass(frozen=True, eq=False)
class MethodStep:
    """Where a method stands (notebook 09)."""

    # Steps done, and how many there are.
    number: int
    steps: int
    waveform: Floats  # The sound so far, shape (samples,), at the content's level
    score: Score | None = None  # What was heard of the content, if the method listens


def copy_content(content: Floats, style: Floats) -> Iterator[MethodStep]:
    """Change nothing: the row that keeps all and reaches nothing (notebook 09)."""
    yield MethodStep(1, 1, content)


def copy_style(content: Floats, style: Floats) -> Iterator[MethodStep]:
    """Play the style itself: the row that reaches all and keeps nothing (notebook 09)."""
    yield MethodStep(1, 1, as_loud_as(content, style))


def crossfade(content: Floats, style: Floats) -> Iterator[MethodStep]:
    """Play both at once, half and half: the cheapest cheat (notebook 09)."""
    yield MethodStep(1, 1, as_loud_as(content, content + as_loud_as(content, style)))


def match_equaliser(content: Floats, style: Floats) -> Iterator[MethodStep]:
    """Give the content the style's mean spectrum by one fixed filter (notebook 09)."""
    spectrum = stft(np.pad(content, (0, -len(content) % HOP_LENGTH)))
    own, wanted = (
        ndimage.uniform_filter1d(np.mean(np.abs(one) ** 2, axis=1), EQUALISER_BINS)
        for one in (spectrum, stft(style))
    )
    gain_db = 10 * np.log10((wanted + SMALLEST) / (own + SMALLEST))
    gain = 10 ** (np.clip(gain_db - np.median(gain_db), -EQUALISER_DB, EQUALISER_DB) / 20)
    filtered = istft(spectrum * gain[:, None].astype(np.float32))[: len(content)]
    yield MethodStep(1, 1, as_loud_as(content, filtered))


def swap_drums(content: Floats, style: Floats) -> Iterator[MethodStep]:
    """Play the content's harmonic part to the style's percussive part (notebook 09)."""
    harmonic, percussive = harmonic_part(content), as_loud_as(content, style)
    percussive = percussive - harmonic_part(percussive)
    yield MethodStep(1, 1, as_loud_as(content, harmonic + percussive))


# Takes content and style.
Cheat = Callable[[Floats, Floats], Iterator[MethodStep]]
CHEATS: dict[str, Cheat] = {
    "content": copy_content,
    "style": copy_style,
    "crossfade": crossfade,
    "equaliser match": match_equaliser,
    "drum swap": swap_drums,
}


def play_again(
    content: Floats, settings: Playing, score: Score | None = None
) -> Iterator[MethodStep]:
    """Hear the score of a sound, and let a band of a genre play it (notebook 09).

    Parameters
    ----------
    content : ndarray of float32, shape (samples,)
        Mono at 22 050 Hz, of any length from 2 s on.
    settings : Playing
        Its `to` names a genre.
    score : Score, optional
        Instead of what would be heard, such as one that was corrected by hand.

    Yields
    ------
    MethodStep
        When the score is heard, when it is played, and when the content's own part is mixed in. The
        same arguments give the same samples.

    Raises
    ------
    LilDataError
        If no genre is named, or the sound is shorter.
    """
    if settings.to is None:
        raise LilDataError("to: which genre shall play? Expected a name")
    score = score or hear_score(content)
    yield MethodStep(1, 3, content, score)
    longer = replace(score, duration_s=score.duration_s + FADE_S)
    bands = BANDS[settings.to]
    artist = bands[settings.seed % len(bands)] if settings.artist is None else settings.artist
    track = perform(longer, settings.to, BANDS_SEED, f"{settings.seed}", artist)
    played = as_loud_as(content, render(track)[: len(content)])
    yield MethodStep(2, 3, played, score)
    if settings.stays:
        own = as_loud_as(content, harmonic_part(content))
        played = as_loud_as(content, (1 - settings.stays) * played + settings.stays * own)
    yield MethodStep(3, 3, played, score)


def as_loud_as(original: Floats, waveform: Floats) -> Floats:
    """Bring a sound to the root mean square of another one (notebook 09)."""
    levels = [float(np.sqrt(np.mean(np.square(one)))) for one in (original, waveform)]
    return (waveform * np.float32(levels[0] / max(levels[1], SMALLEST))).astype(np.float32)


def harmonic_part(waveform: Floats) -> Floats:
    """Take what lasts out of a sound, and leave what strikes (Fitzgerald 2010; notebook 09)."""
    return np.asarray(
        hpss(waveform, kernel_size=HARMONIC_FRAMES, n_fft=HARMONIC_FFT)[0], np.float32
    )
