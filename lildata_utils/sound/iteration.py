"""Griffin & Lim's iteration and its faster kin; spectra are frame after frame, (frames, bins)."""

from collections.abc import Iterator

import numpy as np

from lildata_utils.sound.settings import METHODS
from lildata_utils.sound.stft import Floats, Grid, Spectrum

SMALLEST = np.float32(1e-20)


def impose(spectra: Spectrum, target: Floats) -> Spectrum:
    """Give spectra the wanted magnitudes, keep their phases (notebook 06); overwrites `spectra`."""
    scale = np.abs(spectra)
    np.maximum(scale, SMALLEST, out=scale)
    np.divide(target, scale, out=scale)
    spectra *= scale
    return spectra


def iterate(grid: Grid, target: Floats, start: Floats, method: str) -> Iterator[Floats]:
    """Yield sound after sound, each nearer to the target, by one of `METHODS` (notebook 06).

    Momentum is taken on waveforms instead of spectra: it is the same, as the transform is linear,
    and there are seven times fewer numbers.
    """
    alpha, beta, gamma = METHODS[method]
    before = ahead = further = start
    while True:
        projected = grid.modify(ahead, lambda spectra, where: impose(spectra, target[where]))
        now = (1 - gamma) * further + gamma * projected
        ahead = now + alpha * (now - before)
        further = now + beta * (now - before)
        before = now
        yield now
