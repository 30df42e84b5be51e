"""Notebook 07: pooling that is blind to when, bins that a mel band hears, how sure is too sure."""

from typing import Any

import numpy as np

from lildata_utils.course.exercises import Exercise


def pool(features: np.ndarray) -> np.ndarray:
    """Sum a clip up, whenever things sound: mean and maximum of each channel (notebook 07)."""
    return np.concatenate([features.mean(axis=0), features.max(axis=0)])


def _hint_for_pooling(found: Any, answer: Any, features: np.ndarray) -> str:
    found = np.asarray(found)
    frames, channels = features.shape
    if found.shape == (2 * frames,):
        return "a number for each frame still knows when: pool over time, axis=0"
    if found.shape == (2, channels):
        return "all numbers are there; put them in one row, first the means: np.concatenate"
    if found.shape != (2 * channels,):
        return (
            f"{channels} means and {channels} maxima are {2 * channels} numbers, not {found.shape}"
        )
    if not np.allclose(answer(np.roll(features, 1, axis=0)), found):
        return "rolled by a frame, the clip gives other numbers: take nothing from a fixed place"
    if np.allclose(found, np.roll(pool(features), channels)):
        return "right numbers, but the means come first"
    if not np.allclose(found, pool(features)):
        return f"channel 0 is {features[:, 0].tolist()}: mean 1, maximum 3"
    if not np.allclose(answer(-features), pool(-features)):
        return "right for these, wrong where features are negative: the maximum of what is there"
    return ""


def bins_of_band(low_hz: float, high_hz: float, bin_hz: float) -> np.ndarray:
    """Find the bins that lie inside a band, its edges left out (notebook 07)."""
    bins = np.arange(int(high_hz / bin_hz) + 2)
    return bins[(bins * bin_hz > low_hz) & (bins * bin_hz < high_hz)]


def _hint_for_bins(found: Any, answer: Any, low: float, high: float, bin_hz: float) -> str:
    found = np.ravel(found)
    if np.issubdtype(found.dtype, np.floating) and set(found) == {70.0, 87.5}:
        return "these are their frequencies; the numbers of the bins are asked for"
    if list(found) in ([3, 4, 5], [3, 4, 5, 6]) or list(found) == [3, 4, 6]:
        return "bin 3 is at 52.5 Hz, below the band's lower edge of 60 Hz"
    if list(found) in ([4, 5, 6], [4, 5, 6, 7]):
        return "bin 6 is at 105 Hz, above the band's upper edge of 100 Hz"
    if list(found) != [4, 5]:
        return f"bin n is at n * {bin_hz} Hz: between {low:g} and {high:g} Hz are bins 4 and 5"
    if list(np.ravel(answer(35.0, 70.0, 17.5))) != [3]:
        return "right here; but at its very edges a triangle is 0: from 35 to 70 Hz, only bin 3"
    if np.size(answer(56.0, 69.0, 17.5)):
        return "right here; but a band from 56 to 69 Hz is so narrow that it hears no bin at all"
    return ""


def calibration_error(sure: np.ndarray, right: np.ndarray) -> float:
    """Compare, tenth by tenth, how sure answers are and how many are right (notebook 07)."""
    tenth = np.minimum((sure * 10).astype(int), 9)
    gaps = [
        abs(sure[tenth == number].mean() - right[tenth == number].mean()) * (tenth == number).mean()
        for number in np.unique(tenth)
    ]
    return float(sum(gaps))


def _hint_for_calibration(found: Any, answer: Any, sure: np.ndarray, right: np.ndarray) -> str:
    if np.ndim(found) != 0:
        return f"one number for all answers, not {np.shape(found)}: sum over the tenths"
    if np.isnan(found):
        return "a tenth without answers has no mean: leave it out"
    if np.isclose(found, abs(sure.mean() - right.mean())):
        return "too timid here and too bold there cancel out: take the gap of each tenth by itself"
    if np.isclose(found, np.abs(sure - right).mean()):
        return "no single answer is 0.95 right: compare means, of the answers in the same tenth"
    if np.isclose(found, (0.45 + 0.2) / 2):
        return "the tenths hold 2 and 8 of 10 answers: weigh each gap by its share of them"
    if np.isclose(found, 2 * 0.45 + 8 * 0.2):
        return "weigh by the share of the answers, not by their number: divide by 10"
    if not np.isclose(found, calibration_error(sure, right)):
        return f"a fifth has a gap of 0.45, the rest one of 0.2: that is 0.25, not {found:.4g}"
    if not np.isclose(answer(np.array([1.0, 1.0]), np.array([1, 0])), 0.5):
        return "right here; but an answer that is wholly sure (1.0) must count in the last tenth"
    return ""


FEATURES = np.array([[3.0, 1.0], [0.0, 1.0], [0.0, 4.0]])
# Twice too timid, eight times too bold.
SURE = np.array([0.55, 0.55, *[0.95] * 8])
RIGHT = np.array([1, 1, *[1] * 6, 0, 0])
EXERCISES = {
    "7.1": Exercise(pool, _hint_for_pooling, (FEATURES,)),
    "7.2": Exercise(bins_of_band, _hint_for_bins, (60.0, 100.0, 17.5)),
    "7.3": Exercise(calibration_error, _hint_for_calibration, (SURE, RIGHT)),
}
