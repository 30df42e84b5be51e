"""Spectrogram pictures as files: `.npy` (images or magnitudes) and `.png` (grey images)."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import ArrayLike, NDArray

from lildata_utils.errors import LilDataError
from lildata_utils.files import written_beside
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES

SHAPE = f"{N_BINS} x {N_FRAMES}"
# A full-scale tone has 315. Squares of larger numbers would overflow.
LARGEST_MAGNITUDE = 1e9


def read_picture(path: str | Path, resize: bool = False) -> NDArray[Any]:
    """Read a spectrogram (notebook 06).

    Parameters
    ----------
    path : str or Path
        A ``.npy`` file with an image (uint8) or linear magnitudes (float), shape (631, frames) or a
        stack of them; or a picture file such as ``.png``: grey (colours become grey), 631 pixels
        high, low frequencies at the bottom, white the loudest, black 80 dB below it.
    resize : bool
        Stretch a picture of another size to 631 x 631 instead of refusing it.

    Returns
    -------
    ndarray of uint8 or float32, shape (..., 631, frames)
        Images, or linear magnitudes; row 0 is 0 Hz.

    Raises
    ------
    LilDataError
        If the file can't be read, or has another shape.
    """
    path = Path(path)
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise LilDataError(f"{path}: {what}; expected a spectrogram, .npy or .png")
    picture = _read_array(path) if path.suffix.lower() == ".npy" else _read_pixels(path)
    if resize and picture.ndim == 2 and picture.shape != (N_BINS, N_FRAMES):
        stretched = np.asarray(PIL.Image.fromarray(picture).resize((N_FRAMES, N_BINS)))
        picture = np.maximum(stretched, 0)  # the filter swings a little below
    *_, bins, frames = picture.shape
    if bins != N_BINS or frames < 2:
        advice = "is it transposed?" if frames == N_BINS else "--resize stretches single pictures"
        raise LilDataError(
            f"{path}: {bins} x {frames} (frequencies x frames); expected {SHAPE}, or {N_BINS} x "
            f"more or fewer frames; {advice}"
        )
    return picture


def write_picture(path: str | Path, image: ArrayLike) -> None:
    """Write an image as a grey PNG file that `read_picture` reads back exactly (notebook 06)."""
    with written_beside(Path(path)) as beside:
        beside.write_bytes(png(image))


def png(image: ArrayLike) -> bytes:
    """Pack an image (uint8, shape (bins, frames)) as a grey PNG, upright (notebook 06).

    Its first row, 0 Hz, becomes the lowest line of pixels.
    """
    upright = np.ascontiguousarray(np.asarray(image, dtype=np.uint8)[::-1])
    buffer = io.BytesIO()
    PIL.Image.fromarray(upright).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _read_array(path: Path) -> NDArray[Any]:
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise LilDataError(f"{path} can't be read as a NumPy array ({error})") from None
    if array.size == 0:
        raise LilDataError(f"{path}: empty, shape {array.shape}; expected a spectrogram, {SHAPE}")
    if array.ndim not in (2, 3):
        raise LilDataError(f"{path}: {array.ndim} axes; expected a spectrogram, {SHAPE}")
    if array.dtype == np.uint8:
        return array
    if np.issubdtype(array.dtype, np.floating):
        # Written so that NaN fails, too.
        if not np.abs(array).max() < LARGEST_MAGNITUDE:
            raise LilDataError(f"{path}: holds numbers that are no magnitudes (NaN or too large)")
        return array.astype(np.float32)
    raise LilDataError(
        f"{path}: numbers of type {array.dtype}; expected an image (uint8) or magnitudes (float)"
    )


def _read_pixels(path: Path) -> NDArray[np.uint8]:
    try:
        with PIL.Image.open(path) as opened:
            # Grey pictures of 16 bits would be cut off at 255 by the conversion to 8.
            deep = opened.mode.startswith("I")
            grey = opened.point(lambda value: value / 256) if deep else opened
            pixels = np.asarray(grey.convert("L"))
    except (OSError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise LilDataError(f"{path} can't be read as a picture ({error})") from None
    return pixels[::-1].copy()
