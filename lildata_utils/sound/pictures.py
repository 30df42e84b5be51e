"""Spectrogram pictures as files: `.npy` (images or magnitudes) and `.png` (grey images).

The one place that opens pictures and arrays of strangers: what a header says is looked at before
anything is unpacked.
"""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import ArrayLike, NDArray

from lildata_utils.errors import LilDataError
from lildata_utils.files import file_size, written_beside
from lildata_utils.sound.spectrogram import N_BINS, N_FRAMES

SHAPE = f"{N_BINS} x {N_FRAMES}"
# A full-scale tone has 315. Squares of larger numbers would overflow.
LARGEST_MAGNITUDE = 1e9
# Pillow knows some forty formats, most of them seldom used and little tested.
FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
# A small file of black pixels unpacks to any size. So many are 400 s of sound, or a large photo.
MOST_PIXELS = 32_000_000


def read_picture(path: str | Path, resize: bool = False) -> NDArray[Any]:
    """Read a spectrogram (notebook 06).

    Parameters
    ----------
    path : str or Path
        A ``.npy`` file with an image (uint8) or linear magnitudes (float), shape (631, frames) or a
        stack of them; or a picture file (PNG, JPEG, BMP, TIFF): grey (colours become grey), 631
        pixels high, low frequencies at the bottom, white the loudest, black 80 dB below it.
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
        shape, dtype = _npy_header(path)
    # numpy raises whatever its parts raise on a broken header.
    except Exception as error:
        raise LilDataError(f"{path} can't be read as a NumPy array ({error})") from None
    if math.prod(shape) == 0:
        raise LilDataError(f"{path}: empty, shape {shape}; expected a spectrogram, {SHAPE}")
    if len(shape) not in (2, 3):
        raise LilDataError(f"{path}: {len(shape)} axes; expected a spectrogram, {SHAPE}")
    if dtype != np.uint8 and dtype.kind != "f":
        raise LilDataError(
            f"{path}: numbers of type {dtype}; expected an image (uint8) or magnitudes (float)"
        )
    try:
        array = np.ascontiguousarray(np.load(path, allow_pickle=False))
    except Exception as error:
        raise LilDataError(f"{path} can't be read as a NumPy array ({error})") from None
    if dtype == np.uint8:
        return array
    # Written so that NaN fails, too.
    if not float(array.max()) < LARGEST_MAGNITUDE:
        raise LilDataError(f"{path}: holds numbers that are no magnitudes (NaN or too large)")
    if array.min() < 0:
        raise LilDataError(f"{path}: holds numbers below 0; magnitudes are 0 or larger")
    return array.astype(np.float32, copy=False)


def _npy_header(path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read what a .npy file promises; a ValueError if the file is shorter than that."""
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        readers = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in readers:
            raise ValueError(f"version {version} of the format; expected 1.0 or 2.0")
        shape, _, dtype = readers[version](file)
        promised, there = math.prod(shape) * dtype.itemsize, file_size(path) - file.tell()
    if min(shape, default=1) < 0 or (promised > there and not dtype.hasobject):
        raise ValueError(f"{there} bytes for an array of shape {shape} and type {dtype}")
    return shape, dtype


def _read_pixels(path: Path) -> NDArray[np.uint8]:
    try:
        with PIL.Image.open(path, formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MOST_PIXELS:
                raise ValueError(f"{width} x {height} pixels; at most {MOST_PIXELS} are read")
            # Older versions of Pillow call a PNG of 16 bits "I".
            if opened.mode.startswith("I;16") or (opened.mode, opened.format) == ("I", "PNG"):
                pixels = (np.asarray(opened) // 256).astype(np.uint8)
            elif opened.mode in MODES:
                pixels = np.asarray(opened.convert("L"))
            else:
                raise ValueError(
                    f"pixels of kind {opened.mode}; expected 8 or 16 bits: save it as .npy"
                )
    # Pillow raises whatever its parts raise on a broken file: SyntaxError, zlib.error, IndexError.
    except Exception as error:
        raise LilDataError(f"{path} can't be read as a picture ({error})") from None
    return pixels[::-1].copy()
