"""Waveform, magnitude, image, network input: each step from sound to picture, and back.

Notebook 01 explains the numbers. Row 0 of every picture is 0 Hz, column 0 is the clip's start.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lildata_utils.sound.stft import Grid

SAMPLE_RATE = 22_050
CLIP_S = 5.0
CLIP_SAMPLES = 110_250
# 1260 / 2 + 1 = 631 bins of 17.5 Hz; 110 250 / 175 + 1 = 631 centred frames of 7.94 ms.
N_FFT = 1260
HOP_LENGTH = 175
N_BINS = N_FFT // 2 + 1
N_FRAMES = CLIP_SAMPLES // HOP_LENGTH + 1
BIN_HZ = SAMPLE_RATE / N_FFT
FRAME_S = HOP_LENGTH / SAMPLE_RATE
GRID = Grid(N_FFT, HOP_LENGTH)

FLOOR_DB = -80.0
STEP_DB = -FLOOR_DB / 255

# Keras' `preprocess_input` of ResNet-50 ("caffe" mode) subtracts one mean a channel of ImageNet.
# A picture with one channel gets the mean of the three.
CAFFE_MEANS = (103.939, 116.779, 123.68)
CAFFE_MEAN = sum(CAFFE_MEANS) / 3

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]


def cut_clips(blocks: Iterable[Floats]) -> Iterator[Floats]:
    """Cut a waveform that comes in blocks into clips of 5 s, drop what is left (notebook 01).

    Parameters
    ----------
    blocks : iterable of ndarray of float32, shape (samples,)
        Consecutive pieces of mono samples at 22 050 Hz, of any lengths.

    Yields
    ------
    ndarray of float32, shape (clips, 110250)
        The clips that each block completes, at least one.
    """
    rest = np.empty(0, np.float32)
    for block in blocks:
        samples = np.concatenate([rest, block])
        whole = len(samples) // CLIP_SAMPLES * CLIP_SAMPLES
        rest = samples[whole:]
        if whole:
            yield samples[:whole].reshape(-1, CLIP_SAMPLES)


def stft(waveform: ArrayLike) -> NDArray[np.complex64]:
    """Short-time Fourier transform, centred, with the course's window and hop (notebook 01).

    The same numbers as ``librosa.stft(waveform, n_fft=1260, hop_length=175)``, in float32.

    Parameters
    ----------
    waveform : array_like, shape (..., samples)
        Mono samples at 22 050 Hz, at least one; leading axes are a stack of clips.

    Returns
    -------
    ndarray of complex64, shape (..., 631, 1 + samples // 175)
        Rows are frequencies (0 to 11 025 Hz in steps of 17.5 Hz), columns are frames.
    """
    return _analyse(waveform, np.asarray, np.complex64)


def istft(spectrum: ArrayLike) -> Floats:
    """Find the waveform whose `stft` is closest to the given one (notebook 06).

    The same numbers as ``librosa.istft(spectrum, hop_length=175)``, in float32. A complex spectrum
    of shape (..., 631, frames) gives shape (..., (frames - 1) * 175).
    """
    spectra = np.asarray(spectrum, dtype=np.complex64)
    *stack, bins, frames = spectra.shape
    if bins != N_BINS:
        raise ValueError(f"the spectrum has {bins} rows; expected {N_BINS}")
    rows = spectra.reshape(-1, bins, frames).swapaxes(1, 2)
    return np.stack([GRID.synthesise(row) for row in rows]).reshape(*stack, -1)


def magnitude(waveform: ArrayLike) -> Floats:
    """Magnitude of the transform: what is left when the phase is dropped (notebook 01).

    A waveform of shape (..., samples) gives float32, shape (..., 631, frames): linear, at least 0;
    a sinusoid of amplitude 1 has a peak of 315 (a quarter of `n_fft`).
    """
    return _analyse(waveform, np.abs, np.float32)


def to_image(waveform: ArrayLike) -> tuple[Image, Floats]:
    """Draw a clip, or a stack of clips, as the network sees it (notebook 01).

    Equal to `magnitude_to_image` of `magnitude`, without the two intermediate pictures.

    Parameters
    ----------
    waveform : array_like, shape (..., samples)
        Mono samples at 22 050 Hz.

    Returns
    -------
    image : ndarray of uint8, shape (..., 631, frames)
        255 is the clip's loudest bin, 0 is 80 dB below it or less; 0.31 dB a step.
    peak : ndarray of float32, shape (...)
        Linear magnitude of the loudest bin; 0 for silence.
    """
    power = _analyse(waveform, _power, np.float32)
    top = power.max(axis=(-2, -1))
    return np.ascontiguousarray(_power_to_image(power, top)), np.sqrt(top)


def magnitude_to_image(magnitude: ArrayLike) -> tuple[Image, Floats]:
    """Turn magnitudes into decibels below each clip's own peak, in 256 steps (notebook 01).

    Parameters
    ----------
    magnitude : array_like, shape (..., bins, frames)
        Linear, at least 0.

    Returns
    -------
    image, peak : ndarray of uint8, shape (..., bins, frames); of float32, shape (...)
        As `to_image`: ``255 + dB / 0.3137`` with dB in [-80, 0] below the peak.

    Examples
    --------
    >>> image, peak = magnitude_to_image([[1.0, 0.1], [0.01, 0.0]])
    >>> image.tolist(), float(peak)
    ([[255, 191], [128, 0]], 1.0)
    """
    power = np.square(np.asarray(magnitude, dtype=np.float32))
    top = power.max(axis=(-2, -1))
    return _power_to_image(power, top), np.sqrt(top)


def rounded(picture: ArrayLike) -> Image:
    """Round a picture in [0, 255] to the grey levels of an image (notebook 04)."""
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def image_to_db(image: ArrayLike) -> Floats:
    """Read an image's decibels, -80 to 0 below the clip's peak, same shape (notebook 01).

    Floats between the steps are allowed (a network's picture).

    Examples
    --------
    >>> image_to_db([0, 255]).tolist()
    [-80.0, 0.0]
    """
    return np.asarray(image, dtype=np.float32) * np.float32(STEP_DB) + np.float32(FLOOR_DB)


def image_to_magnitude(image: ArrayLike, peak: ArrayLike = 1.0) -> Floats:
    """Go back from an image to linear magnitudes at the clip's own level (notebook 06).

    Within half a step (0.16 dB) of the original above the floor. What was at the floor (0 in the
    image) comes back as exactly 0, so that silence stays silent.

    Parameters
    ----------
    image : array_like, shape (..., bins, frames)
        In [0, 255]; floats are allowed.
    peak : array_like, shape (...)
        Linear magnitude of the loudest bin, as `to_image` returned it.

    Returns
    -------
    ndarray of float32, shape (..., bins, frames)

    Examples
    --------
    >>> image_to_magnitude([[255, 0]], peak=2.0).tolist()
    [[2.0, 0.0]]
    """
    level = np.asarray(peak, dtype=np.float32)[..., None, None]
    linear = np.float32(10) ** (image_to_db(image) / np.float32(20)) * level
    return np.where(np.asarray(image) > 0, linear, np.float32(0))


def network_input(image: ArrayLike) -> Floats:
    """Make the network's input of an image: one channel, mean subtracted (notebook 01).

    Parameters
    ----------
    image : array_like, shape (..., 631, 631)
        In [0, 255].

    Returns
    -------
    ndarray of float32, shape (..., 631, 631, 1)
        ``image - 114.80``: the mean of the three channels that Keras' ResNet-50
        `preprocess_input` would make of the same grey picture.
    """
    return (np.asarray(image, dtype=np.float32) - np.float32(CAFFE_MEAN))[..., None]


def _analyse(
    waveform: ArrayLike,
    of_spectrum: Callable[[NDArray[np.complex64]], NDArray[Any]],
    dtype: type[np.generic],
) -> NDArray[Any]:
    """Collect ``of_spectrum(rfft(frame))`` of every windowed frame, shape (..., 631, frames)."""
    samples = np.asarray(waveform, dtype=np.float32)
    if samples.shape[-1] == 0:
        raise ValueError("the waveform has no samples")
    stack = samples.reshape(-1, samples.shape[-1])
    result = np.empty((len(stack), 1 + samples.shape[-1] // HOP_LENGTH, N_BINS), dtype)
    for row, of_row in zip(stack, result, strict=True):
        for where, spectra in GRID.blocks(GRID.frames(row)):
            of_row[where] = of_spectrum(spectra)
    # Frame after frame in memory, as the transform gives them; bins come first in the view.
    return result.swapaxes(1, 2).reshape(*samples.shape[:-1], N_BINS, result.shape[1])


def _power(spectrum: NDArray[np.complex64]) -> Floats:
    """Squared magnitude: it saves the square root, as 10 log10(power) = 20 log10(magnitude)."""
    power: Floats = spectrum.real**2
    power += spectrum.imag**2
    return power


def _power_to_image(power: Floats, top: Floats) -> Image:
    """Decibels below `top` in steps of 0.31 dB; overwrites `power`, keeps its axes."""
    smallest = np.finfo(np.float32).tiny
    # Silence (top = 0) divides by the smallest number instead: its picture is all 0, not NaN.
    power /= np.maximum(top, smallest)[..., None, None]
    np.maximum(power, np.float32(10 ** (FLOOR_DB / 10)), out=power)
    np.log10(power, out=power)
    power *= np.float32(10 / STEP_DB)
    power += np.float32(255.5)
    return power.astype(np.uint8)
