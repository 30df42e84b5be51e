"""Raw material of every instrument: seeds, oscillators, envelopes and filters.

All waveforms are mono float32 at 22 050 Hz. What stereo width does to a mono recording (beating of
detuned voices, a longer reverb) is there; a second channel is not, because the course never hears
one.
"""

import hashlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from lildata_utils.sound.spectrogram import SAMPLE_RATE

NYQUIST_HZ = SAMPLE_RATE / 2
TABLE_SIZE = 4096

Waveform = NDArray[np.float32]


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Make the random generator of one thing, independent of every other's (notebook 01).

    The names, such as ``"track", "house", 7``, are hashed, so what is drawn for one track does not
    depend on which other tracks are drawn, in which order or in which process. `seed` is the
    collection's, 0 or more.

    Examples
    --------
    >>> bool(generator(0, "a").random() == generator(0, "a").random())
    True
    """
    digest = hashlib.blake2b("/".join(map(str, names)).encode(), digest_size=16).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest, np.uint32).tolist()])


def samples(seconds: float) -> int:
    """Count the samples in a time, at least one (notebook 01)."""
    return max(1, round(seconds * SAMPLE_RATE))


def seconds_axis(n: int) -> Waveform:
    """Give the time of each of `n` samples in seconds, float32 (notebook 01)."""
    return np.arange(n, dtype=np.float32) / np.float32(SAMPLE_RATE)


def hertz(pitch: float) -> float:
    """Give the frequency of a MIDI pitch in equal temperament (69 is 440 Hz; notebook 01)."""
    return float(440.0 * 2.0 ** ((pitch - 69) / 12))


def _harmonic_levels(shape: str, harmonics: NDArray[Any]) -> NDArray[Any]:
    """Give the levels of the harmonics (sine phase) of the classic waveforms."""
    odd = harmonics % 2
    if shape == "saw":
        return 1 / harmonics
    if shape == "square":
        return odd / harmonics
    if shape == "pulse":
        return np.sin(np.pi * harmonics * 0.22) / harmonics
    if shape == "triangle":
        return odd * np.sin(np.pi * harmonics / 2) / harmonics**2
    if shape == "soft":
        return harmonics**-1.6
    if shape == "piano":
        # A hammer at 1/8 of the string leaves out every eighth partial.
        return np.abs(np.sin(np.pi * harmonics / 8)) / harmonics**1.15
    if shape == "organ":
        return np.isin(harmonics, (1, 2, 3, 4, 6, 8)) / harmonics**0.5
    return (harmonics == 1).astype(float)  # sine


@lru_cache(maxsize=1024)
def _wavetable(shape: str, limit: int, reach: int, resonance: float) -> Waveform:
    """Make a period of `limit` harmonics, low-passed `reach` quarter octaves above the first."""
    harmonics = np.arange(1, limit + 1, dtype=float)
    ratio = harmonics / 2 ** (reach / 4)
    low_pass = 1 / np.sqrt(1 + ratio**4)
    bump = 1 + resonance * np.exp(-((np.log2(ratio) * 4) ** 2))
    spectrum = np.zeros(TABLE_SIZE // 2 + 1, dtype=complex)
    spectrum[1 : limit + 1] = -0.5j * _harmonic_levels(shape, harmonics) * low_pass * bump
    return np.fft.irfft(spectrum * TABLE_SIZE).astype(np.float32)


def oscillate(
    shape: str,
    hz: float | NDArray[Any],
    n: int,
    cutoff_hz: float = NYQUIST_HZ,
    resonance: float = 0.0,
    phase: float = 0.0,
) -> Waveform:
    """Play `n` samples of a periodic waveform without harmonics above 10.8 kHz (notebook 01).

    Parameters
    ----------
    shape : str
        ``saw``, ``square``, ``pulse``, ``triangle``, ``soft``, ``piano``, ``organ`` or ``sine``.
    hz : float or ndarray, shape (n,)
        Frequency, constant or per sample.
    n : int
        Number of samples.
    cutoff_hz : float
        Corner of a low-pass of 12 dB an octave that is built into the table, which costs nothing
        per sample.
    resonance : float
        Height of a bump at the corner; 0 is none.
    phase : float
        Where in the period to start, 0 to 1.
    """
    top_hz = hz if isinstance(hz, float) else float(np.max(hz))
    limit = int(np.clip(10_800 / top_hz, 1, TABLE_SIZE // 2 - 1))
    reach = round(4 * np.log2(max(cutoff_hz, top_hz) / top_hz))
    table = _wavetable(shape, limit, reach, resonance)
    shift = 32 - TABLE_SIZE.bit_length() + 1
    if isinstance(hz, float):
        # The phase as a 32-bit integer wraps round by itself.
        step = np.uint32(round(hz / SAMPLE_RATE * 2**32))
        turns = np.arange(n, dtype=np.uint32) * step + np.uint32(int(phase % 1 * 2**32))
    else:
        periods = (np.cumsum(hz) / SAMPLE_RATE + phase) % 1.0
        turns = (periods * 2**32).astype(np.uint32)
    return table.take(turns >> np.uint32(shift))


def white(rng: np.random.Generator, n: int) -> Waveform:
    """Make white noise of standard deviation 1 (notebook 01)."""
    return rng.standard_normal(n, dtype=np.float32)


def decay(n: int, tau_s: float) -> Waveform:
    """Make an exponential decay of time constant `tau_s`, faded out in 5 ms (notebook 01)."""
    return fade(np.exp(seconds_axis(n) / np.float32(-tau_s)), 0.0, 0.005)


def envelope(n: int, attack_s: float, decay_s: float, sustain: float, release_s: float) -> Waveform:
    """Make an envelope of `n` samples, the release included (notebook 01)."""
    t = seconds_axis(n)
    level = sustain + (1 - sustain) * np.exp((attack_s - t) / np.float32(decay_s))
    return fade(np.minimum(level, 1, out=level), max(attack_s, 0.001), max(release_s, 0.003))


def fade(waveform: Waveform, in_s: float, out_s: float) -> Waveform:
    """Fade the ends of a waveform in place (raised cosines) and return it (notebook 01)."""
    n = len(waveform)
    n_in, n_out = min(n, round(in_s * SAMPLE_RATE)), min(n, round(out_s * SAMPLE_RATE))
    if n_in:
        waveform[:n_in] *= _ramp(n_in)
    if n_out:
        waveform[n - n_out :] *= _ramp(n_out)[::-1]
    return waveform


@lru_cache(maxsize=256)
def _ramp(n: int) -> Waveform:
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)).astype(np.float32)


@lru_cache(maxsize=512)
def _butterworth(kind: str, hz: float | tuple[float, float], order: int) -> NDArray[Any]:
    return signal.butter(order, hz, kind, fs=SAMPLE_RATE, output="sos")


def _filtered(
    waveform: Waveform, kind: str, hz: float | tuple[float, float], order: int
) -> Waveform:
    return signal.sosfilt(_butterworth(kind, hz, order), waveform).astype(np.float32)


def low_pass(waveform: Waveform, hz: float, order: int = 2) -> Waveform:
    """Keep what is below `hz` (Butterworth) (notebook 01)."""
    return _filtered(waveform, "lowpass", min(float(hz), 0.98 * NYQUIST_HZ), order)


def high_pass(waveform: Waveform, hz: float, order: int = 2) -> Waveform:
    """Keep what is above `hz` (Butterworth) (notebook 01)."""
    return _filtered(waveform, "highpass", min(float(hz), 0.98 * NYQUIST_HZ), order)


def band_pass(waveform: Waveform, low_hz: float, high_hz: float, order: int = 1) -> Waveform:
    """Keep what is between the two frequencies (Butterworth) (notebook 01)."""
    high_hz = min(float(high_hz), 0.98 * NYQUIST_HZ)
    return _filtered(waveform, "bandpass", (min(float(low_hz), 0.9 * high_hz), high_hz), order)


def drive(waveform: Waveform, amount: float) -> Waveform:
    """Overdrive by a hyperbolic tangent: a peak of 1 stays 1, 0 changes nothing (notebook 01)."""
    if amount <= 0:
        return waveform
    return np.tanh(waveform * np.float32(amount)) / np.float32(np.tanh(amount))


def peak_normalised(waveform: Waveform) -> Waveform:
    """Scale a waveform to a peak of 1 (notebook 01)."""
    return waveform / max(float(np.max(np.abs(waveform))), 1e-9)


def place(target: Waveform, waveform: Waveform, start: int, gain: float = 1.0) -> None:
    """Add a waveform to another from sample `start` on, as far as it fits (notebook 01)."""
    begin, end = max(start, 0), min(start + len(waveform), len(target))
    if begin < end:
        target[begin:end] += waveform[begin - start : end - start] * np.float32(gain)
