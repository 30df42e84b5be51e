"""How good is a classifier: accuracy with an interval, confusion and mistakes.

Clips of one track resemble each other, so a hundred clips of ten tracks are nearer to ten
observations than to a hundred. Intervals are therefore drawn over tracks, and next to the accuracy
by clip stands the accuracy by track. Notebook 02 and `lildata test` use this module.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.files import write_json, written_beside
from lildata_utils.genre.intervals import bootstrap_interval

TINY = 1e-7  # keeps the loss finite where a probability is rounded to zero, as Keras does


@dataclass(frozen=True)
class Report:
    """What `evaluate` found; `report.json` holds the same names (notebook 02)."""

    # Share of the clips whose most probable genre is theirs; of the tracks, by their clips' vote.
    accuracy: float
    # 95 % intervals, by bootstrap over tracks; None with fewer than two tracks.
    interval95: tuple[float, float] | None
    track_accuracy: float
    track_interval95: tuple[float, float] | None
    macro_f1: float  # Mean of the genres' F1 values, each genre with equal weight
    loss: float  # Mean cross-entropy in nats: minus the logarithm of the true genre's probability
    # What an answer that is always these clips' most frequent genre would reach.
    majority_accuracy: float
    genres: tuple[str, ...]  # In label order
    # For each genre ``precision``, ``recall``, ``f1``, ``clips`` and ``tracks``.
    per_genre: dict[str, dict[str, float]]
    confusion: list[list[int]]  # Clips by true genre (row) and predicted genre (column)
    # How many were tested.
    clips: int
    tracks: int
    split: str  # Which splits they came from, ``"test"`` for example

    def __str__(self) -> str:
        """Say the main figures in two lines."""
        return (
            f"clips  {_percent(self.accuracy, self.interval95)} of {self.clips}\n"
            f"tracks {_percent(self.track_accuracy, self.track_interval95)} of {self.tracks}"
        )


def _percent(share: float, interval: tuple[float, float] | None) -> str:
    if interval is None:
        return f"{share:.1%}"
    return f"{share:.1%} (95 % interval {interval[0]:.1%} to {interval[1]:.1%})"


def evaluate(probabilities: np.ndarray, dataset: Dataset, seed: int = 0) -> Report:
    """Compare a classifier's probabilities with the genres of a data set (notebook 02).

    Parameters
    ----------
    probabilities : ndarray, shape (n, genres)
        One row a clip in the order of `dataset`, in [0, 1], rows summing to 1.
    dataset : Dataset
        The clips that were classified.
    seed : int
        Seed of the bootstrap.

    Raises
    ------
    LilDataError
        If there are no clips, or the shapes don't belong together.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    labels = _checked_labels(probabilities, dataset)
    predicted = probabilities.argmax(axis=1)
    true_probability = probabilities[np.arange(len(labels)), labels]
    every_label = np.arange(len(dataset.genres))
    confusion = confusion_matrix(labels, predicted, labels=every_label)
    precision, recall, f1, clips = precision_recall_fscore_support(
        labels, predicted, labels=every_label, zero_division=0.0
    )
    # A genre without a clip has no F1: leave it out of the mean instead of counting a zero.
    macro_f1 = f1[clips > 0].mean()

    tracks = track_numbers(dataset)
    track_labels = labels[np.unique(tracks, return_index=True)[1]]
    track_right = vote(probabilities, tracks).argmax(axis=1) == track_labels
    tracks_by_genre = np.bincount(track_labels, minlength=len(dataset.genres))
    right = predicted == labels
    one_a_track = np.arange(len(track_right))
    return Report(
        accuracy=float(right.mean()),
        interval95=bootstrap_interval(right, tracks, seed),
        track_accuracy=float(track_right.mean()),
        track_interval95=bootstrap_interval(track_right, one_a_track, seed),
        macro_f1=float(macro_f1),
        loss=float(-np.log(np.maximum(true_probability, TINY)).mean()),
        majority_accuracy=float(clips.max() / clips.sum()),
        genres=tuple(dataset.genres),
        per_genre={
            genre: {
                "precision": float(precision[label]),
                "recall": float(recall[label]),
                "f1": float(f1[label]),
                "clips": int(clips[label]),
                "tracks": int(tracks_by_genre[label]),
            }
            for label, genre in enumerate(dataset.genres)
        },
        confusion=confusion.tolist(),
        clips=len(labels),
        tracks=len(track_right),
        split=", ".join(dataset.clips["split"].unique()),
    )


