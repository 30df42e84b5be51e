"""A smaller picture that sounds the same: 192 bands, half of the frames, and the way back.

Bins up to 1.1 kHz are kept one by one, since notes are told apart there; above, bands of equal
ratios. Of two frames the power is averaged. Notebook 08 listens to what is lost.
"""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from lildata_utils.sound.spectrogram import (
    FLOOR_DB,
    HOP_LENGTH,
    N_BINS,
    SAMPLE_RATE,
    STEP_DB,
    Floats,
    Image,
    magnitude,
    rounded,
)

LINEAR = 64  # 1.1 kHz
BANDS = 192
FRAMES_A_COLUMN = 2
COLUMN_S = FRAMES_A_COLUMN * HOP_LENGTH / SAMPLE_RATE


def to_bands(waveform: ArrayLike) -> Image:
    """Draw sound of any length in bands (notebook 08).

    Parameters
    ----------
    waveform : array_like, shape (samples,)
        Mono at 22 050 Hz.

    Returns
    -------
    ndarray of uint8, shape (columns, 192)
        A column of bands every 15.9 ms. 255 is the loudest place, 0 is 80 dB below it or less.
    """
    power = magnitude(waveform).T ** 2
    if len(power) % FRAMES_A_COLUMN:
        power = np.concatenate([power, power[-1:]])
    power = power.reshape(-1, FRAMES_A_COLUMN, N_BINS).mean(axis=1) @ _averages()
    # Silence is at the floor, not at its own peak.
    loudest = max(float(power.max()), float(np.finfo(np.float32).tiny))
    level_db = 10 * np.log10(np.maximum(power / loudest, 1e-12))
    return rounded((level_db - FLOOR_DB) / STEP_DB)


def from_bands(levels: ArrayLike, frames: int) -> Image:
    """Draw a spectrogram as `to_bands` saw it: interpolated in decibels (notebook 08).

    Parameters
    ----------
    levels : array_like, shape (columns, 192)
        In [0, 255].
    frames : int
        Of the result, at most twice the columns.

    Returns
    -------
    ndarray of uint8, shape (631, frames)
    """
    columns = np.asarray(levels, np.float32)
    # A column stands for the middle between its two frames.
    place = (np.arange(frames) - (FRAMES_A_COLUMN - 1) / 2) / FRAMES_A_COLUMN
    place = np.clip(place, 0, len(columns) - 1)
    before = np.minimum(place.astype(int), max(len(columns) - 2, 0))
    share = (place - before).astype(np.float32)[:, None]
    after = np.minimum(before + 1, len(columns) - 1)
    rows = (1 - share) * columns[before] + share * columns[after]
    return rounded((rows @ _between()).T)


def _centres() -> Floats:
    """Place the bands on the axis of bins; shape (192,)."""
    linear = np.arange(LINEAR, dtype=np.float32)
    above = np.geomspace(LINEAR, N_BINS - 1, BANDS - LINEAR)
    return np.concatenate([linear, above]).astype(np.float32)


@cache
def _averages() -> Floats:
    """Weigh bins by triangles, at least a bin wide to each side; shape (631, 192), sums 1."""
    centres = _centres()
    width = np.maximum(np.gradient(centres), 1)
    weights = np.maximum(1 - np.abs(np.arange(N_BINS)[:, None] - centres) / width, 0)
    return (weights / weights.sum(axis=0)).astype(np.float32)


@cache
def _between() -> Floats:
    """Interpolate each bin between its two nearest bands; shape (192, 631)."""
    bins, bands = np.arange(N_BINS), np.eye(BANDS)
    return np.stack([np.interp(bins, _centres(), band) for band in bands]).astype(np.float32)
