"""Notebook 06: spectral convergence, a step of Griffin-Lim, a phase that advances."""

from typing import Any

import numpy as np

from lildata_utils.course.exercises import Exercise
from lildata_utils.sound import spectrogram


def convergence(got: np.ndarray, wanted: np.ndarray) -> float:
    """Compute the spectral convergence in dB (notebook 06)."""
    error = np.linalg.norm(got - wanted) / np.linalg.norm(wanted)
    return float(20 * np.log10(error))


def _hint_for_convergence(found: Any, answer: Any, got: np.ndarray, wanted: np.ndarray) -> str:
    if np.isclose(found, 0.1):
        return "an error of a tenth is right; now in dB: 20 times its logarithm"
    if np.isclose(found, -10):
        return "ten times the logarithm is for energies; this is a ratio of magnitudes"
    if np.isclose(found, 20):
        return "the right size with the wrong sign: turn the fraction round"
    if np.isclose(found, 20 * np.log(0.1)):
        return "decibels use the logarithm to base 10: np.log10"
    if np.isclose(found, 20 * np.log10(0.1 / 0.9)):
        return "divide by the size of what was wanted, not of what you got"
    if not np.isclose(found, -20):
        return f"an error of a tenth gave {float(found):.2f}; it should give -20 dB"
    return ""


def griffin_lim_step(sound: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    """Keep the sound's phases, put the wanted magnitude back in (notebook 06)."""
    phase = np.angle(spectrogram.stft(sound))
    return spectrogram.istft(magnitude * np.exp(1j * phase))


def _hint_for_step(found: Any, answer: Any, sound: np.ndarray, magnitude: np.ndarray) -> str:
    if np.shape(found) != sound.shape:
        return f"a sound of shape {sound.shape} should come back, not {np.shape(found)}"
    if np.allclose(found, sound, atol=1e-4):
        return "the sound came back as it was: replace its magnitude before you go back"
    if np.allclose(found, spectrogram.istft(magnitude * spectrogram.stft(sound)), atol=1e-3):
        return "multiply with the phases alone, np.exp(1j * phase), not with the whole spectrum"
    if np.allclose(found, spectrogram.istft(magnitude), atol=1e-4):
        return "you dropped the phases: keep those of the sound, np.angle gives them"
    if not np.allclose(found, griffin_lim_step(sound, magnitude), atol=1e-4):
        return "not yet: take the sound's phases, combine them with the magnitude, and go back"
    return ""


def advance_per_frame(frequency_hz: float) -> float:
    """Tell by how many radians a tone's phase advances in a hop (notebook 06)."""
    return 2 * np.pi * frequency_hz * spectrogram.HOP_LENGTH / spectrogram.SAMPLE_RATE


def _hint_for_advance(found: Any, answer: Any, frequency_hz: float) -> str:
    if np.isclose(found, 1):
        return "126 Hz is one turn a frame; a turn has 2 pi radians"
    if np.isclose(found, 360):
        return "those are degrees; a turn has 2 pi radians"
    if np.isclose(found, 0):
        return "a whole turn counts: do not take it away"
    if np.isclose(found, 2 * np.pi * 126):
        return "that is the advance in a second; a frame comes every 175 samples"
    if not np.isclose(found, 2 * np.pi):
        return f"126 Hz turned {found:.3f} radians in a frame; 175 samples are 1/126 s"
    if not np.isclose(answer(440.0), 2 * np.pi * 440 / 126):
        return "right for 126 Hz only"
    return ""


WANTED = np.array([[3.0, 0.0], [0.0, 4.0]])
SOUND = np.random.default_rng(0).standard_normal(20 * spectrogram.HOP_LENGTH)
EXERCISES = {
    "6.1": Exercise(convergence, _hint_for_convergence, (0.9 * WANTED, WANTED)),
    "6.2": Exercise(griffin_lim_step, _hint_for_step, (SOUND, spectrogram.magnitude(SOUND[::-1]))),
    "6.3": Exercise(advance_per_frame, _hint_for_advance, (126.0,)),
}
