"""The example that everybody hears: five seconds of a track of each genre, past its intro."""

from lildata_utils.crate.composing import compose
from lildata_utils.crate.rendering import render
from lildata_utils.sound.spectrogram import CLIP_SAMPLES, SAMPLE_RATE, Floats

EXAMPLE_SEED = 7
EXAMPLE_S = 32.0
EXAMPLE_START_S = 12


def example(genre: str, number: int = 0) -> Floats:
    """Render seconds 12 to 17 of a track of the crate, the same for everybody (notebook 04).

    Parameters
    ----------
    genre : str
        One of `genres.GENRES`.
    number : int
        Of the track.

    Returns
    -------
    ndarray of float32, shape (110250,)
        Mono at 22 050 Hz.
    """
    track = compose(genre, number, seed=EXAMPLE_SEED, duration_s=EXAMPLE_S)
    return render(track)[EXAMPLE_START_S * SAMPLE_RATE :][:CLIP_SAMPLES]
