"""Numbers for what a sound is like: brightness, buzz, harmony, key and rhythm.

All are computed from waveforms, so that the picture of a transfer is judged by what it sounds like.
Waveforms are mono at 22 050 Hz, shape (samples,); no measure depends on their level.
"""

from itertools import pairwise

import numpy as np
from librosa.feature import chroma_stft
from librosa.filters import mel
from librosa.onset import onset_strength as spectral_flux
from numpy.typing import ArrayLike

from lildata_utils.sound.spectrogram import (
    BIN_HZ,
    FRAME_S,
    HOP_LENGTH,
    N_BINS,
    N_FFT,
    SAMPLE_RATE,
    Floats,
    magnitude,
)

# Below, music is full of tones; above, what is flat is hiss and buzz.
HISS_FROM_HZ = 2000.0
FLOOR_PERCENTILE = 10.0
FLOOR_BANDS = 24
# Where most instruments have their notes and lower overtones.
KEY_RANGE_HZ = (80.0, 3000.0)
# Two bins a semitone and more, and not yet only overtones.
NOTES_HZ = (300.0, 3000.0)
CENTS = 5
WIDEST_SHIFT_CENTS = 200
HELD_S = 0.2
BEAT_S = (0.25, 1.5)
# Drums, voices and cymbals; a beat repeats within two seconds.
RHYTHM_HZ = (0.0, 150.0, 2000.0, 11_025.0)
RHYTHM_LAGS_S = (0.15, 2.0)
# With less harmonic change than this there is nothing to hold.
SMALLEST_CHANGE = 1e-3
SMALLEST = 1e-10


def mean_level_db(waveform: ArrayLike) -> float:
    """Average the level of the whole spectrogram, at equal loudness (notebook 04).

    What grows all over the picture, as the buzz of a transfer does, raises it; a louder sound alone
    does not.

    Returns
    -------
    float
        In dB; the sound is first brought to a root mean square of 1. At least -100 dB a point.
    """
    return float(_level_db(_equal_loudness(waveform)).mean())


def spectral_centroid_hz(waveform: ArrayLike) -> float:
    """Compute the mean frequency, weighted by the magnitude: how bright (notebook 04).

    In Hz; 0 for silence.
    """
    spectrum = magnitude(waveform).sum(axis=1)
    frequency_hz = np.arange(N_BINS) * BIN_HZ
    return float(frequency_hz @ spectrum / max(float(spectrum.sum()), SMALLEST))


def flatness(waveform: ArrayLike) -> float:
    """Compute the spectral flatness from 2 to 11 kHz: hiss and buzz (notebook 04).

    The geometric over the arithmetic mean of the power of each frame, averaged over the frames.

    Returns
    -------
    float
        In [0, 1]: 0 for tones and silence; 0.56 for white noise, as one frame of it is not flat.
    """
    power = magnitude(waveform)[int(HISS_FROM_HZ / BIN_HZ) :] ** 2
    heard = power[:, power.sum(axis=0) > SMALLEST]
    if not heard.size:
        return 0.0
    geometric = np.exp(np.log(np.maximum(heard, SMALLEST)).mean(axis=0))
    return float((geometric / heard.mean(axis=0)).mean())


def stationary_floor_db(waveform: ArrayLike) -> float:
    """Measure what never stops, at equal loudness: a buzz raises it (notebook 04).

    In each of 24 bands (equal widths in mel) the level that is exceeded for 90 % of the time,
    averaged over the bands.

    Returns
    -------
    float
        In dB; only differences between sounds mean something.
    """
    bands = mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=FLOOR_BANDS)
    power = bands @ magnitude(_equal_loudness(waveform)) ** 2
    level_db = 10 * np.log10(np.maximum(power, SMALLEST))
    return float(np.percentile(level_db, FLOOR_PERCENTILE, axis=1).mean())


def chroma_kept(waveform: ArrayLike, original: ArrayLike) -> float:
    """Measure how much of the harmony is the same at the same time (notebook 04).

    The cosine of the two sounds' chroma (energy of the twelve notes), frame by frame, against the
    cosine of frames that do not belong together. The sounds are equally long.

    Returns
    -------
    float
        1 if nothing changed, about 0 if nothing is left but the average harmony.
    """
    first, second = _chroma(waveform), _chroma(original)
    frames = first.shape[1]
    together = (first * second).sum(axis=0).mean()
    # All pairs of frames, in closed form.
    apart = first.sum(axis=1) @ second.sum(axis=1) / frames**2
    return float((together - apart) / max(1 - apart, SMALLEST))


