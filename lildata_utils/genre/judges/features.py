"""What the judges hear in five seconds of sound: bands, statistics, rhythm.

A judge gets a waveform, never a picture: what a painter drew must first have become sound, and what
it drew that no sound has is gone. One transform a clip serves all three; the level says nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from lildata_utils.errors import LilDataError
from lildata_utils.sound.spectrogram import (
    BIN_HZ,
    CLIP_SAMPLES,
    FRAME_S,
    GRID,
    N_BINS,
    N_FRAMES,
    SAMPLE_RATE,
    Floats,
)

# Log-spaced bands, eight an octave where bins are narrow enough: not the listener's mel scale.
BANDS, LOWEST_HZ, HIGHEST_HZ = 64, 40.0, 10_000.0
# The network hears one column for so many frames: 32 ms.
FRAMES_A_STEP = 4
STEPS = N_FRAMES // FRAMES_A_STEP
FLOOR = np.float32(1e-8)  # of the clip's loudest bin: -80 dB, as in a picture
COEFFICIENTS = 20
OCTAVES_HZ = (30.0, 90.0, 180.0, 360.0, 720.0, 1440.0, 2880.0, 5760.0, 11_025.0)
REGIONS = len(OCTAVES_HZ) - 1
NOTES_HZ = (80.0, 3000.0)
# Within a band, what is so far below its own loudest frame is silence to the judge of rhythm.
BAND_RANGE_DB = 45.0
LAGS_S = np.geomspace(0.08, 2.4, 33)
MODULATION_HZ = np.geomspace(0.4, 25.0, 21)
BEAT_S = (0.25, 1.2)


@dataclass(frozen=True)
class Heard:
    """What the three judges hear in clips (notebook 07)."""

    # Levels over time, shape (clips, STEPS, BANDS), in [-1, 0] of 80 dB, exact to 0.04 dB.
    bands: NDArray[np.float16]
    statistics: Floats  # Of spectrum, harmony, level and attacks, shape (clips, statistics)
    rhythm: Floats  # When each band moves, without how loud it is, shape (clips, numbers)

    def __len__(self) -> int:
        return len(self.bands)

    def at(self, rows: NDArray[Any]) -> "Heard":
        """Keep some clips, by their numbers or by a mask."""
        return Heard(self.bands[rows], self.statistics[rows], self.rhythm[rows])


def join(parts: Sequence[Heard]) -> Heard:
    """Put clips that were heard apart behind one another (notebook 07)."""
    columns = zip(*((part.bands, part.statistics, part.rhythm) for part in parts), strict=True)
    return Heard(*(np.concatenate(column) for column in columns))


def hear(waveforms: ArrayLike) -> Heard:
    """Compute what the judges hear (notebook 07).

    Parameters
    ----------
    waveforms : array_like, shape (clips, 110250)
        Five seconds each, mono at 22 050 Hz, at any level.

    Raises
    ------
    LilDataError
        If they have another shape, or hold what is no number.
    """
    samples = np.asarray(waveforms, np.float32)
    if samples.ndim != 2 or samples.shape[1] != CLIP_SAMPLES:
        raise LilDataError(
            f"waveforms of shape {samples.shape}: the judges expect (clips, {CLIP_SAMPLES}), five "
            f"seconds at {SAMPLE_RATE} Hz each"
        )
    if not np.isfinite(samples).all():
        raise LilDataError("the waveforms hold NaN or infinite samples: expected finite numbers")
    if not len(samples):
        return hear(np.zeros((1, CLIP_SAMPLES))).at(np.arange(0))
    bands, statistics, rhythm = zip(*(_hear(clip) for clip in samples), strict=True)
    return Heard(
        np.stack(bands).astype(np.float16),
        np.stack(statistics).astype(np.float32),
        np.stack(rhythm).astype(np.float32),
    )


def _hear(clip: Floats) -> tuple[Floats, Floats, Floats]:
    spectrum = GRID.analyse(clip)
    power: Floats = spectrum.real**2 + spectrum.imag**2
    # Where all is silence, all is at the floor.
    power /= max(float(power.max()), float(np.finfo(np.float32).tiny))
    regions: Floats = power @ _octaves()
    bands: Floats = power @ _bands()
    notes: Floats = power @ _notes()
    steps = bands[: STEPS * FRAMES_A_STEP].reshape(STEPS, FRAMES_A_STEP, BANDS)
    coarse: Floats = steps.mean(axis=1)
    statistics = np.concatenate(
        [
            _cepstrum(_decibels(bands)),
            _shape(power),
            _contrast(power[::FRAMES_A_STEP]),
            _harmony(notes),
            _levels(regions),
            *(_attacks(_decibels(part)) for part in (bands, bands[:, :16], bands[:, 44:])),
        ]
    )
    levels: Floats = _decibels(coarse) / np.float32(80)
    return levels, statistics, _rhythm(_decibels(regions))


def _decibels(power: Floats) -> Floats:
    return 10 * np.log10(np.maximum(power, FLOOR))


@cache
def _bands() -> Floats:
    """Triangles on a logarithmic axis, at least a bin wide; shape (bins, BANDS), sums 1."""
    centres = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS)
    width = np.maximum(centres * (centres[1] / centres[0] - 1), BIN_HZ)
    distance = np.abs(np.arange(N_BINS)[:, None] * BIN_HZ - centres) / width
    weights = np.maximum(1 - distance, 0)
    return (weights / weights.sum(axis=0)).astype(np.float32)


@cache
def _octaves() -> Floats:
    """Sum bins to octaves, shape (bins, REGIONS)."""
    frequency_hz = np.arange(N_BINS)[:, None] * BIN_HZ
    edges = np.array(OCTAVES_HZ)
    inside = (frequency_hz >= edges[:-1]) & (frequency_hz < edges[1:])
    return inside.astype(np.float32)


@cache
def _notes() -> Floats:
    """Share bins among the twelve notes, each between its two nearest; shape (bins, 12)."""
    frequency_hz = np.arange(N_BINS) * BIN_HZ
    low, high = NOTES_HZ
    heard = (frequency_hz >= low) & (frequency_hz <= high)
    semitone = 12 * np.log2(np.maximum(frequency_hz, low) / 440)
    below = np.floor(semitone)
    weights = np.zeros((N_BINS, 12), np.float32)
    rows = np.arange(N_BINS)
    np.add.at(weights, (rows, (below % 12).astype(int)), (1 - (semitone - below)) * heard)
    np.add.at(weights, (rows, ((below + 1) % 12).astype(int)), (semitone - below) * heard)
    return weights


def _spread(values: Floats) -> Floats:
    """Describe what changes over time, shape (frames, n): mean, deviation, soft and loud ends."""
    low, high = np.percentile(values, (10, 90), axis=0)
    return np.concatenate([values.mean(axis=0), values.std(axis=0), low, high])


def _cepstrum(bands_db: Floats) -> Floats:
    """Describe the coarse shape of the spectrum and how it moves."""
    cepstrum = scipy.fft.dct(bands_db, norm="ortho", axis=1)[:, :COEFFICIENTS]
    # The first is the level of all.
    moves = np.abs(cepstrum[8:] - cepstrum[:-8]).mean(axis=0)
    return np.concatenate([cepstrum.mean(axis=0), cepstrum.std(axis=0), moves])


def _shape(power: Floats) -> Floats:
    """Describe brightness: centroid, width, quantiles and flatness of the spectrum."""
    power = np.maximum(power[:, 2:], FLOOR)
    octave = np.log2(np.arange(2, N_BINS) / 2).astype(np.float32)
    total = power.sum(axis=1)
    centroid = power @ octave / total
    width = np.sqrt(np.maximum(power @ octave**2 / total - centroid**2, 0))
    summed = np.cumsum(power, axis=1) / total[:, None]
    quantiles = [
        octave[(summed < share).sum(axis=1).clip(max=len(octave) - 1)]
        for share in (0.25, 0.5, 0.85, 0.98)
    ]
    log = np.log(power)
    flat = [
        log[:, part].mean(axis=1) - np.log(power[:, part].mean(axis=1))
        for part in (slice(0, 55), slice(55, 220), slice(220, None))
    ]
    return _spread(np.stack([centroid, width, *quantiles, *flat], axis=1))


def _contrast(power: Floats) -> Floats:
    """Describe, octave by octave, how far peaks stand above valleys (Jiang et al. 2002)."""
    found = []
    for low, high in pairwise(OCTAVES_HZ[1:]):
        part = power[:, int(low / BIN_HZ) : int(high / BIN_HZ)]
        few = max(1, part.shape[1] // 8)
        ordered = np.partition(part, (few, part.shape[1] - few - 1), axis=1)
        peak, valley = (
            _decibels(end.mean(axis=1)) for end in (ordered[:, -few:], ordered[:, :few])
        )
        found.append(peak - valley)
    contrast = np.stack(found, axis=1)
    return np.concatenate([contrast.mean(axis=0), contrast.std(axis=0)])


def _harmony(chroma: Floats) -> Floats:
    """Describe chords in no key: how clear they are, their intervals, how long they stay."""
    energy = np.sqrt(chroma / np.maximum(chroma.sum(axis=1, keepdims=True), FLOOR))
    share = np.maximum(energy**2, 1e-6)
    entropy = -(share * np.log(share)).sum(axis=1)
    mean = share.mean(axis=0)
    around = np.array([mean @ np.roll(mean, step) for step in range(1, 7)])
    frames = len(energy)
    held = [
        (energy[lag:] * energy[: frames - lag]).sum(axis=1).mean() for lag in (12, 25, 63, 126, 252)
    ]
    total = -(mean * np.log(mean)).sum()
    return np.array([entropy.mean(), entropy.std(), total, *around, *held, *np.sort(mean)[-4:]])


def _levels(regions: Floats) -> Floats:
    """Describe the balance of the octaves, and how loudness moves in each."""
    decibels = _decibels(regions)
    mean = _decibels(regions.mean(axis=0))
    balance = mean - _decibels(regions.sum(axis=1).mean())
    low, middle, high = np.percentile(decibels, (10, 50, 90), axis=0) - mean
    whole = _decibels(regions.sum(axis=1))
    together = _correlations(decibels, 1e-3)[0, 1:]
    ends = np.percentile(whole, (5, 25, 75, 95)) - whole.max()
    return np.concatenate([balance, low, middle, high, ends, [whole.std()], together])


def _correlations(values: Floats, slope: float) -> Floats:
    """Correlate columns with one another; a slope beyond hearing keeps silence defined."""
    return np.array(np.corrcoef((values + np.linspace(0, slope, len(values))[:, None]).T))


def _attacks(bands_db: Floats) -> Floats:
    """Describe attacks: how strong, how many, how regular, and at which tempo."""
    flux = np.maximum(bands_db[2:] - bands_db[:-2], 0).mean(axis=1)
    middle, loud, loudest = np.percentile(flux, (50, 90, 99))
    level = flux - flux.mean()
    again = _autocorrelation(level[:, None])[:, 0]
    first, last = (round(lag / FRAME_S) for lag in BEAT_S)
    best = int(again[first : last + 1].argmax()) + first
    peaks = (flux[1:-1] > flux[:-2]) & (flux[1:-1] >= flux[2:]) & (flux[1:-1] > loud)
    # At the lag of a beat, half of it, two and four.
    beats = again[np.minimum([best, best // 2, 2 * best, 4 * best], len(again) - 1)]
    strength = (flux.mean(), flux.std(), middle, loud, loudest)
    return np.array([*strength, peaks.sum(), best * FRAME_S, *beats])


def _autocorrelation(values: Floats) -> Floats:
    """Correlate columns with themselves at each lag, 1 at lag 0; shape (frames, columns)."""
    size = scipy.fft.next_fast_len(2 * len(values))
    spectrum = scipy.fft.rfft(values, size, axis=0)
    lagged = scipy.fft.irfft(np.abs(spectrum) ** 2, size, axis=0)[: len(values)]
    # Fewer frames meet at longer lags.
    lagged *= (len(values) / np.arange(len(values), 0, -1))[:, None]
    return lagged / np.maximum(lagged[0], FLOOR)


def _rhythm(regions_db: Floats) -> Floats:
    """Describe when each octave moves; a gain, or a filter that is one in each, changes nothing."""
    level = np.maximum(regions_db, regions_db.max(axis=0) - np.float32(BAND_RANGE_DB))
    level -= level.mean(axis=0)
    deviation = np.maximum(level.std(axis=0), 1e-3)
    attacks = np.maximum(level[2:] - level[:-2], 0)
    attacks /= np.maximum(attacks.std(axis=0), 1e-3)
    attacks = np.column_stack([attacks, attacks.mean(axis=1)])
    centred = attacks - attacks.mean(axis=0)
    again = _autocorrelation(centred)
    edges = np.round(LAGS_S / FRAME_S).astype(int)
    repeats = [again[a : max(b, a + 1)].max(axis=0) for a, b in pairwise(edges)]
    moving = np.abs(scipy.fft.rfft(level / deviation * np.hanning(len(level))[:, None], axis=0))
    step_hz = 1 / (len(level) * FRAME_S)
    places = np.round(MODULATION_HZ / step_hz).astype(int)
    modulation = [moving[a : max(b, a + 1)].max(axis=0) for a, b in pairwise(places)]
    together = _correlations(centred, 1e-6)
    peaked = (centred**4).mean(axis=0) / np.maximum((centred**2).mean(axis=0) ** 2, 1e-6)
    busy = (attacks > 1).mean(axis=0)
    shape = (level / deviation) ** 3
    return np.concatenate(
        [
            np.ravel(repeats),
            np.ravel(modulation),
            together[np.triu_indices(len(together), 1)],
            peaked,
            busy,
            shape.mean(axis=0),
            deviation,
        ]
    )
