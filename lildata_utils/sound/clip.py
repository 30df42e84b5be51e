"""A clip: five seconds of music, heard and seen. The course's central noun."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from lildata_utils.errors import LilDataError
from lildata_utils.sound import audio, spectrogram
from lildata_utils.sound.spectrogram import CLIP_S, CLIP_SAMPLES, Floats, Image

# A clip whose loudest sample is 60 dB below full scale has nothing to learn from.
SILENCE = 10 ** (-60 / 20)


@dataclass(frozen=True)
class Clip:
    """Five seconds of music, heard and seen (notebook 01).

    Attributes
    ----------
    waveform : ndarray of float32, shape (110250,)
        Mono at 22 050 Hz.
    image : ndarray of uint8, shape (631, 631)
        What a network sees.
    peak : float
        Linear magnitude of the loudest bin.
    """

    waveform: Floats
    image: Image
    peak: float


def make_clip(waveform: ArrayLike) -> Clip:
    """Draw five seconds of music: mono at 22 050 Hz, shape (110250,) (notebook 01)."""
    samples = np.asarray(waveform, dtype=np.float32)
    image, peak = spectrogram.to_image(samples)
    return Clip(samples, image, float(peak))


def read_clip(
    path: str | Path, start_s: float = 0.0, tell: Callable[[str], None] | None = None
) -> Clip:
    """Read five seconds of a music file; `tell` as for `audio.read_blocks` (notebook 04).

    Raises
    ------
    LilDataError
        If the file is no music, ends before, or is silent there.
    """
    path = Path(path)
    if not 0 <= start_s < math.inf:
        raise LilDataError(f"{path}: a start of {start_s} s; expected 0 or more")
    waveform = audio.read(path, start_s, CLIP_S, tell)
    if len(waveform) < CLIP_SAMPLES:
        # A damaged file ends before its header says.
        read_s = len(waveform) / spectrogram.SAMPLE_RATE
        length_s = start_s + read_s if read_s else audio.info(path).duration_s
        raise LilDataError(
            f"{path}: {length_s:.1f} s long; {CLIP_S:.0f} s are needed from {start_s:g} s on: "
            "choose an earlier start or a longer file"
        )
    if np.abs(waveform).max() < SILENCE:
        raise LilDataError(f"{path}: silent from {start_s:g} s on: choose another start")
    return make_clip(waveform)
