"""Music as it sounds through a phone in a room: reverberation, background noise and a codec.

The paper's music is clean: rendered by computers, without a room or an audience. What a classifier
makes of the same music when it is not clean shows whether it lives on that.
"""

import numpy as np
from numpy.typing import ArrayLike

from lildata_utils.crate.mixing import mp3_round_trip, reverberate
from lildata_utils.crate.noise import coloured
from lildata_utils.crate.waves import Waveform
from lildata_utils.errors import LilDataError

# What is drawn for each track, evenly between the two.
ROOM_S = 0.3, 1.2  # until the reverberation has lost 60 dB
WET_DB = -9.0, -3.0  # the room against the direct sound
NOISE_DB = -20.0, -8.0  # the background against the music
NOISE_SLOPE_DB = -6.0, 0.0  # an octave: from a rumble to a hiss
# Of libsndfile's scale from 0 (best) to 1: about 30 kbit/s here.
COMPRESSION = 0.9


def degrade(waveform: ArrayLike, seed: int = 0) -> Waveform:
    """Put music into a room, add noise, and send it through MP3 at a low rate (notebook 03).

    The three steps of the Audio Degradation Toolbox (Mauch & Ewert 2013), in their simplest form.

    Parameters
    ----------
    waveform : array_like, shape (samples,)
        Mono at 22 050 Hz.
    seed : int
        Draws the room, the noise and their levels.

    Returns
    -------
    ndarray of float32, shape (samples,)
        With the same root mean square, or less where its peaks would leave [-1, 1].

    Raises
    ------
    LilDataError
        If the waveform is empty or has more than one channel.
    """
    music = np.asarray(waveform, np.float32)
    if music.ndim != 1 or not music.size:
        raise LilDataError(f"a waveform of shape {music.shape}; expected mono, (samples,)")
    level = _rms(music)
    if level == 0:
        return music
    rng = np.random.default_rng(seed)
    room = reverberate(music, rng.uniform(*ROOM_S))
    worn = music + room * _gain(level, room, rng.uniform(*WET_DB))
    noise = coloured(rng, len(music), rng.uniform(*NOISE_SLOPE_DB))
    worn += noise * _gain(_rms(worn), noise, rng.uniform(*NOISE_DB))
    # The codec wants samples within full scale.
    worn = mp3_round_trip(worn / np.abs(worn).max(), COMPRESSION)
    return worn * np.float32(min(level / _rms(worn), 1 / np.abs(worn).max()))


def _rms(waveform: Waveform) -> float:
    return float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))))


def _gain(level: float, waveform: Waveform, decibels: float) -> np.float32:
    """Tell by what to multiply a waveform so that it is so many decibels above a level."""
    return np.float32(10 ** (decibels / 20) * level / max(_rms(waveform), 1e-12))
