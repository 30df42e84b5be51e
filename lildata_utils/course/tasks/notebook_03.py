"""Notebook 03: a folded kernel, a moving average, HiResCAM."""

from typing import Any

import numpy as np

from lildata_utils.course.exercises import Exercise


def fold(kernel: np.ndarray) -> np.ndarray:
    """Make one channel of several that always see the same: sum their weights (notebook 03)."""
    return kernel.sum(axis=2, keepdims=True)


def _hint_for_fold(found: Any, answer: Any, kernel: np.ndarray) -> str:
    if np.shape(found) == (7, 7, 4):
        return "the right axis, but a kernel has four: keepdims=True leaves a channel of one"
    if np.shape(found) != (7, 7, 1, 4):
        return f"one channel should be left, shape (7, 7, 1, 4), not {np.shape(found)}"
    if np.allclose(found, kernel.mean(axis=2, keepdims=True)):
        return "the mean gives a third of the output: w1 x + w2 x + w3 x = (w1 + w2 + w3) x"
    if not np.allclose(found, fold(kernel)):
        return "the shape is right; take w1 x + w2 x + w3 x and put x outside the brackets"
    return ""


def steps_to_forget(momentum: float, share: float) -> int:
    """Count the steps until less than a share of an average's start is left (notebook 03)."""
    return int(np.ceil(np.log(share) / np.log(momentum)))


def _hint_for_forgetting(found: Any, answer: Any, momentum: float, share: float) -> str:
    if found in (1, 2):
        return "a step takes away only 1 % of what is left, not the start as a whole"
    if found in (99, 100):
        return "after 100 steps 0.99 ** 100 = 37 % are left: each step takes 1 % of the rest"
    if found == 458:
        return "0.99 ** 458 = 1.002 %: not below 1 % yet, round up"
    if found != 459:
        return f"0.99 ** {found} is {0.99**found:.2%}; find the first power below 1 %"
    if answer(0.5, 0.1) != 4:
        return "right for 0.99 and 1 %; with 0.5 and 10 % it takes 4 steps (0.5 ** 4 = 6 %)"
    return ""


def hires_cam(features: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Multiply place by place, and only then sum over the channels (notebook 03)."""
    cam = np.maximum((features * slopes).sum(axis=-1), 0)
    return cam / max(cam.max(), 1e-12)


def _hint_for_hires_cam(found: Any, answer: Any, features: np.ndarray, slopes: np.ndarray) -> str:
    found = np.asarray(found)
    if found.shape != (3, 3):
        return f"a map has a number a place, shape (3, 3), not {found.shape}: sum the channels"
    if found[2, 2] > 0:
        return "the feature at the lower right counts for nothing: do not average the slopes"
    if found[1, 1] < 0:
        return "what speaks against the genre is no evidence for it: np.maximum(..., 0)"
    if np.isclose(found[0, 0], 18):
        return "right but for the scale: divide by the largest, so that the peak is 1"
    if not np.allclose(found, hires_cam(features, slopes)):
        return f"only the upper left counts, with 1; your map is {found.round(2).tolist()}"
    return ""


KERNEL = np.random.default_rng(0).integers(-9, 10, (7, 7, 3, 4)).astype(float)
# A feature that is in both corners and counts in one; the other one speaks against.
FEATURES, SLOPES = np.zeros((2, 3, 3, 2))
FEATURES[0, 0, 0] = FEATURES[2, 2, 0] = FEATURES[1, 1, 1] = 2.0
SLOPES[0, 0, 0], SLOPES[1, 1, 1] = 9.0, -1.0
EXERCISES = {
    "3.1": Exercise(fold, _hint_for_fold, (KERNEL,)),
    "3.2": Exercise(steps_to_forget, _hint_for_forgetting, (0.99, 0.01)),
    "3.3": Exercise(hires_cam, _hint_for_hires_cam, (FEATURES, SLOPES)),
}
