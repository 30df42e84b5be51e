"""The short-time Fourier transform and its inverse, fast: float32, in blocks that fit the cache.

A `Grid` works on one waveform and keeps spectra frame after frame, shape (frames, bins), as the
transform gives them. `spectrogram` offers the course's grid with bins first.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lildata_utils.machine import usable_cores

Floats = NDArray[np.float32]
Spectrum = NDArray[np.complex64]

# Whole clips cost three times the time, in page faults.
BLOCK_FRAMES = 64
# What one thread works on. A constant, so that sums do not depend on the number of cores.
SPAN_FRAMES = 160


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(usable_cores())


@dataclass(frozen=True)
class Grid:
    """Centred frames under a periodic Hann window (notebook 06).

    Examples
    --------
    >>> grid = Grid(n_fft=1260, hop_length=175)
    >>> sound = np.random.default_rng(0).standard_normal(1750).astype(np.float32)
    >>> bool(np.allclose(grid.synthesise(grid.analyse(sound)), sound, atol=1e-5))
    True
    """

    n_fft: int  # Samples in a frame (even)
    hop_length: int  # Samples from frame to frame

    @property
    def bins(self) -> int:
        """Frequencies from 0 to half the sample rate."""
        return self.n_fft // 2 + 1

    @cached_property
    def window(self) -> Floats:
        """The window, shape (n_fft,), in [0, 1], read-only."""
        # By its formula: importing scipy.signal for it takes a second.
        angle = 2 * np.pi * np.arange(self.n_fft) / self.n_fft
        hann = (0.5 - 0.5 * np.cos(angle)).astype(np.float32)
        hann.flags.writeable = False
        return hann

    def frames(self, waveform: Floats) -> Floats:
        """View a waveform as overlapping frames, not yet windowed.

        Zeros are put around it, so that frame n is centred at sample ``n * hop_length``.

        Returns
        -------
        ndarray of float32, shape (1 + samples // hop_length, n_fft)
            Read-only; neighbours share their memory.
        """
        padded = np.pad(waveform, self.n_fft // 2)
        return sliding_window_view(padded, self.n_fft)[:: self.hop_length]

    def blocks(self, frames: Floats) -> Iterator[tuple[slice, Spectrum]]:
        """Transform frames block by block.

        Yields
        ------
        where : slice
            Which of the frames.
        spectra : ndarray of complex64, shape (up to 64, bins)
        """
        for start in range(0, len(frames), BLOCK_FRAMES):
            where = slice(start, start + BLOCK_FRAMES)
            yield where, scipy.fft.rfft(frames[where] * self.window, axis=-1, overwrite_x=True)

    def analyse(self, waveform: Floats) -> Spectrum:
        """Transform a waveform: complex64, shape (1 + samples // hop_length, bins)."""
        frames = self.frames(waveform)
        spectrum = np.empty((len(frames), self.bins), np.complex64)
        for where, spectra in self.blocks(frames):
            spectrum[where] = spectra
        return spectrum

    def synthesise(self, spectrum: Spectrum) -> Floats:
        """Find the waveform whose transform is closest to a spectrum, in the least-squares sense.

        Griffin & Lim (1984), equation 6: windowed inverse transforms, overlapped and added, over
        the sum of the squared windows. From shape (frames, bins) to ((frames - 1) * hop_length,).
        """
        summed = self._empty(len(spectrum))
        for start in range(0, len(spectrum), BLOCK_FRAMES):
            self._add(summed, spectrum[start : start + BLOCK_FRAMES], start)
        return self._trimmed(summed, len(spectrum))

    def modify(self, waveform: Floats, change: Callable[[Spectrum, slice], Spectrum]) -> Floats:
        """Analyse, change each block of the spectrum, synthesise: in threads, nothing stored.

        Parameters
        ----------
        waveform : ndarray of float32, shape (samples,)
            Its length must be a multiple of `hop_length`; the result is as long.
        change : callable
            Takes a block of spectra, shape (n, bins), and the slice of frames that it is; gives the
            new block. It may overwrite its argument.
        """
        frames = self.frames(waveform)

        def span(first: int) -> Floats:
            part = frames[first : first + SPAN_FRAMES]
            summed = self._empty(len(part))
            for where, spectra in self.blocks(part):
                there = slice(first + where.start, first + where.start + len(spectra))
                self._add(summed, change(spectra, there), where.start)
            return summed

        summed = self._empty(len(frames))
        starts = range(0, len(frames), SPAN_FRAMES)
        for first, part in zip(starts, _threads().map(span, starts), strict=True):
            summed[first : first + len(part)] += part
        return self._trimmed(summed, len(frames))

    # A sum of overlapping frames is kept as rows of one hop: row n begins where frame n begins.

    @property
    def _rows(self) -> int:
        return -(-self.n_fft // self.hop_length)

    def _empty(self, frames: int) -> Floats:
        return np.zeros((frames + self._rows - 1, self.hop_length), np.float32)

    def _add(self, summed: Floats, spectra: Spectrum, start: int) -> None:
        """Add the windowed inverse transforms of a block whose first frame is number `start`."""
        frames = scipy.fft.irfft(spectra, self.n_fft, axis=-1)
        frames *= self.window
        self._overlap(summed, frames, start)

    def _overlap(self, summed: Floats, frames: Floats, start: int) -> None:
        # Hop by hop: eight additions of whole columns instead of one addition a frame.
        for row in range(self._rows):
            piece = frames[:, row * self.hop_length : (row + 1) * self.hop_length]
            first = start + row
            summed[first : first + len(frames), : piece.shape[1]] += piece

    def _trimmed(self, summed: Floats, frames: int) -> Floats:
        begin = self.n_fft // 2
        inner = slice(begin, begin + (frames - 1) * self.hop_length)
        waveform: Floats = summed.reshape(-1)[inner] / self._window_sum(frames)[inner]
        return waveform

    @cache  # noqa: B019 (grids are few and live as long as the program)
    def _window_sum(self, frames: int) -> Floats:
        summed = self._empty(frames)
        self._overlap(summed, np.broadcast_to(self.window**2, (frames, self.n_fft)), 0)
        return summed.reshape(-1)
