"""Notebook 02: softmax, a vote of clips, recall."""

from typing import Any

import numpy as np

from lildata_utils.course.exercises import Exercise


def softmax(scores: np.ndarray) -> np.ndarray:
    """Turn the scores of each row into probabilities (notebook 02)."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _hint_for_softmax(found: Any, answer: Any, scores: np.ndarray) -> str:
    found = np.asarray(found)
    if found.shape != scores.shape:
        return f"the shape changed from {scores.shape} to {found.shape}: keepdims=True may help"
    if not np.allclose(found.sum(axis=1), 1):
        return "the rows must sum to 1: divide each row by its own sum"
    if not np.allclose(found, [[0.25, 0.75], [0.5, 0.5]]):
        return f"scores 0 and log 3 should give 0.25 and 0.75, not {found[0].round(3)}"
    if not np.isfinite(answer(np.array([[1000.0, 0.0]]))).all():
        return "right so far, but exp(1000) overflows: subtract each row's maximum first"
    return ""


def verdict(probabilities: np.ndarray) -> int:
    """Let the clips of a track vote: the genre with the largest mean (notebook 02)."""
    return int(probabilities.mean(axis=0).argmax())


def _hint_for_verdict(found: Any, answer: Any, one_sided: np.ndarray) -> str:
    if found != 1:
        return f"both clips favour genre 1, your answer is {found}"
    undecided_twice = np.array([[0.51, 0.49], [0.52, 0.48], [0.0, 1.0]])
    if answer(undecided_twice) == 0:
        return "two clips that hardly know outvoted a sure one: average before you choose"
    doubt = np.array([[0.6, 0.4], [0.6, 0.4], [0.6, 0.4], [0.0, 1.0]])
    sure_of_one = np.array([[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [1e-12, 1.0]])
    if answer(doubt) != 1 or answer(sure_of_one) != 0:
        return "one clip overruled all others: take the mean of the probabilities"
    return ""


def recall(confusion: np.ndarray) -> np.ndarray:
    """Compute for each genre the share of its clips that were recognised (notebook 02)."""
    return np.diag(confusion) / confusion.sum(axis=1)


def _hint_for_recall(found: Any, answer: Any, confusion: np.ndarray) -> str:
    if np.allclose(found, [8 / 11, 1 / 3]):
        return "that is the precision: rows are the true genres, so sum along the rows"
    if not np.allclose(found, [0.8, 0.25]):
        return f"8 of 10 and 1 of 4 are 0.8 and 0.25, not {np.round(found, 3)}"
    return ""


SCORES = np.array([[0.0, np.log(3.0)], [5.0, 5.0]])
ONE_SIDED = np.array([[0.1, 0.9], [0.2, 0.8]])
EXERCISES = {
    "2.1": Exercise(softmax, _hint_for_softmax, (SCORES,)),
    "2.2": Exercise(verdict, _hint_for_verdict, (ONE_SIDED,)),
    "2.3": Exercise(recall, _hint_for_recall, (np.array([[8, 2], [3, 1]]),)),
}
