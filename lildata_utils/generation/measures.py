"""What an LSTM draws, judged by bounds, trivial answers and its sound (notebook 05).

Pictures are frames in [0, 1], shape (..., 631, frames): an image divided by 255.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.generation.drawing import follow
from lildata_utils.learning.fit import ADAPTING_CLIPS
from lildata_utils.networks.lstm import PrincipalComponents
from lildata_utils.sound.measures import describe_sound
from lildata_utils.sound.spectrogram import Floats, Image, image_to_magnitude

# 8 ms, 79 ms, half a second and five.
HORIZONS = (1, 10, 63, 630)
# Below this share of the largest singular value is the rounding of float32.
SMALLEST_SHARE = 1e-5
# Measures whose logarithm is nearer to a bell curve.
LOGARITHMIC = ("centroid (Hz)", "flatness")


def best_of_rank(picture: ArrayLike, rank: int) -> Floats:
    """Compute the closest picture of a rank: no other has a smaller squared error (notebook 05).

    The singular value decomposition, cut off (Eckart & Young 1936). A linear output of 50 units
    with a bias draws pictures of rank 51 at most, so this bounds what any such network can do.

    Examples
    --------
    >>> best_of_rank(np.diag([3.0, 2.0, 1.0]), 2).round(6).diagonal().tolist()
    [3.0, 2.0, 0.0]
    """
    left, sizes, right = np.linalg.svd(np.asarray(picture, np.float32), full_matrices=False)
    return (left[:, :rank] * sizes[:rank]) @ right[:rank]


def with_shared_shapes(pictures: ArrayLike, train: Dataset, shapes: int) -> Floats:
    """Draw pictures with an average frame and a few shapes, the same for all (notebook 05).

    The shapes are the principal components of the training frames. The weights from 50 units to the
    bins are such shapes, their bias such a frame; so this is about what a network can do on clips
    that it has not learned, if it does everything else without a mistake. Pictures are in [0, 1],
    shape (clips, 631, frames), and so is the result.
    """
    components = PrincipalComponents(shapes)
    components.adapt(images for images, _ in train.batches(ADAPTING_CLIPS))
    frames = np.asarray(pictures, np.float32).swapaxes(1, 2)
    drawn: Floats = components.decode(components.encode(frames)).numpy()
    return drawn.swapaxes(1, 2)


def numerical_rank(picture: ArrayLike) -> int:
    """Count the singular values that are more than rounding errors of float32 (notebook 05).

    `picture`, shape (631, frames), is as it was drawn: rounding to 256 grey levels or holding to
    [0, 1] raises the rank.
    """
    sizes = np.linalg.svd(np.asarray(picture, np.float64), compute_uv=False)
    return int((sizes > SMALLEST_SHARE * sizes[0]).sum())


def directions(picture: ArrayLike, share: float = 0.99) -> int:
    """Count the directions that hold a share of a picture's variance over time (notebook 05).

    0 for a picture that never changes.
    """
    frames = np.asarray(picture, np.float64)
    energies = np.linalg.svd(frames - frames.mean(axis=1, keepdims=True), compute_uv=False) ** 2
    if energies.sum() < 1e-12:
        return 0
    return int(np.searchsorted(np.cumsum(energies), share * energies.sum()) + 1)


def convergence_db(drawn: ArrayLike, real: ArrayLike) -> float:
    """Compare pictures in [0, 1] as magnitudes, in dB (notebook 05).

    ``20 log10(|| |A| - |B| || / || B ||)``: 0 for silence in place of the real one; lower is
    better.
    """
    first, second = (
        image_to_magnitude(255 * np.clip(np.asarray(picture), 0, 1)) for picture in (drawn, real)
    )
    error = np.linalg.norm(first - second) / np.linalg.norm(second)
    return float(20 * np.log10(max(float(error), 1e-6)))


def describe_picture(drawn: ArrayLike, real: ArrayLike, mean_frame: ArrayLike) -> dict[str, float]:
    """Tell how a drawn picture differs from the clip that it should have become (notebook 05).

    Parameters
    ----------
    drawn, real : array_like, shape (631, frames)
        In [0, 1].
    mean_frame : array_like, shape (631,)
        Of the training clips.

    Returns
    -------
    dict of str to float
        ``error``, the mean squared error; ``convergence (dB)``; ``movement``, the standard
        deviation over time, averaged over the bins (a drone has 0); ``from the mean``, the root
        mean square distance of the frames from the mean frame; ``directions`` (`directions`).
    """
    picture, target = (np.asarray(frames, np.float32) for frames in (drawn, real))
    apart = picture - np.asarray(mean_frame, np.float32)[:, None]
    return {
        "error": float(np.mean((picture - target) ** 2)),
        "convergence (dB)": convergence_db(picture, target),
        "movement": float(picture.std(axis=1).mean()),
        "from the mean": float(np.sqrt(np.mean(apart**2))),
        "directions": directions(picture),
    }


def picture_table(
    drawn: Mapping[str, ArrayLike], real: ArrayLike, mean_frame: ArrayLike
) -> pd.DataFrame:
    """Describe groups of drawn pictures beside the real ones (notebook 05).

    Each group, shape (clips, 631, frames) and in [0, 1], was drawn for the same clips.

    Returns
    -------
    pandas.DataFrame
        A row a name, ``real`` the first: the means of `describe_picture`.
    """
    rows = {}
    for name, pictures in {"real": real, **drawn}.items():
        pairs = zip(np.asarray(pictures), np.asarray(real), strict=True)
        described = [describe_picture(picture, target, mean_frame) for picture, target in pairs]
        rows[name] = pd.DataFrame(described).mean()
    return pd.DataFrame(rows).T


def baselines(first_frames: ArrayLike, train: ArrayLike, n_frames: int) -> dict[str, Floats]:
    """Draw the answers that need no network (notebook 05).

    Parameters
    ----------
    first_frames : array_like, shape (clips, 631)
        In [0, 1].
    train : array_like of uint8, shape (training clips, 631, 1 + n_frames or more)
        Images.
    n_frames : int
        How many follow.

    Returns
    -------
    dict of str to ndarray of float32, shape (clips, 631, n_frames)
        ``repeat the frame``; ``mean spectrogram`` of the training clips; ``nearest clip``, the
        training clip whose first frame is closest.
    """
    first = np.asarray(first_frames, np.float32)
    pictures = np.asarray(train)
    starts = pictures[:, :, 0].astype(np.float32) / 255
    nearest = [int(((starts - frame) ** 2).sum(axis=1).argmin()) for frame in first]
    following = pictures[:, :, 1 : 1 + n_frames]
    mean = following.mean(axis=0, dtype=np.float32) / 255
    return {
        "repeat the frame": np.repeat(first[:, :, None], n_frames, axis=2),
        "mean spectrogram": np.repeat(mean[None], len(first), axis=0),
        "nearest clip": following[nearest].astype(np.float32) / 255,
    }


def horizon_errors(
    model: Any, images: Image, horizons: Sequence[int] = HORIZONS, seed: int = 0
) -> pd.DataFrame:
    """Compare a network after the true frames and after nothing but its own (notebook 05).

    Parameters
    ----------
    model : SpectrogramLSTM
    images : ndarray of uint8, shape (clips, 631, frames)
        Real ones, that it was not trained on.
    horizons : sequence of int
        Frames after the first over which the error is averaged.
    seed : int
        Of what a mixture draws.

    Returns
    -------
    pandas.DataFrame
        A row a horizon (``frames``): mean squared errors ``teacher-forced`` (each frame after the
        true ones), ``free-running`` (each after the network's own), and of the trivial answer
        ``last frame again``, which also sees the true frames.
    """
    real = np.asarray(images).astype(np.float32) / 255
    forced = model.predict(real[:, :, :-1].swapaxes(1, 2), verbose=0).swapaxes(1, 2)
    free = follow(model, real[:, :, 0], real.shape[2] - 1, seed=seed)
    answers = {"teacher-forced": forced, "free-running": free, "last frame again": real[:, :, :-1]}
    errors = {
        name: ((answer - real[:, :, 1:]) ** 2).mean(axis=(0, 1)) for name, answer in answers.items()
    }
    rows = [
        {"frames": frames} | {name: float(error[:frames].mean()) for name, error in errors.items()}
        for frames in horizons
    ]
    return pd.DataFrame(rows).set_index("frames")


def shuffled(picture: ArrayLike, seed: int = 0) -> NDArray[Any]:
    """Put the frames of a picture in another order: the same spectra, no music (notebook 05)."""
    frames = np.asarray(picture)
    return frames[:, np.random.default_rng(seed).permutation(frames.shape[1])]


def sound_table(
    sounds: Mapping[str, Sequence[ArrayLike]], real: Sequence[ArrayLike]
) -> pd.DataFrame:
    """Measure groups of sounds, and how far they are from real music (notebook 05).

    The distance is Mahalanobis': in how many standard deviations of the real clips' measures,
    correlations considered, a sound lies beside their mean. Real clips themselves have about the
    square root of the number of measures; there must be at least twice as many clips as measures.

    Returns
    -------
    pandas.DataFrame
        A row a group: the means of `measures.describe_sound`, and ``distance``.
    """
    reference = _comparable(pd.DataFrame([describe_sound(sound) for sound in real]))
    if len(reference) < 2 * reference.shape[1]:
        raise LilDataError(
            f"{len(reference)} real clips for {reference.shape[1]} measures: expected at least "
            f"{2 * reference.shape[1]}"
        )
    middle = reference.mean()
    inverse = np.linalg.inv(reference.cov().to_numpy())
    rows = {}
    for name, group in sounds.items():
        measured = pd.DataFrame([describe_sound(sound) for sound in group])
        apart = (_comparable(measured) - middle).to_numpy()
        distances = np.sqrt(np.einsum("ij,jk,ik->i", apart, inverse, apart))
        rows[name] = {**measured.mean(), "distance": float(distances.mean())}
    return pd.DataFrame(rows).T


def _comparable(table: pd.DataFrame) -> pd.DataFrame:
    logarithms = {name: np.log(np.maximum(table[name], 1e-6)) for name in LOGARITHMIC}
    return table.assign(**logarithms)
