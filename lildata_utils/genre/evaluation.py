"""How good is a classifier: accuracy with an interval, confusion, mistakes and a baseline.

Clips of one track resemble each other, so a hundred clips of ten tracks are nearer to ten
observations than to a hundred. Intervals are therefore drawn over tracks, and next to the accuracy
by clip stands the accuracy by track. Notebook 02 and `lildata test` use this module.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.files import write_json, written_beside
from lildata_utils.sound import spectrogram

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RESAMPLES = 10_000
TINY = 1e-7  # keeps the loss finite where a probability is rounded to zero, as Keras does

N_MELS = 64
N_MFCC = 20


@dataclass(frozen=True)
class Report:
    """What `evaluate` found; `report.json` holds the same names.

    Attributes
    ----------
    accuracy : float
        Share of the clips whose most probable genre is their genre.
    interval95 : tuple of float or None
        95 % interval of `accuracy`, by bootstrap over tracks; None with fewer than two tracks.
    track_accuracy : float
        Share of the tracks that are right by vote of their clips.
    track_interval95 : tuple of float or None
        95 % interval of `track_accuracy`.
    macro_f1 : float
        Mean of the genres' F1 values, each genre with equal weight.
    loss : float
        Mean cross-entropy in nats: minus the logarithm of the true genre's probability.
    majority_accuracy : float
        What an answer that is always these clips' most frequent genre would reach.
    genres : tuple of str
        In label order.
    per_genre : dict
        For each genre ``precision``, ``recall``, ``f1``, ``clips`` and ``tracks``.
    confusion : list of list of int
        Clips by true genre (row) and predicted genre (column).
    clips, tracks : int
        How many were tested.
    split : str
        Which splits they came from, ``"test"`` for example.
    """

    accuracy: float
    interval95: tuple[float, float] | None
    track_accuracy: float
    track_interval95: tuple[float, float] | None
    macro_f1: float
    loss: float
    majority_accuracy: float
    genres: tuple[str, ...]
    per_genre: dict[str, dict[str, float]]
    confusion: list[list[int]]
    clips: int
    tracks: int
    split: str

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
    """Compare a classifier's probabilities with the genres of a data set.

    Parameters
    ----------
    probabilities : ndarray, shape (n, genres)
        One row a clip in the order of `dataset`, in [0, 1], rows summing to 1.
    dataset : Dataset
        The clips that were classified.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Report

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
    """Give each track of a data set a number.

    Returns
    -------
    ndarray of int64, shape (n,)
        For each clip the number of its track, 0 to tracks - 1. Tracks are told apart by genre,
        artist and title, since two artists may use one title.
    """
    return dataset.clips.groupby(["genre", "artist", "track"], sort=False).ngroup().to_numpy()


