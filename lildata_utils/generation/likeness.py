"""How near made music comes to real music: as a whole, and piece by piece (notebook 08).

As a whole it should be near, in kind and in variety; no piece should be near to one that was
learned. What is compared is what the judges hear, who share nothing with whoever made the music.
"""

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from lildata_utils.errors import LilDataError
from lildata_utils.genre.judges.features import NOTES_HZ, STEPS
from lildata_utils.sound.measures import notes_of, onset_strength
from lildata_utils.sound.spectrogram import BIN_HZ, FRAME_S, SAMPLE_RATE, Floats, magnitude

# As usual (KAD, arXiv:2502.15602): in thousandths.
SCALE = 1000.0
SURE = 1.96
END_S = 5.0
BEAT_S = (0.25, 1.5)


def kernel_distance(
    made: ArrayLike, real: ArrayLike, width: float | None = None
) -> tuple[float, float, float]:
    """Measure how far made clips are from real ones as distributions (notebook 08).

    The unbiased maximum mean discrepancy with a Gaussian kernel (Gretton et al. 2012), in
    thousandths. 0 on average for two draws of the same; it may then be below.

    Parameters
    ----------
    made, real : array_like, shape (clips, features)
        Three of each at least.
    width : float, optional
        Of the kernel; the median distance between real clips unless given.

    Returns
    -------
    distance, low, high : float
        With the ends of its 95 % interval, from the spread of each clip's own share in it.
    """
    one, other = (np.asarray(rows, np.float64) for rows in (made, real))
    if min(len(one), len(other)) < 3:
        raise LilDataError(
            f"{len(one)} and {len(other)} clips: a distance needs three of each kind"
        )
    apart = _squares(other, other)
    width = width or float(np.sqrt(np.median(apart[np.triu_indices(len(other), 1)])))

    def alike(squares: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp(-squares / (2 * max(width, 1e-9) ** 2))

    within_one = _others(alike(_squares(one, one)))
    within_other = _others(alike(apart))
    across = alike(_squares(one, other))
    distance = within_one.mean() + within_other.mean() - 2 * across.mean()
    shares = (within_one - across.mean(axis=1), within_other - across.mean(axis=0))
    error = SURE * np.sqrt(sum(4 * share.var(ddof=1) / len(share) for share in shares))
    low, high = distance - error, distance + error
    return float(SCALE * distance), float(SCALE * low), float(SCALE * high)


def spread(clips: ArrayLike) -> float:
    """Average how far clips, shape (clips, features), are from one another (notebook 08)."""
    rows = np.asarray(clips, np.float64)
    distances = np.sqrt(_squares(rows, rows))
    return float(distances[np.triu_indices(len(rows), 1)].mean())


def nearest_likeness(bands: ArrayLike, learned: ArrayLike) -> Floats:
    """Find how alike each clip is to that of the learned ones which is most alike (notebook 08).

    The correlation of how the levels of all bands move, at whichever shift in time it is highest:
    1 for a copy, also for one that begins elsewhere.

    Parameters
    ----------
    bands, learned : array_like, shape (clips, steps, bands)
        As the judges hear them (`features.Heard.bands`).

    Returns
    -------
    ndarray of float32, shape (clips,)
    """
    size = scipy.fft.next_fast_len(2 * STEPS)
    there = _moving(learned, size)
    best = [
        scipy.fft.irfft((there * one.conj()).sum(axis=-1), size, axis=-1).max()
        for one in _moving(bands, size)
    ]
    return np.array(best, np.float32)


def beat_s(waveform: ArrayLike) -> float:
    """Find the lag, in seconds, at which attacks come again (notebook 08)."""
    strength = onset_strength(waveform)
    strength -= strength.mean()
    size = scipy.fft.next_fast_len(2 * len(strength))
    again = scipy.fft.irfft(np.abs(scipy.fft.rfft(strength, size)) ** 2, size)
    first, last = (round(lag / FRAME_S) for lag in BEAT_S)
    return float((first + again[first : last + 1].argmax()) * FRAME_S)


def holds_together(waveform: ArrayLike) -> tuple[bool, bool]:
    """Compare the last five seconds of a piece with the first five (notebook 08).

    Returns
    -------
    pulse : bool
        Whether its attacks come again at the same lag, or at half or twice of it, within 10 %.
    key : bool
        Whether its notes fit best as they are, moved by none of the eleven other intervals.
    """
    samples = np.asarray(waveform, np.float32)
    ends = int(END_S * SAMPLE_RATE)
    first, last = samples[:ends], samples[-ends:]
    octaves = np.log2(beat_s(last) / beat_s(first))
    pulse = abs(octaves - np.clip(np.rint(octaves), -1, 1)) < np.log2(1.1)
    before, after = _harmony(first), _harmony(last)
    fits = [float(before @ np.roll(after, steps)) for steps in range(12)]
    return bool(pulse), int(np.argmax(fits)) == 0


def _squares(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    products = one @ other.T
    sizes = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)
    return np.maximum(sizes - 2 * products, 0)


def _others(alike: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average over the others: every clip is like itself."""
    return (alike.sum(axis=1) - np.diag(alike)) / (len(alike) - 1)


def _moving(bands: ArrayLike, size: int) -> NDArray[np.complex64]:
    """Transform levels less their mean over time, of length 1 in all; zeros follow."""
    levels = np.asarray(bands, np.float32)
    moving = levels - levels.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(moving, axis=(1, 2), keepdims=True)
    return scipy.fft.rfft(moving / np.maximum(lengths, 1e-6), size, axis=1)


def _harmony(waveform: Floats) -> Floats:
    """Sum up how long each of the twelve notes sounds, less the mean; shape (12,)."""
    power = magnitude(waveform) ** 2
    low, high = (int(hz / BIN_HZ) for hz in NOTES_HZ)
    power[:low], power[high:] = 0, 0
    shares = notes_of(power)
    mean = (shares / np.maximum(shares.sum(axis=0), 1e-9)).mean(axis=1)
    return mean - mean.mean()
