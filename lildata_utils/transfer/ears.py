"""What hearing a score is made of: attacks, notes, and two small networks that learned the crate.

One says where in a bar folded from many the bar begins, and so which of several tempos fits. The
other says a beat's chord. Both do the same for every shift, of time or of pitch, so they need few
weights; `experiments/hearing.py` lets them learn.
"""

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np
from librosa import stft
from numpy.typing import NDArray

from lildata_utils.crate.patterns import TRIADS, Chord
from lildata_utils.errors import LilDataError
from lildata_utils.files import PRETRAINED, check_zip
from lildata_utils.sound.spectrogram import BIN_HZ, FRAME_S, N_BINS, SAMPLE_RATE, Floats, magnitude

SHIPPED = PRETRAINED / "hearing" / "ears.npz"
# Attacks: bands from kick to cymbals.
ATTACK_HZ = (20.0, 120.0, 300.0, 800.0, 2000.0, 5000.0, 11_025.0)
TEMPOS_BPM = np.geomspace(60, 215, 640)
# Of the tempos that fit about as well, most likely is one that people tap.
TAPPED_BPM, TAPPED_OCTAVES = 125.0, 0.9
# A beat repeats, and what is half, a quarter and an eighth of it, with so much weight.
SUBDIVISIONS = {1: 1.0, 2: 1.0, 4: 1.0, 8: 0.5}
CANDIDATES = 4
STEPS = 48  # of a folded bar
# Notes: semitones of long windows, so that bass notes are apart.
NOTE_FFT, NOTE_HOP, LOWEST_NOTE, NOTES = 8192, 1024, 24, 72
NOTES_ABOVE_ROOT = 60
QUALITIES = tuple(TRIADS.values())
CHORDS = tuple(Chord(root, quality) for root in range(12) for quality in QUALITIES)


@dataclass(frozen=True)
class Ears:
    """The weights of the two networks (notebook 09)."""

    # Of the bar: a kernel of shape (STEPS, bands, units) is laid at every step.
    bar_kernel: Floats
    bar_bias: Floats
    bar_output: Floats
    # Of the chord: notes of three beats as seen from each root, shape (3 * NOTES_ABOVE_ROOT,).
    note_mean: Floats
    note_deviation: Floats
    chord_kernel: Floats
    chord_bias: Floats
    chord_output: Floats
    chord_output_bias: Floats

    def bar(self, folded: Floats) -> Floats:
        """Say how well the bar begins at each step; (tempos, bands, STEPS) to (tempos, STEPS)."""
        shifts = (np.arange(STEPS)[:, None] + np.arange(STEPS)) % STEPS
        seen = folded[:, :, shifts]  # tempos, bands, first step, step
        units = np.einsum("tbfs,sbu->tfu", seen, self.bar_kernel, optimize=True) + self.bar_bias
        return np.maximum(units, 0) @ self.bar_output

    def chords(self, levels: Floats) -> Floats:
        """Give each chord's log probability on each beat; (beats, NOTES) to (beats, chords)."""
        seen = (from_each_root(levels) - self.note_mean) / self.note_deviation
        units = np.maximum(seen @ self.chord_kernel + self.chord_bias, 0)
        logits = (units @ self.chord_output + self.chord_output_bias).reshape(
            len(levels), len(CHORDS)
        )
        logits -= logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@cache
def load_ears(path: Path = SHIPPED) -> Ears:
    """Open the weights, once (notebook 09).

    Raises
    ------
    LilDataError
        If they are missing or broken.
    """
    if not path.is_file():
        raise LilDataError(f"{path} is missing: expected what experiments/hearing.py wrote")
    check_zip(path)
    with np.load(path) as arrays:
        return Ears(**{field.name: arrays[field.name] for field in fields(Ears)})


def attacks(waveform: Floats) -> Floats:
    """Measure how much louder each band gets, frame by frame, in its own deviations (notebook 09).

    float32, shape (bands, frames); a frame takes 7.94 ms.
    """
    power = magnitude(waveform) ** 2
    edges = np.round(np.array(ATTACK_HZ) / BIN_HZ).astype(int)
    edges[-1] = N_BINS
    bands = np.add.reduceat(power, edges[:-1], axis=0)
    level = np.log10(bands / max(float(bands.max()), 1e-9) + 1e-5)
    rises = np.pad(np.maximum(level[:, 2:] - level[:, :-2], 0), ((0, 0), (2, 0)))
    rises -= rises.mean(axis=1, keepdims=True)
    return (rises / (rises.std(axis=1, keepdims=True) + 0.1)).astype(np.float32)


