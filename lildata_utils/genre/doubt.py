"""How far a network's answer can be believed: its temperature, and "none of these" (notebook 07).

A network that learned house and trap must answer house or trap, whatever it hears, and mostly it is
too sure. The temperature makes its probabilities mean what they say (Guo et al. 2017,
arXiv:1706.04599); how far a clip lies from the nearest that was learned says whether to believe it
at all (Sun et al. 2022, arXiv:2204.06507). Both are fitted on clips that did not train, and kept
beside the run.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lildata_utils.backend import keras
from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.files import check_zip, written_beside
from lildata_utils.genre.evaluation import TINY
from lildata_utils.genre.predict import predict
from lildata_utils.learning.runs import Run
from lildata_utils.sound.spectrogram import Floats, Image

DOUBT_FILE = "doubt.npz"
LAST_BLOCK = re.compile(r"block\d_relu")
# Of the clips of the genres that were learned, so many are told to be unlike them.
FALSE_ALARMS = 0.05
LEARNED = 1000  # clips that are remembered
BINS = 15  # of the calibration error

# Models that give features and answers at once.
_BOTH: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


class Heard(NamedTuple):
    """What a network says of clips, and how strange they are to it (notebook 07)."""

    probabilities: Floats  # Shape (clips, genres)
    # Distance to the nearest clip that was learned, as a share of the threshold: above 1 it is
    # unlike anything that the network learned. None where the run has no measure.
    strangeness: Floats | None


@dataclass(frozen=True)
class Doubt:
    """A run's measure of its own answers (notebook 07)."""

    temperature: float
    learned: (
        Floats  # Directions of clips that were learned, shape (clips, features), each of length 1
    )
    threshold: float  # The largest distance that is still believed

    def soften(self, probabilities: Floats) -> Floats:
        """Divide the scores by the temperature."""
        return soften(probabilities, self.temperature)

    def strangeness(self, features: Floats) -> Floats:
        """Measure how far features, shape (clips, features), are from all that was learned."""
        return _nearest(features, self.learned) / np.float32(self.threshold)


def hear(run: Run, images: Image, batch_size: int = 32) -> Heard:
    """Let a run's network tell the genres of clips, and how far to believe it (notebook 07).

    Parameters
    ----------
    run : Run
        With a measure of its doubt, if `fit_doubt` has made one, or without.
    images : ndarray of uint8, shape (clips, 631, 631)
        Spectrograms.
    batch_size : int
        Clips at a time.
    """
    doubt = load_doubt(run)
    if doubt is None:
        return Heard(predict(run.model, images, batch_size), None)
    features, probabilities = features_and_answers(run.model, images, batch_size)
    return Heard(doubt.soften(probabilities), doubt.strangeness(features))


def fit_doubt(run: Run, train: Dataset, validation: Dataset) -> Doubt:
    """Measure a run's doubt, and keep it in ``doubt.npz`` beside the network (notebook 07).

    Parameters
    ----------
    run : Run
        Of a listener.
    train : Dataset
        What it learned.
    validation : Dataset
        Clips that it did not learn, of the same genres: temperature and threshold are set on them.
    """
    features, _ = features_and_answers(run.model, train.at_most(train=LEARNED))
    learned = _directions(features)
    features, probabilities = features_and_answers(run.model, validation)
    doubt = Doubt(
        best_temperature(probabilities, validation.labels),
        learned,
        float(np.quantile(_nearest(features, learned), 1 - FALSE_ALARMS)),
    )
    with written_beside(run.folder / DOUBT_FILE) as beside:
        np.savez(beside, **vars(doubt) | {"learned": learned.astype(np.float16)})
    return doubt


def load_doubt(run: Run) -> Doubt | None:
    """Read a run's measure of its doubt; None where it has none (notebook 07)."""
    path = run.folder / DOUBT_FILE
    if not path.is_file():
        return None
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(4)
def _read(path: Path, time_ns: int) -> Doubt:
    try:
        check_zip(path)
        with np.load(path) as arrays:
            return Doubt(
                float(arrays["temperature"]),
                arrays["learned"].astype(np.float32),
                float(arrays["threshold"]),
            )
    except Exception as error:  # numpy and zipfile raise whatever their parts raise
        raise LilDataError(f"{path} can't be read ({error}): delete it, or train anew") from None


def soften(probabilities: Floats, temperature: float) -> Floats:
    """Divide the scores behind probabilities by a temperature, to be less sure (notebook 07).

    Examples
    --------
    >>> soften(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
    [[0.667, 0.333]]
    """
    scores = np.log(np.maximum(probabilities, TINY)) / temperature
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    softened: Floats = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return softened


def best_temperature(probabilities: Floats, labels: NDArray[np.int64]) -> float:
    """Find the temperature with the least cross-entropy (arXiv:1706.04599; notebook 07)."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def loss(logarithm: float) -> float:
        softened = soften(probabilities, float(np.exp(logarithm)))
        return float(-np.log(np.maximum(softened[rows, labels], TINY)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def calibration_error(probabilities: Floats, labels: NDArray[np.int64]) -> float:
    """Compare how sure answers are with how often they are right (notebook 07).

    The expected calibration error (Naeini et al. 2015): clips in 15 bins by the probability of
    their likeliest genre; the mean gap between that and the share that is right.
    """
    sure = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=right - sure.astype(float), minlength=BINS)
    return float(np.abs(gaps).sum() / len(labels))


def features_and_answers(
    model: Any, images: Image | Dataset, batch_size: int = 32
) -> tuple[Floats, Floats]:
    """Give the features of a listener's last block, and its probabilities (notebook 07).

    float32, shapes (clips, features) and (clips, genres).
    """
    if model not in _BOTH:
        _BOTH[model] = keras.Model(model.inputs[0], _features_and_answers_of(model))
    both, genres = predict(_BOTH[model], images, batch_size), model.output_shape[-1]
    return both[:, :-genres], both[:, -genres:]


def _features_and_answers_of(model: Any) -> Any:
    names = {layer.name for layer in model.layers}
    last = max((name for name in names if LAST_BLOCK.fullmatch(name)), default="")
    # Features of the first layers tell masterings apart, which are no genres.
    sums = [f"{last[:-4]}{kind}" for kind in ("mean", "most")]
    found = [model.get_layer(name).output for name in sums if name in names]
    if not found:
        raise LilDataError(f"{model.name} has no blocks: expected a listener")
    return keras.layers.Concatenate()([*found, model.outputs[0]])


def _directions(features: Floats) -> Floats:
    """Divide features by their length: only their mixture counts."""
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), TINY)


def _nearest(features: Floats, learned: Floats) -> Floats:
    """Measure the distance to the nearest direction that was learned, 0 to 2."""
    likeness = (_directions(features) @ learned.T).max(axis=1)
    return np.sqrt(np.maximum(2 - 2 * likeness, 0))
