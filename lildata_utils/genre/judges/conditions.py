"""What may have happened to sound before a judge hears it: a picture, noise, a codec."""

from collections.abc import Callable

import numpy as np

from lildata_utils.crate.mixing import mp3_round_trip
from lildata_utils.crate.noise import coloured
from lildata_utils.sound.inversion import invert
from lildata_utils.sound.spectrogram import Floats, to_image

# As a painter's results are heard, `lildata invert` with its defaults.
PICTURE = "picture and inversion"
SOUND = "as it is"
NOISE = "noise"
CODEC = "codec"
# Below the music, from a rumble to a hiss, as in `crate.degradation`; of libsndfile's scale.
NOISE_DB = 8.0, 20.0
NOISE_SLOPE_DB = -6.0, 0.0
COMPRESSION = 0.5, 0.95


def as_it_is(clip: Floats, rng: np.random.Generator) -> Floats:
    """Change nothing (notebook 07)."""
    return clip


def through_a_picture(clip: Floats, rng: np.random.Generator) -> Floats:
    """Draw a clip as it is stored, and find a sound for the picture (notebook 07)."""
    image, peak = to_image(clip)
    *_, last = invert(image, peak=peak)
    return last.waveform


def with_noise(clip: Floats, rng: np.random.Generator) -> Floats:
    """Add noise, 8 to 20 dB softer than the music (notebook 07)."""
    level = float(np.sqrt(np.mean(clip**2))) * 10 ** (-rng.uniform(*NOISE_DB) / 20)
    return clip + coloured(rng, len(clip), rng.uniform(*NOISE_SLOPE_DB)) * np.float32(level)


def through_a_codec(clip: Floats, rng: np.random.Generator) -> Floats:
    """Encode as MP3 at some 60 to 30 kbit/s, and decode (notebook 07)."""
    loudest = max(float(np.abs(clip).max()), 1e-9)
    return mp3_round_trip(clip * np.float32(0.9 / loudest), rng.uniform(*COMPRESSION))


CONDITIONS: dict[str, Callable[[Floats, np.random.Generator], Floats]] = {
    SOUND: as_it_is,
    PICTURE: through_a_picture,
    NOISE: with_noise,
    CODEC: through_a_codec,
}