def tempo_salience(rises: Floats) -> Floats:
    """Say how regularly attacks come at each of `TEMPOS_BPM` (notebook 09)."""
    frames = rises.shape[1]
    size = 1 << (16 * frames).bit_length()
    spectrum = np.abs(np.fft.rfft(rises * np.hanning(frames), size, axis=1)).sum(axis=0) / frames
    hertz = np.fft.rfftfreq(size, FRAME_S)
    strength = sum(
        weight * np.interp(times * TEMPOS_BPM / 60, hertz, spectrum)
        for times, weight in SUBDIVISIONS.items()
    )
    away = np.log2(TEMPOS_BPM / TAPPED_BPM) / TAPPED_OCTAVES
    return strength * np.exp(-0.5 * away**2)


def tempo_candidates(salience: Floats) -> NDArray[np.float64]:
    """Choose the tempos at the highest peaks, best first (notebook 09)."""
    inner = salience[1:-1]
    peaks = np.flatnonzero((inner > salience[:-2]) & (inner >= salience[2:])) + 1
    if not len(peaks):
        peaks = np.array([int(salience.argmax())])
    return TEMPOS_BPM[peaks[np.argsort(-salience[peaks])][:CANDIDATES]]


def fold(rises: Floats, bar_s: float) -> Floats:
    """Lay bars over one another, (bands, frames) to (bands, STEPS) (notebook 09)."""
    step = np.floor(np.arange(rises.shape[1]) * FRAME_S / bar_s * STEPS + 0.5).astype(int) % STEPS
    count = np.maximum(np.bincount(step, minlength=STEPS), 1)
    return np.stack([np.bincount(step, band, STEPS) / count for band in rises]).astype(np.float32)


@cache
def _note_bank() -> Floats:
    """Triangles around each note, as wide as a semitone or a bin; shape (NOTES, bins)."""
    hertz = np.arange(NOTE_FFT // 2 + 1) * SAMPLE_RATE / NOTE_FFT
    centre = 440 * 2 ** ((np.arange(LOWEST_NOTE, LOWEST_NOTE + NOTES) - 69) / 12)
    width = np.maximum(centre * (2 ** (1 / 12) - 1), hertz[1])
    weights = np.maximum(1 - np.abs(hertz - centre[:, None]) / width[:, None], 0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def notes(waveform: Floats) -> Floats:
    """Measure the level of each semitone from C1 on; shape (NOTES, frames) (notebook 09).

    A frame every 1024 samples; decades below the loudest, at least -6.
    """
    spectrum = stft(np.asarray(waveform, np.float32), n_fft=NOTE_FFT, hop_length=NOTE_HOP)
    power = _note_bank() @ np.abs(spectrum) ** 2
    return np.log10(power / max(float(power.max()), 1e-9) + 1e-6).astype(np.float32)


def by_beat(levels: Floats, beats_s: NDArray[np.float64]) -> Floats:
    """Average notes over each beat; shape (beats, NOTES) (notebook 09)."""
    times_s = np.arange(levels.shape[1]) * NOTE_HOP / SAMPLE_RATE
    edges = np.searchsorted(times_s, beats_s)
    first = np.minimum(edges[:-1], len(times_s) - 1)
    last = np.clip(edges[1:], first + 1, len(times_s))
    summed = np.cumsum(np.pad(levels, ((0, 0), (1, 0))), axis=1, dtype=np.float64)
    return ((summed[:, last] - summed[:, first]) / (last - first)).T.astype(np.float32)


def from_each_root(levels: Floats) -> Floats:
    """Show a beat and its neighbours as seen from each of twelve roots (notebook 09).

    (beats, NOTES) to (beats, 12, 3 * NOTES_ABOVE_ROOT); a beat's mean is taken away.
    """
    levels = levels - levels.mean(axis=1, keepdims=True)
    padded = np.pad(levels, ((1, 1), (0, 0)), mode="edge")
    near = np.stack([padded[:-2], padded[1:-1], padded[2:]], axis=1)
    roots = [near[:, :, root : root + NOTES_ABOVE_ROOT] for root in range(12)]
    return np.stack(roots, axis=1).reshape(len(levels), 12, -1)
