"""Is a network a horse? What changes a clip's sound and should not change its genre (notebook 07).

The horse Clever Hans "could count": he watched his master's face. Sturm ("A Simple Method to
Determine if a Music Information Retrieval System is a 'Horse'", IEEE Transactions on Multimedia 16,
2014) changes what no listener would mind, and looks whether the answers change. Every function
takes and gives a waveform, mono at 22 050 Hz, of the same length.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from lildata_utils.crate import waves
from lildata_utils.crate.mixing import mp3_round_trip
from lildata_utils.sound.spectrogram import SAMPLE_RATE, Floats

LOWEST_HZ = 30.0
FASTER, SLOWER = 1.06, 0.94
QUIETER_DB = -6.0
# Of libsndfile's scale from 0 (best) to 1: about 30 kbit/s here.
COMPRESSION = 0.9
# For harmonic against percussive: half of librosa's defaults, which take four times as long.
N_FFT, HOP = 1024, 512


def high_pass(waveform: ArrayLike) -> Floats:
    """Take away what is below 30 Hz, which few loudspeakers play (notebook 07)."""
    return waves.high_pass(_mono(waveform), LOWEST_HZ, order=4)


def quieter(waveform: ArrayLike) -> Floats:
    """Turn down by 6 dB (notebook 07)."""
    return _mono(waveform) * np.float32(10 ** (QUIETER_DB / 20))


def through_mp3(waveform: ArrayLike) -> Floats:
    """Send through MP3 at a low rate (notebook 07)."""
    sound = _mono(waveform)
    return mp3_round_trip(sound / max(1.0, float(np.abs(sound).max(initial=0))), COMPRESSION)


def at_tempo(waveform: ArrayLike, rate: float) -> Floats:
    """Play faster or slower at the same pitch, by a phase vocoder (notebook 07).

    What then lacks at the end comes from the start.
    """
    from librosa.effects import time_stretch

    sound = _mono(waveform)
    return np.resize(time_stretch(sound, rate=rate), sound.shape)


def faster(waveform: ArrayLike) -> Floats:
    """Play 6 % faster (notebook 07)."""
    return at_tempo(waveform, FASTER)


def slower(waveform: ArrayLike) -> Floats:
    """Play 6 % slower (notebook 07)."""
    return at_tempo(waveform, SLOWER)


def harmonic(waveform: ArrayLike) -> Floats:
    """Keep what is held, lines to the right in a spectrogram (Fitzgerald 2010; notebook 07)."""
    from librosa.effects import harmonic as held

    kept: Floats = held(_mono(waveform), n_fft=N_FFT, hop_length=HOP)
    return kept


def percussive(waveform: ArrayLike) -> Floats:
    """Keep what is struck, lines upwards in a spectrogram (Fitzgerald 2010; notebook 07)."""
    from librosa.effects import percussive as struck

    kept: Floats = struck(_mono(waveform), n_fft=N_FFT, hop_length=HOP)
    return kept


def shuffled(waveform: ArrayLike, seed: int = 0) -> Floats:
    """Put the clip's whole seconds into another order (notebook 07)."""
    sound = _mono(waveform)
    count = len(sound) // SAMPLE_RATE
    seconds = sound[: count * SAMPLE_RATE].reshape(count, SAMPLE_RATE)
    order = np.random.default_rng(seed).permutation(count)
    return np.concatenate([seconds[order].ravel(), sound[count * SAMPLE_RATE :]])


def _mono(waveform: ArrayLike) -> Floats:
    return np.asarray(waveform, np.float32)


# The first six leave the genre as it is; the others leave only a part of what makes it.
TESTS: dict[str, Callable[[ArrayLike], Floats]] = {
    "6 dB quieter": quieter,
    "above 30 Hz": high_pass,
    "through MP3": through_mp3,
    "6 % faster": faster,
    "6 % slower": slower,
    "seconds shuffled": shuffled,
    "harmonic part": harmonic,
    "percussive part": percussive,
}
