"""Notebook 04: the Gram matrix, a gradient by hand, a style that hears the beat."""

from typing import Any

import numpy as np

from lildata_utils.course.exercises import Exercise

CLOCK_CHANGE = 0.02


def gram(features: np.ndarray) -> np.ndarray:
    """Sum the products of every two channels over all places (notebook 04)."""
    places = features.reshape(-1, features.shape[-1])
    return places.T @ places


def _hint_for_gram(found: Any, answer: Any, features: np.ndarray) -> str:
    if np.shape(found) == (12, 12):
        return "you compared places; turn the product round to compare channels"
    if np.shape(found) != (2, 2):
        return f"two channels give a 2 x 2 matrix, not {np.shape(found)}"
    if np.allclose(found, gram(features) / 12):
        return "no mean, please: the paper's equation divides later"
    if not np.allclose(found, gram(features)):
        return "the shape is right; each entry is the sum over all places of a product"
    return ""


def content_gradient(content_features: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Differentiate half the squared distance (notebook 04)."""
    return features - content_features


def _hint_for_content_gradient(
    found: Any, answer: Any, content: np.ndarray, picture: np.ndarray
) -> str:
    if np.allclose(found, content - picture):
        return "that is the way down; the gradient points up"
    if np.allclose(found, 2 * (picture - content)):
        return "the half in front of the square takes the 2 away"
    if not np.allclose(found, picture - content):
        return f"at 4 with the content at 1 the slope is 3, not {np.ravel(found)[0]:.3g}"
    return ""


def style_with_a_clock(features: np.ndarray) -> np.ndarray:
    """Compare every channel with every channel fifty frames (0.4 s) later (notebook 04)."""
    now, later = features[:, :-50], features[:, 50:]
    return np.einsum("bfk,bfl->kl", now, later) / now.shape[1]


def _hint_for_clock(found: Any, answer: Any, features: np.ndarray) -> str:
    if np.shape(found) != (3, 3):
        return f"three channels should give a 3 x 3 matrix, not {np.shape(found)}"
    if not np.isfinite(found).all() or not np.allclose(answer(features.copy()), found):
        return "the same features must give the same finite numbers every time"
    if np.shape(answer(features[:, :600].copy())) != (3, 3):
        return "clips of other lengths must give the same shape: sum over the frames"
    change = _relative(answer(features[:, SHUFFLED]), found)
    if change < CLOCK_CHANGE:
        return "shuffled frames gave the same: it has no clock yet; compare frames some time apart"
    if _relative(answer(np.roll(features, 437, axis=1)), found) > change / 2:
        return "the same music a bit later gave another style: sum over all frames"
    return ""


def _relative(matrix: Any, reference: Any) -> float:
    """Tell how different two matrices are beside their own spread."""
    spread = max(float(np.std(reference)), 1e-12)
    return float(np.abs(np.asarray(matrix) - reference).max()) / spread


CONTENT, PICTURE = np.array([1.0, 2.0]), np.array([4.0, 2.5])
FEATURES = np.random.default_rng(0).integers(0, 5, (4, 3, 2)).astype(float)
# Three beats of 32, 50 and 80 frames; smooth, and nowhere 0.
BEATS = 1.2 + np.sin(2 * np.pi * np.arange(800)[:, None] / np.array([32, 50, 80]))
RNG = np.random.default_rng(0)
MUSIC = BEATS + 0.1 * RNG.random((6, 800, 3))
SHUFFLED = RNG.permutation(800)
EXERCISES = {
    "4.1": Exercise(gram, _hint_for_gram, (FEATURES,)),
    "4.2": Exercise(content_gradient, _hint_for_content_gradient, (CONTENT, PICTURE)),
    "4.3": Exercise(style_with_a_clock, _hint_for_clock, (MUSIC,)),
}