def vote(probabilities: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """Join the clips of each track: the plain mean of their probabilities.

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

    Examples
    --------
    >>> vote(np.array([[1.0, 0.0], [0.4, 0.6], [0.2, 0.8]]), np.array([0, 0, 1]))
    array([[0.7, 0.3],
           [0.2, 0.8]])
    """
    clips = np.bincount(tracks)
    sums = [np.bincount(tracks, weights=column) for column in probabilities.T]
    return np.stack(sums, axis=1) / clips[:, np.newaxis]


def bootstrap_interval(
    right: np.ndarray, tracks: np.ndarray, seed: int = 0
) -> tuple[float, float] | None:
    """Estimate the 95 % interval of an accuracy by bootstrap over tracks.

    Whole tracks are drawn with replacement (the cluster bootstrap; Davison & Hinkley 1997,
    "Bootstrap Methods and their Application", section 3.8), `RESAMPLES` times; the interval runs
    from the 2.5th to the 97.5th percentile of the accuracies. Where all or no clips are right every
    draw is the same and the interval has no width: it can't tell 10 tracks from 1000 there.

    Parameters
    ----------
    right : ndarray of bool, shape (n,)
        Whether each clip was classified rightly.
    tracks : ndarray of int, shape (n,)
        The track of each clip, 0 to tracks - 1.
    seed : int
        Seed of the draws.

    Returns
    -------
    tuple of float or None
        Lower and upper end in [0, 1]; None with fewer than two tracks, which say nothing of the
        spread between tracks.

    Examples
    --------
    >>> right = np.array([True, True, False, False])
    >>> bootstrap_interval(right, np.array([0, 0, 1, 1]))
    (0.0, 1.0)
    """
    clips = np.bincount(tracks)
    if len(clips) < 2:
        return None
    right_clips = np.bincount(tracks, weights=right)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(len(clips), np.full(len(clips), 1 / len(clips)), size=RESAMPLES)
    accuracies = (draws @ right_clips) / (draws @ clips)
    low, high = np.percentile(accuracies, [2.5, 97.5])
    return float(low), float(high)


def mistakes(probabilities: np.ndarray, dataset: Dataset) -> pd.DataFrame:
    """List the clips that were classified wrongly, the worst first.

    Worst is the clip whose true genre was given the smallest probability, which is the clip that
    adds most to the loss.

    Parameters
    ----------
    probabilities : ndarray, shape (n, genres)
        One row a clip in the order of `dataset`.
    dataset : Dataset
        The clips that were classified.

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
    """Find the pairs of genres that are taken for each other most often.

    Parameters
    ----------
    report : Report
        What `evaluate` found.
    count : int
        At most so many pairs.

    Returns
    -------
    list of (str, str, int)
        Two genres and the clips that were confused in either direction, most first.
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


def mfcc_statistics(images: np.ndarray) -> np.ndarray:
    """Describe each spectrogram image by the means and deviations of its MFCCs over time.

    Mel-frequency cepstral coefficients keep the coarse shape of the spectrum and drop the single
    partials (Davis & Mermelstein 1980); their statistics drop the order in time as well. What a
    classifier reaches with them, it reaches without rhythm or melody.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, 631, 631)
        Spectrogram images, as in a data set.

    Returns
    -------
    ndarray of float32, shape (n, 2 * N_MFCC)
        Means, then standard deviations.
    """
    from librosa import power_to_db
    from librosa.feature import mfcc
    from librosa.filters import mel

    decibels = spectrogram.image_to_db(np.arange(256, dtype=np.uint8))
    power = np.power(10.0, decibels / 10.0).astype(np.float32)
    mel_filters = mel(sr=spectrogram.SAMPLE_RATE, n_fft=spectrogram.N_FFT, n_mels=N_MELS)
    statistics = np.empty((len(images), 2 * N_MFCC), np.float32)
    for row, image in zip(statistics, images, strict=True):
        mel_db = power_to_db(mel_filters @ power[image], top_db=-spectrogram.FLOOR_DB)
        coefficients = mfcc(S=mel_db, n_mfcc=N_MFCC)
        row[:N_MFCC] = coefficients.mean(axis=1)
        row[N_MFCC:] = coefficients.std(axis=1)
    return statistics


def mfcc_baseline(train: Dataset, test: Dataset, seed: int = 0) -> np.ndarray:
    """Classify by MFCC statistics and logistic regression, the baseline of the field.

    Parameters
    ----------
    train, test : Dataset
        To fit on and to classify; both with the same genres, at least two.
    seed : int
        Seed of the solver.

    Returns
    -------
    ndarray of float64, shape (n, genres)
        Probabilities for each clip of `test`, ready for `evaluate`.

    Raises
    ------
    LilDataError
        If a genre has no clip in `train`.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    missing = [g for label, g in enumerate(train.genres) if not (train.labels == label).any()]
    if missing or len(train.genres) < 2:
        raise LilDataError(
            f"{train.folder} has no training clips of {', '.join(missing) or 'a second genre'}: "
            "expected at least one of each genre and two genres; add music or choose other genres"
        )
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, max_iter=2000, random_state=seed)
    )
    model.fit(_all_mfcc_statistics(train), train.labels)
    return model.predict_proba(_all_mfcc_statistics(test))


def _all_mfcc_statistics(dataset: Dataset) -> np.ndarray:
    # Batches without a seed come in the order of the data set.
    return np.concatenate([mfcc_statistics(images) for images, _ in dataset.batches(64)])


def write_report(
    folder: Path,
    report: Report,
    mistakes_table: pd.DataFrame,
    confusion_figure: "Figure",
    **provenance: Any,
) -> None:
    """Write `report.json`, `mistakes.csv` and `confusion.png`, each whole or not at all.

    Parameters
    ----------
    folder : Path
        Where to write; made if missing.
    report : Report
        From `evaluate`.
    mistakes_table : DataFrame
        From `mistakes`.
    confusion_figure : Figure
        From `learning_figures.confusion`.
    **provenance
        What else `report.json` shall say: the run, the data set, the seed; anything JSON can hold.
    """
    with written_beside(folder / "confusion.png") as beside:
        confusion_figure.savefig(beside, dpi=150)
    with written_beside(folder / "mistakes.csv") as beside:
        mistakes_table.drop(columns="position").to_csv(beside, index=False, float_format="%.4f")
    # The report comes last: where it stands, the other two stand.
    write_json(folder / "report.json", asdict(report) | provenance)
