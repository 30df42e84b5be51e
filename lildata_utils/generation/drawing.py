"""Let an LSTM draw on from a first frame, and make what it drew audible (notebook 05)."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from lildata_utils.backend import tf
from lildata_utils.clips import dataset
from lildata_utils.errors import LilDataError
from lildata_utils.files import check_made_by, write_json
from lildata_utils.networks.lstm import Mixture
from lildata_utils.sound import audio, inversion
from lildata_utils.sound.clip import read_clip
from lildata_utils.sound.pictures import write_picture
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES, Floats, Image, rounded

INVERSION_ITERATIONS = 32
LOUDEST = 0.5


def follow(
    model: Any,
    first_frames: ArrayLike,
    n_frames: int = N_FRAMES - 1,
    *,
    temperature: float = 1.0,
    seed: int = 0,
) -> Floats:
    """Draw what follows a frame, as it is: what is drawn is not held to [0, 1] (notebook 05).

    Parameters
    ----------
    model : SpectrogramLSTM
    first_frames : array_like, shape (clips, 631)
        In [0, 1].
    n_frames : int
        How many.
    temperature : float
        Of a mixture: 0 for the likeliest, 1 for what was learned. Others draw nothing by lot.
    seed : int
        Of what is drawn by lot.

    Returns
    -------
    ndarray of float32, shape (clips, 631, n_frames)
    """
    frames = np.asarray(first_frames, dtype=np.float32)
    if frames.ndim != 2 or frames.shape[1] != N_BINS:
        raise LilDataError(f"first frames of shape {frames.shape}; expected (clips, {N_BINS})")
    if n_frames < 1 or temperature < 0:
        raise LilDataError(
            f"{n_frames} frames at temperature {temperature}: expected 1 or more, and 0 or more"
        )
    following: Floats = _follow(
        model, frames, tf.constant(n_frames), tf.constant(float(temperature)), tf.constant(seed)
    ).numpy()
    return following.transpose(1, 2, 0)


def generate(
    model: Any,
    first_frames: ArrayLike,
    n_frames: int = N_FRAMES - 1,
    *,
    temperature: float = 1.0,
    seed: int = 0,
) -> Image:
    """Draw spectrograms from their first frames (notebook 05).

    First columns of images, uint8, shape (clips, 631), give them with what follows: uint8, shape
    (clips, 631, 1 + n_frames). All arguments are as for `follow`.
    """
    first = np.asarray(first_frames)
    following = follow(model, first / 255, n_frames, temperature=temperature, seed=seed)
    drawn = rounded(255 * following)
    return np.concatenate([first.astype(np.uint8)[..., None], drawn], axis=2)


def first_frame(start: str | None, folder: Path | None = None, start_s: float = 0.0) -> Image:
    """Find the frame, uint8, shape (631,), from which to draw on (notebook 05).

    Parameters
    ----------
    start : str or None
        An audio file; or, with a data set, a clip's id; None for silence.
    folder : Path, optional
        The data set's.
    start_s : float
        Where in the audio file. The frame's level counts from the peak of the 5 s from there.

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


def drawing_to_sound(picture: ArrayLike, iterations: int = INVERSION_ITERATIONS) -> Floats:
    """Make a drawn picture audible; its loudest sample is 0.5 (notebook 05).

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
        image = rounded(255 * image)
    *_, step = inversion.invert(image, iterations=iterations)
    sound = step.waveform
    return sound * np.float32(LOUDEST / max(float(np.abs(sound).max()), 1e-9))


def check_out(out: Path, start: str | None = None) -> None:
    """Make sure that a drawing would write over nothing but an earlier one (notebook 05).

    `start` is the audio file, or the clip, that it is drawn from.
    """
    check_made_by("generate", out, [out.with_suffix(".png")], [Path(start)] if start else [])


def save_drawing(
    out: Path, image: Image, sound: Floats, start: str | None = None, **about: Any
) -> None:
    """Write a drawn sound; beside it its picture (``.png``) and what it is (notebook 05).

    The ending of `out` says the format; what `about` says goes into a record (``.json``). To write
    over anything but an earlier drawing is a LilDataError.
    """
    check_out(out, start)
    # First: it says whose the rest is, should we be killed on the way.
    write_json(out.with_suffix(".json"), {"command": "generate", "start": start, **about})
    write_picture(out.with_suffix(".png"), image)
    audio.write(out, sound)


@tf.function(autograph=False)
def _follow(model: Any, first: Any, n_frames: Any, temperature: Any, seed: Any) -> Any:
    """Draw frame after frame, shape (n_frames, clips, 631), in one loop that keeps the states."""
    first = model.encode(first)
    first = tf.ensure_shape(first, (None, model.code_size))
    later = {"repeated": first, "zeros": tf.zeros_like(first) + model.encode(tf.zeros((1, N_BINS)))}
    advance = model.stepper()

    def step(number: Any, code: Any, states: Any, drawn: Any) -> Any:
        states = advance(model.gates(code), states)
        outputs = model.read_out(states[-1][0], code)
        if model.settings.mixtures:
            mixture = Mixture(outputs, model.settings.mixtures, model.code_size)
            outputs = mixture.draw(tf.stack([seed, number]), temperature)
        return (
            number + 1,
            later.get(model.settings.reading, outputs),
            states,
            drawn.write(number, outputs),
        )

    drawn = tf.TensorArray(tf.float32, n_frames, element_shape=(None, model.code_size))
    *_, drawn = tf.while_loop(
        lambda number, *_: number < n_frames,
        step,
        (0, first, model.silence(tf.shape(first)[0]), drawn),
    )
    return model.decode(drawn.stack())
