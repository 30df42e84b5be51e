"""From a spectrogram back to sound: find the phase that a picture has lost.

A waveform's short-time spectra overlap, so most sets of phases contradict each other. Inversion
starts from a guess (`phases`) and lets Griffin & Lim's iteration settle what still contradicts.
Notebook 06 goes through the steps by hand.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lildata_utils.errors import LilDataError
from lildata_utils.sound.iteration import SMALLEST, iterate
from lildata_utils.sound.phases import frame_rows, start_phase
from lildata_utils.sound.settings import Inversion
from lildata_utils.sound.spectrogram import (
    GRID,
    N_BINS,
    Floats,
    image_to_magnitude,
    istft,
    magnitude,
)


@dataclass(frozen=True)
class Step:
    """Where an inversion stands (notebook 06).

    Attributes
    ----------
    number, iterations : int
        Iterations done, and how many there will be; the first step (0) is the start itself.
    waveform : ndarray of float32, shape (..., samples)
        The sound so far, at 22 050 Hz.
    target : ndarray of float32, shape (..., 631, frames)
        The magnitude that it shall have.
    """

    number: int
    iterations: int
    waveform: Floats
    target: Floats

    def convergence_db(self) -> Floats:
        """Compute the `spectral_convergence_db` of the sound so far; shape (...)."""
        return spectral_convergence_db(self.waveform, self.target)


def invert(
    picture: ArrayLike,
    method: str = Inversion.method,
    iterations: int = Inversion.iterations,
    phase: str | ArrayLike = Inversion.phase,
    peak: ArrayLike = 1.0,
    seed: int = Inversion.seed,
) -> Iterator[Step]:
    """Find a sound whose spectrogram is the given one, step by step (notebook 06).

    Parameters
    ----------
    picture : array_like, shape (..., 631, frames)
        Spectrogram images (uint8) or linear magnitudes (anything else, at least 0).
    method : {"griffin_lim", "fast_griffin_lim", "accelerated_griffin_lim"}
        What an iteration does.
    iterations : int
        How many; 0 gives the start alone.
    phase : {"zero", "random", "pghi", "multiresolution"} or array_like, shape (..., 631, frames)
        Where to start, see `start_phase`, or known phases in radians.
    peak : array_like, shape (...)
        For images: linear magnitude of the loudest bin, as `spectrogram.to_image` returned it.
    seed : int
        For random phases.

    Yields
    ------
    Step
        The start, then one step an iteration.

    Raises
    ------
    LilDataError
        If the picture has another shape, negative or missing values, or a name is unknown.

    Examples
    --------
    >>> silence = np.zeros((631, 4), np.uint8)
    >>> [float(np.abs(step.waveform).max()) for step in invert(silence, iterations=2)]
    [0.0, 0.0, 0.0]
    """
    known = None if isinstance(phase, str) else np.asarray(phase)
    settings = Inversion(method, iterations, phase if isinstance(phase, str) else "zero", seed)
    target = _checked_magnitude(picture, peak)
    phases = start_phase(target, settings.phase, seed) if known is None else known
    if phases.shape != target.shape:
        raise LilDataError(
            f"the phase has shape {phases.shape}; expected that of the picture, {target.shape}"
        )
    waveforms = istft(target * np.exp(1j * phases))
    yield Step(0, iterations, waveforms, target)

    stack = frame_rows(target)
    sounds = waveforms.reshape(len(stack), -1)
    runs = [iterate(GRID, rows, sound, method) for rows, sound in zip(stack, sounds, strict=True)]
    for number in range(1, iterations + 1):
        sound = np.stack([next(run) for run in runs]).reshape(waveforms.shape)
        yield Step(number, iterations, sound, target)


def spectral_convergence_db(waveform: ArrayLike, target: ArrayLike) -> Floats:
    """Measure how far a sound's spectrogram is from the one it shall have (notebook 06).

    ``20 log10(|| |STFT(x)| - S || / || S ||)``: -20 dB is an error of a tenth.

    Parameters
    ----------
    waveform : array_like, shape (..., samples)
        At 22 050 Hz.
    target : array_like, shape (..., 631, frames)
        Linear magnitudes.

    Returns
    -------
    ndarray of float32, shape (...)
        In dB; minus infinity where they are equal (also where both are silent).

    Examples
    --------
    >>> sound = np.random.default_rng(0).standard_normal(1750)
    >>> float(spectral_convergence_db(0.9 * sound, magnitude(sound)).round(3))
    -20.0
    """
    wanted = np.asarray(target, dtype=np.float32)
    error = np.linalg.norm(magnitude(waveform) - wanted, axis=(-2, -1))
    size = np.linalg.norm(wanted, axis=(-2, -1))
    with np.errstate(divide="ignore"):
        result = 20 * np.log10(error / np.maximum(size, SMALLEST))
    return np.asarray(result, dtype=np.float32)


def log_spectral_distance_db(waveform: ArrayLike, target: ArrayLike) -> Floats:
    """Measure the same in decibels, so that soft bins count as much as loud ones (notebook 06).

    The root mean square over frequencies of the difference in dB, averaged over the frames (Gray &
    Markel 1976). What is more than 80 dB below the target's peak counts as 80 dB below. Arguments
    as for `spectral_convergence_db`; in dB, at least 0.
    """
    wanted = np.asarray(target, dtype=np.float32)
    floor = np.maximum(1e-4 * wanted.max(axis=(-2, -1), keepdims=True), SMALLEST)
    got_db, wanted_db = (
        20 * np.log10(np.maximum(either, floor)) for either in (magnitude(waveform), wanted)
    )
    return np.sqrt(((got_db - wanted_db) ** 2).mean(axis=-2)).mean(axis=-1)


def _checked_magnitude(picture: ArrayLike, peak: ArrayLike) -> Floats:
    given = np.asarray(picture)
    if given.ndim < 2 or given.shape[-2] != N_BINS or given.shape[-1] < 2:
        raise LilDataError(
            f"the spectrogram has shape {given.shape}; expected {N_BINS} rows (frequencies) and "
            "at least 2 columns (frames)"
        )
    if given.dtype == np.uint8:
        return image_to_magnitude(given, peak)
    if not np.isfinite(given).all() or (given < 0).any():
        raise LilDataError("the magnitudes must be finite numbers, 0 or larger (decibels are not)")
    return given.astype(np.float32)
