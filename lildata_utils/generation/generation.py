"""What an LSTM draws, judged by bounds, trivial answers and its sound (notebook 05).

Pictures are frames in [0, 1], shape (..., 631, frames): an image divided by 255.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from lildata_utils.clips import dataset
from lildata_utils.clips.dataset import Dataset
from lildata_utils.errors import LilDataError
from lildata_utils.networks.lstm import PrincipalComponents, follow
from lildata_utils.sound import audio, inversion
from lildata_utils.sound.clip import read_clip
from lildata_utils.sound.measures import describe_sound
from lildata_utils.sound.pictures import write_picture
from lildata_utils.sound.spectrogram import N_BINS, Floats, Image, image_to_magnitude

# 8 ms, 79 ms, half a second and five.
HORIZONS = (1, 10, 63, 630)
# Below this share of the largest singular value is the rounding of float32.
SMALLEST_SHARE = 1e-5
INVERSION_ITERATIONS = 32
LOUDEST = 0.5
# Measures whose logarithm is nearer to a bell curve.
LOGARITHMIC = ("centroid (Hz)", "flatness")


def best_of_rank(picture: ArrayLike, rank: int) -> Floats:
    """Compute the closest picture of a rank: no other has a smaller squared error.

    The singular value decomposition, cut off (Eckart & Young 1936). A linear output of 50 units
    with a bias draws pictures of rank 51 at most, so this bounds what any such network can do.

    Parameters
    ----------
    picture : array_like, shape (631, frames)
    rank : int
        At least 0.

    Returns
    -------
    ndarray of float32, shape (631, frames)

    Examples
    --------
    >>> best_of_rank(np.diag([3.0, 2.0, 1.0]), 2).round(6).diagonal().tolist()
    [3.0, 2.0, 0.0]
    """
    left, sizes, right = np.linalg.svd(np.asarray(picture, np.float32), full_matrices=False)
    return (left[:, :rank] * sizes[:rank]) @ right[:rank]


def with_shared_shapes(pictures: ArrayLike, train: Dataset, shapes: int) -> Floats:
    """Draw pictures as well as an average frame and a few shapes allow that are the same for all.

    The shapes are the principal components of the training frames. The weights from 50 units to the
    bins are such shapes, their bias such a frame; so this is about what a network can do on clips
    that it has not learned, if it does everything else without a mistake.

    Parameters
    ----------
    pictures : array_like, shape (clips, 631, frames)
        In [0, 1].
    train : Dataset
        The clips whose frames the shapes shall fit.
    shapes : int
        At least 1.

    Returns
    -------
    ndarray of float32, shape (clips, 631, frames)
    """
    components = PrincipalComponents(shapes)
    components.adapt(train)
    frames = np.asarray(pictures, np.float32).swapaxes(1, 2)
    drawn: Floats = components.decode(components.encode(frames)).numpy()
    return drawn.swapaxes(1, 2)


def numerical_rank(picture: ArrayLike) -> int:
    """Count the singular values that are more than rounding errors of float32.

    Parameters
    ----------
    picture : array_like, shape (631, frames)
        As it was drawn: rounding to 256 grey levels or holding to [0, 1] raises the rank.
    """
    sizes = np.linalg.svd(np.asarray(picture, np.float64), compute_uv=False)
    return int((sizes > SMALLEST_SHARE * sizes[0]).sum())


def directions(picture: ArrayLike, share: float = 0.99) -> int:
    """Count the directions that hold a share of a picture's variance over time.

    Parameters
    ----------
    picture : array_like, shape (631, frames)
    share : float
        Of the variance, up to 1.

    Returns
    -------
    int
        0 for a picture that never changes.
    """
    frames = np.asarray(picture, np.float64)
    energies = np.linalg.svd(frames - frames.mean(axis=1, keepdims=True), compute_uv=False) ** 2
    if energies.sum() < 1e-12:
        return 0
    return int(np.searchsorted(np.cumsum(energies), share * energies.sum()) + 1)


def convergence_db(drawn: ArrayLike, real: ArrayLike) -> float:
    """Compare two pictures as magnitudes: ``20 log10(|| |A| - |B| || / || B ||)``.

    Parameters
    ----------
    drawn, real : array_like, shape (631, frames)
        In [0, 1].

    Returns
    -------
    float
        In dB: 0 for silence in place of the real one, lower is better.
    """
    first, second = (
        image_to_magnitude(255 * np.clip(np.asarray(picture), 0, 1)) for picture in (drawn, real)
    )
    error = np.linalg.norm(first - second) / np.linalg.norm(second)
    return float(20 * np.log10(max(float(error), 1e-6)))


def describe_picture(drawn: ArrayLike, real: ArrayLike, mean_frame: ArrayLike) -> dict[str, float]:
    """Put into numbers how a drawn picture differs from the clip that it should have become.

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
    """Describe groups of drawn pictures beside the real ones.

    Parameters
    ----------
    drawn : mapping of str to array_like, shape (clips, 631, frames)
        What was drawn for the same clips, by name.
    real : array_like, shape (clips, 631, frames)
        In [0, 1].
    mean_frame : array_like, shape (631,)
        Of the training clips.

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
    """Draw the answers that need no network.

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
    """Compare how a network does with the truth before it and with nothing but its own frames.

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
    """Put the frames of a picture in another order: the same spectra, no music.

    Parameters
    ----------
    picture : array_like, shape (631, frames)
    seed : int
        Of the order.
    """
    frames = np.asarray(picture)
    return frames[:, np.random.default_rng(seed).permutation(frames.shape[1])]


def to_sound(picture: ArrayLike, iterations: int = INVERSION_ITERATIONS) -> Floats:
    """Make a drawn picture audible; its loudest sample is 0.5.

    Parameters
    ----------
    picture : array_like, shape (631, frames)
        An image (uint8), or frames in [0, 1] (what exceeds them is cut off).
    iterations : int
        Of `inversion.invert`.

    Returns
    -------
    ndarray of float32, shape ((frames - 1) * 175,)
        At 22 050 Hz.
    """
    image = np.asarray(picture)
    if image.dtype != np.uint8:
        image = np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8)
    *_, step = inversion.invert(image, iterations=iterations)
    sound = step.waveform
    return sound * np.float32(LOUDEST / max(float(np.abs(sound).max()), 1e-9))


def sound_table(
    sounds: Mapping[str, Sequence[ArrayLike]], real: Sequence[ArrayLike]
) -> pd.DataFrame:
    """Measure groups of sounds, and how far they are from real music.

    The distance is Mahalanobis': in how many standard deviations of the real clips' measures,
    correlations considered, a sound lies beside their mean. Real clips themselves have about the
    square root of the number of measures.

    Parameters
    ----------
    sounds : mapping of str to sequence of array_like, shape (samples,)
        Groups by name.
    real : sequence of array_like, shape (samples,)
        Clips that say what real music measures: several times as many as there are measures.

    Returns
    -------
    pandas.DataFrame
        A row a group: the means of `measures.describe_sound`, and ``distance``.

    Raises
    ------
    LilDataError
        If there are too few real clips.
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