def _checked_labels(probabilities: np.ndarray, dataset: Dataset) -> np.ndarray:
    labels = dataset.labels
    expected = (len(labels), len(dataset.genres))
    if len(labels) == 0:
        raise LilDataError(
            f"{dataset.folder} has no clips to test in this selection: expected at least one; "
            "choose another split or genres"
        )
    if probabilities.shape != expected:
        raise LilDataError(
            f"the probabilities have the shape {probabilities.shape}: expected {expected}, "
            "a row for each clip and a column for each genre"
        )
    if not np.isfinite(probabilities).all():
        raise LilDataError(
            "the probabilities hold NaN or infinite values: expected numbers from 0 to 1; "
            "the network has diverged, train it again with a smaller learning rate"
        )
    return labels


def track_numbers(dataset: Dataset) -> np.ndarray:
    """Give each clip of a data set the number of its track, 0 to tracks - 1 (notebook 03).

    Tracks are told apart by genre, artist and title, since two artists may use one title.
    """
    return dataset.clips.groupby(["genre", "artist", "track"], sort=False).ngroup().to_numpy()


def vote(probabilities: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """Join the clips of each track: the plain mean of their probabilities (notebook 02).

    The mean of logarithms (the product of the clips' answers) would be right if clips erred
    independently. Clips of one track err together, and one clip with a probability near zero would
    overrule all others; the plain mean limits each clip to its share.

    Parameters
    ----------
    probabilities : ndarray, shape (n, genres)
    tracks : ndarray of int, shape (n,)
        The track of each clip, 0 to tracks - 1.

    Returns
    -------
    ndarray, shape (tracks, genres)
    """
    clips = np.bincount(tracks)
    sums = [np.bincount(tracks, weights=column) for column in probabilities.T]
    return np.stack(sums, axis=1) / clips[:, np.newaxis]


def mistakes(probabilities: np.ndarray, dataset: Dataset) -> pd.DataFrame:
    """List the clips that were classified wrongly, the worst first (notebook 02).

    Worst is the clip whose true genre was given the smallest probability, which is the clip that
    adds most to the loss.

    Returns
    -------
    DataFrame
        Columns ``id``, ``genre``, ``predicted``, ``probability`` (of the predicted genre),
        ``genre_probability`` (of the true one), ``artist``, ``track``, ``start_s`` and ``position``
        (of the clip in `dataset`).
    """
    labels = _checked_labels(probabilities, dataset)
    predicted = probabilities.argmax(axis=1)
    rows = np.arange(len(labels))
    table = dataset.clips[["id", "genre", "artist", "track", "start_s"]].reset_index(drop=True)
    table.insert(2, "predicted", np.array(dataset.genres)[predicted])
    table.insert(3, "probability", probabilities[rows, predicted])
    table.insert(4, "genre_probability", probabilities[rows, labels])
    table["position"] = rows
    wrong = table[predicted != labels]
    return wrong.sort_values("genre_probability", kind="stable").reset_index(drop=True)


def most_confused_pairs(report: Report, count: int = 3) -> list[tuple[str, str, int]]:
    """Find the pairs of genres most often taken for each other, most first (notebook 02).

    Returns
    -------
    list of (str, str, int)
        Two genres and the clips that were confused in either direction.
    """
    confusion = np.array(report.confusion)
    both_ways = confusion + confusion.T
    first, second = np.triu_indices(len(confusion), k=1)
    order = np.argsort(-both_ways[first, second], kind="stable")[:count]
    return [
        (report.genres[i], report.genres[j], int(both_ways[i, j]))
        for i, j in zip(first[order], second[order], strict=True)
        if both_ways[i, j] > 0
    ]


def write_report(
    folder: Path, report: Report, mistakes_table: pd.DataFrame, **provenance: Any
) -> None:
    """Write `mistakes.csv`, then `report.json`, each whole or not at all (notebook 02).

    `provenance` is what else the report shall say: the run, the data set, the seed, the machine;
    anything that JSON can hold.
    """
    with written_beside(folder / "mistakes.csv") as beside:
        mistakes_table.drop(columns="position").to_csv(beside, index=False, float_format="%.4f")
    # The report comes last: where it stands, the rest stands.
    write_json(folder / "report.json", asdict(report) | provenance)