def key_shift_cents(waveform: ArrayLike, original: ArrayLike) -> tuple[float, float]:
    """Find by how much a sound is tuned higher than another one (notebook 04).

    The fine structure of both spectra, on an axis where equal steps are equal intervals, is moved
    against each other until it fits best.

    Returns
    -------
    shift : float
        In cents, from -200 to 200 in steps of 5; negative if `waveform` is lower.
    likeness : float
        Correlation of the spectra at that shift, at most 1; below about 0.3 the shift means little.
    """
    first, second = _fine_structure(waveform), _fine_structure(original)
    widest = WIDEST_SHIFT_CENTS // CENTS
    inner = second[widest:-widest]
    shifts = np.arange(-widest, widest + 1)
    likeness = [_correlation(first[widest + s : len(first) - widest + s], inner) for s in shifts]
    best = int(np.argmax(likeness))
    return float(shifts[best] * CENTS), likeness[best]


def onset_correlation(waveform: ArrayLike, other: ArrayLike) -> float:
    """Measure whether two sounds have their attacks at the same moments (notebook 04).

    The correlation of their onset strengths frame by frame; they are equally long.

    Returns
    -------
    float
        1 for the same rhythm at the same time, about 0 for unrelated ones.
    """
    return _correlation(onset_strength(waveform), onset_strength(other))


def rhythm_likeness(waveform: ArrayLike, other: ArrayLike) -> float:
    """Measure whether two sounds have the same rhythm, wherever its beats begin (notebook 09).

    The correlation of the autocorrelations of their onset strengths in three bands, at lags of 0.15
    to 2 s.

    Returns
    -------
    float
        1 for the same rhythm at the same tempo, about 0 for unrelated ones.
    """
    return _correlation(_repeats(waveform), _repeats(other))


def _repeats(waveform: ArrayLike) -> Floats:
    level_db = _level_db(_equal_loudness(waveform))
    first, last = (round(lag_s / FRAME_S) for lag_s in RHYTHM_LAGS_S)
    edges = [round(hz / BIN_HZ) for hz in RHYTHM_HZ]
    found = []
    for low, high in pairwise(edges):
        rises = np.maximum(np.diff(level_db[low:high], axis=1), 0).mean(axis=0)
        rises -= rises.mean()
        again = np.correlate(rises, rises, mode="full")[len(rises) - 1 :]
        found.append(again[first : last + 1] / max(float(again[0]), SMALLEST))
    return np.concatenate(found)


def onset_strength(waveform: ArrayLike) -> Floats:
    """Compute how much louder each frame is than the one before: at least 0 (notebook 04)."""
    level_db = _level_db(_equal_loudness(waveform))
    return spectral_flux(S=level_db, sr=SAMPLE_RATE, hop_length=HOP_LENGTH)


def tonal_clarity(waveform: ArrayLike) -> float:
    """Measure how few of the twelve notes hold a sound's energy at a time (notebook 05).

    One minus the entropy of each frame's chroma, in parts of the largest possible one, averaged
    over the frames by their energy.

    Returns
    -------
    float
        0 for all twelve alike and for silence; 1 would be a single note, of which the window leaves
        about 0.6.
    """
    power = magnitude(_equal_loudness(waveform)) ** 2
    # Below, a bin is wider than a note; above are overtones and cymbals.
    low, high = (int(hz / BIN_HZ) for hz in NOTES_HZ)
    power[:low], power[high:] = 0, 0
    chroma = notes_of(power)
    energy = chroma.sum(axis=0)
    if energy.sum() < SMALLEST:
        return 0.0
    shares = np.maximum(chroma / np.maximum(energy, SMALLEST), SMALLEST)
    entropy = -(shares * np.log(shares)).sum(axis=0) / np.log(len(shares))
    return float(1 - (entropy * energy).sum() / energy.sum())


def onset_contrast_db(waveform: ArrayLike) -> float:
    """Measure how far attacks stand out (notebook 05).

    The 99th percentile of the onset strength over its median.

    Returns
    -------
    float
        In dB a frame, at least 0; steady sounds have little, and so has steady noise.
    """
    strength = onset_strength(waveform)
    return float(np.percentile(strength, 99) - np.median(strength))


