"""Notebook 01: frames, decibels, a beat, and tracks in two splits."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lildata_utils.course.exercises import Exercise


def count_frames(n_samples: int, hop: int) -> int:
    """Count the centred frames: one at sample 0 and one every hop (notebook 01)."""
    return n_samples // hop + 1


def _hint_for_frames(found: Any, answer: Any, n_samples: int, hop: int) -> str:
    if found == n_samples / hop:
        return "you counted the steps; a fence with 630 gaps has one more post than gaps"
    if found != 631:
        return f"5 s at a hop of 175 gave {found}; the course's images have 631"
    if answer(1000, 300) != 4:
        return f"1000 samples at a hop of 300 gave {answer(1000, 300)}: frames at 0, 300, 600, 900"
    return ""


def decibels_below_peak(magnitude: np.ndarray) -> np.ndarray:
    """Express magnitudes in decibels below the largest, cut off at -80 (notebook 01)."""
    ratio = magnitude / magnitude.max()
    return 20 * np.log10(np.maximum(ratio, 1e-4))


def _hint_for_decibels(found: Any, answer: Any, magnitude: np.ndarray) -> str:
    found = np.asarray(found, dtype=float)
    if found.shape != magnitude.shape:
        return f"the shape changed from {magnitude.shape} to {found.shape}"
    if np.isclose(found[0, 1], -10):
        return "a tenth of a magnitude gave -10 dB: ten times the logarithm is for power, not this"
    if not np.isclose(found[0, 0], 0):
        return f"the largest magnitude gave {found[0, 0]:.1f} dB: divide by the maximum first"
    if not np.isfinite(found[1, 1]) or found[1, 1] < -80.01:
        return "magnitude 0 must not give minus infinity: nothing goes below -80"
    if not np.allclose(found, [[0, -20], [-40, -80]], atol=0.01):
        return f"2, 0.2, 0.02 and 0 should give 0, -20, -40 and -80, not {found.ravel().round(1)}"
    return ""


def house_groove() -> dict[str, str]:
    """Write four on the floor, claps on two and four, open hats off the beat (notebook 01)."""
    return {
        "kick": "x...x...x...x...",
        "clap": "....x.......x...",
        "open_hat": "..x...x...x...x.",
        "shaker": "o.oxo.oxo.oxo.ox",
    }


def _hint_for_groove(found: Any, answer: Any) -> str:
    groove = found() if callable(found) else found
    if not isinstance(groove, Mapping):
        return 'a groove is a dictionary such as {"kick": "x...x...x...x..."}'
    for drum, steps in groove.items():
        if len(steps) not in (16, 32) or set(steps) - set(".oxX23456"):
            return f"{drum}: write 16 or 32 steps of . o x X or a digit 2 to 6, not {steps!r}"
    kick, hat = groove.get("kick", ""), groove.get("open_hat", groove.get("hat", ""))
    if not kick or any(kick[beat::16].strip("xX") for beat in (0, 4, 8, 12)):
        return "house stands on a kick on every beat: steps 1, 5, 9 and 13"
    claps = groove.get("clap", "") or groove.get("snare", "")
    if not claps or any(claps[beat::16].strip("xX") for beat in (4, 12)):
        return "the kicks are right; now claps on beats two and four: steps 5 and 13"
    if not hat or any(set(hat[beat::16]) == {"."} for beat in (2, 6, 10, 14)):
        return "kicks and claps are right; now hats between the kicks: steps 3, 7, 11 and 15"
    return ""


def leaking_tracks(clips: pd.DataFrame) -> list[str]:
    """Find the tracks that have clips both in train and in test (notebook 01)."""
    train = set(clips[clips["split"] == "train"]["track"])
    test = set(clips[clips["split"] == "test"]["track"])
    return sorted(train & test)


def _hint_for_leaks(found: Any, answer: Any, clips: pd.DataFrame) -> str:
    found = sorted(found)
    if found == ["a", "b"]:
        return "track b is in train and validation; only train and test are asked for"
    if found != ["a"]:
        return f"of a, b, c, d only a is in both train and test; you found {', '.join(found)}"
    return ""


MAGNITUDE = np.array([[2.0, 0.2], [0.02, 0.0]])
CLIPS = pd.DataFrame(
    {
        "track": ["a", "a", "b", "b", "c", "c", "d"],
        "split": ["train", "test", "train", "validation", "test", "test", "train"],
    }
)
EXERCISES = {
    "1.1": Exercise(count_frames, _hint_for_frames, (110_250, 175)),
    "1.2": Exercise(decibels_below_peak, _hint_for_decibels, (MAGNITUDE,)),
    "1.3": Exercise(house_groove, _hint_for_groove, None),
    "1.4": Exercise(leaking_tracks, _hint_for_leaks, (CLIPS,)),
}