def first_frame(start: str | None, folder: Path | None = None, start_s: float = 0.0) -> Image:
    """Find the frame from which to draw on.

    Parameters
    ----------
    start : str or None
        An audio file; or, with a data set, a clip's id; None for silence.
    folder : Path, optional
        The data set's.
    start_s : float
        Where in the audio file. The frame's level counts from the peak of the 5 s from there.

    Returns
    -------
    ndarray of uint8, shape (631,)

    Raises
    ------
    LilDataError
        If there is no such clip, or the file is no music or too short.
    """
    if start is None:
        return np.zeros(N_BINS, np.uint8)
    if folder is None:
        return read_clip(Path(start), start_s).image[:, 0]
    clips = dataset.load(folder)
    (places,) = np.nonzero(clips.clips["id"] == start)
    if not len(places):
        raise LilDataError(
            f"{folder} has no clip {start!r}: the ids stand in {folder / dataset.CLIPS}, the first "
            f"is {clips.clips['id'].iloc[0]!r}"
        )
    return clips.images(places)[0, :, 0]


def save(out: Path, image: Image, sound: Floats, start: str | None = None) -> None:
    """Write a generated sound, and its picture (``.png``) beside it.

    Parameters
    ----------
    out : Path
        The sound's file; its ending says the format.
    image : ndarray of uint8, shape (631, frames)
    sound : ndarray of float32, shape (samples,)
    start : str, optional
        The audio file that it was drawn from: it must not be written over.

    Raises
    ------
    LilDataError
        If the ending stands for no format that can be written, or `out` is `start`.
    """
    if start is not None and Path(start).resolve() == out.resolve():
        raise LilDataError(f"{out} is also the start: choose another name for the result")
    write_picture(out.with_suffix(".png"), image)
    audio.write(out, sound)