def pulse_clarity(waveform: ArrayLike) -> float:
    """Measure how regularly attacks come (notebook 05).

    The autocorrelation of the onset strength at its best, for a sound of at least 2 s.

    Returns
    -------
    float
        At most 1, for clicks of a clock from 40 to 240 beats a minute; about 0 without a beat.
    """
    strength = onset_strength(waveform)
    first, last = (round(lag_s / FRAME_S) for lag_s in BEAT_S)
    return max(
        _correlation(strength[lag:], strength[: len(strength) - lag])
        for lag in range(first, last + 1)
    )


def notes_held(waveform: ArrayLike) -> float:
    """Measure whether a harmony is still there a fifth of a second later (notebook 05).

    The cosine of chroma frames 0.2 s apart, against that of frames in any order.

    Returns
    -------
    float
        At most 1, for long notes that change; about 0 where the order of the frames says nothing:
        in noise, in shuffled frames, and in a drone.
    """
    chroma = _chroma(waveform)
    frames, lag = chroma.shape[1], round(HELD_S / FRAME_S)
    together = (chroma[:, lag:] * chroma[:, : frames - lag]).sum(axis=0).mean()
    apart = (chroma.sum(axis=1) ** 2).sum() / frames**2
    return float((together - apart) / max(1 - apart, SMALLEST_CHANGE))


def describe_sound(waveform: ArrayLike) -> dict[str, float]:
    """Put what a sound is like into one row of a table, names with units (notebook 05)."""
    return {
        "tonal clarity": tonal_clarity(waveform),
        "notes held": notes_held(waveform),
        "onsets (dB)": onset_contrast_db(waveform),
        "pulse": pulse_clarity(waveform),
        "flatness": flatness(waveform),
        "centroid (Hz)": spectral_centroid_hz(waveform),
    }


def describe_transfer(
    waveform: ArrayLike, content: ArrayLike, style: ArrayLike
) -> dict[str, float]:
    """Put a transfer's measures into one row of a table, names with units (notebook 04).

    `waveform` is the result, `content` and `style` what it was made of. Content or style itself as
    the first one gives the trivial rows that every transfer must be compared with.
    """
    shift_cents, likeness = key_shift_cents(waveform, content)
    return {
        "mean level (dB)": mean_level_db(waveform),
        "centroid (Hz)": spectral_centroid_hz(waveform),
        "flatness": flatness(waveform),
        "floor (dB)": stationary_floor_db(waveform),
        "chroma kept": chroma_kept(waveform, content),
        "key shift (cents)": shift_cents,
        "key likeness": likeness,
        "onsets of content": onset_correlation(waveform, content),
        "onsets of style": onset_correlation(waveform, style),
    }


def _equal_loudness(waveform: ArrayLike) -> Floats:
    samples = np.asarray(waveform, dtype=np.float32)
    return samples / np.float32(max(float(np.sqrt(np.mean(samples**2))), SMALLEST))


def _level_db(waveform: Floats) -> Floats:
    return 20 * np.log10(np.maximum(magnitude(waveform), np.float32(1e-5)))


def notes_of(power: Floats) -> Floats:
    """Sum a power spectrogram to the energy of the twelve notes (notebook 05): (12, frames)."""
    return chroma_stft(
        S=power, sr=SAMPLE_RATE, n_fft=N_FFT, hop_length=HOP_LENGTH, tuning=0.0, norm=None
    )


def _chroma(waveform: ArrayLike) -> Floats:
    chroma = notes_of(magnitude(_equal_loudness(waveform)) ** 2)
    return chroma / np.maximum(np.linalg.norm(chroma, axis=0), SMALLEST)


def _fine_structure(waveform: ArrayLike) -> Floats:
    """Draw the spectrum of a whole sound over cents, without its broad shape."""
    samples = _equal_loudness(waveform)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    low_hz, high_hz = KEY_RANGE_HZ
    steps = int(1200 * np.log2(high_hz / low_hz) / CENTS)
    edges_hz = low_hz * 2 ** (np.arange(steps + 1) * CENTS / 1200)
    edges = np.round(edges_hz * len(samples) / SAMPLE_RATE).astype(int)
    level = np.log(
        [spectrum[first : max(last, first + 1)].max() + SMALLEST for first, last in pairwise(edges)]
    )
    broad = np.convolve(level, np.ones(41) / 41, mode="same")
    return np.maximum(level - broad, 0).astype(np.float32)


def _correlation(first: ArrayLike, second: ArrayLike) -> float:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), SMALLEST))
