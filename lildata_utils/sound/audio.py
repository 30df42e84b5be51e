"""Read any music as 22 050 Hz mono, write it, and pack it for players.

What libsndfile reads (WAV, FLAC, OGG, MP3, AIFF, …) needs nothing else; other formats (M4A, WMA,
video files, …) go through ffmpeg where it is installed.
"""

import io
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import ArrayLike

from lildata_utils.errors import LilDataError
from lildata_utils.files import written_beside
from lildata_utils.sound import decoding
from lildata_utils.sound.decoding import AudioError
from lildata_utils.sound.settings import MIME_TYPES
from lildata_utils.sound.spectrogram import SAMPLE_RATE, Floats

# Half a minute of stereo at 44.1 kHz is 10 MB: large enough to be fast, small beside TensorFlow.
BLOCK_S = 30.0
# libsndfile's Vorbis encoder crashes on a single write of more than about a minute.
WRITE_BLOCK = 10 * SAMPLE_RATE

__all__ = [
    "AudioError",
    "AudioInfo",
    "check_format",
    "encode",
    "info",
    "read",
    "read_blocks",
    "write",
]


@dataclass(frozen=True)
class AudioInfo:
    """What a file's header says of it (notebook 01)."""

    duration_s: float  # Length in seconds (0 where the header does not tell)
    sample_rate: int  # In Hz, as stored
    channels: int  # As stored


def info(path: str | Path) -> AudioInfo:
    """Read a file's header (notebook 01).

    Raises
    ------
    AudioError
        If the file is missing, unreadable, empty or no audio.
    """
    message, _ = next(decoding.ask(_readable(path), header_only=True))
    return AudioInfo(*message["info"])


def read_blocks(
    path: str | Path,
    start_s: float = 0.0,
    duration_s: float | None = None,
    tell: Callable[[str], None] | None = None,
) -> Iterator[Floats]:
    """Read a file block by block as mono at 22 050 Hz, in little memory (notebook 01).

    Parameters
    ----------
    path : str or Path
        A music file with any sample rate and any number of channels (they are averaged).
    start_s, duration_s : float, optional
        The section to read; to the end by default.
    tell : callable, optional
        Is told of damage, such as an early end, that left something to be read; by default it is
        printed to the standard error output.

    Yields
    ------
    ndarray of float32, shape (samples,)
        Consecutive pieces of the waveform, of about half a minute.

    Raises
    ------
    AudioError
        If the file is missing, unreadable, empty, no audio, or holds samples that are not numbers.
    """
    path = _readable(path)
    section = {"start_s": start_s, "duration_s": duration_s, "block_s": BLOCK_S}
    for message, samples in decoding.ask(path, **section):
        if "damage" not in message:
            yield samples
        elif tell is not None:
            tell(message["damage"])
        else:
            print(f"{path}: {message['damage']}", file=sys.stderr)


def read(
    path: str | Path,
    start_s: float = 0.0,
    duration_s: float | None = None,
    tell: Callable[[str], None] | None = None,
) -> Floats:
    """Read a file, or a section of it, as one mono waveform at 22 050 Hz (notebook 01).

    Arguments and errors as for `read_blocks`; float32, shape (samples,).
    """
    return np.concatenate(list(read_blocks(path, start_s, duration_s, tell)))


def write(path: str | Path, waveform: ArrayLike, sample_rate: int = SAMPLE_RATE) -> None:
    """Write a mono waveform, whole or not at all (notebook 01).

    Parameters
    ----------
    path : str or Path
        Ends in .wav, .flac, .ogg or .mp3, which chooses the format.
    waveform : array_like, shape (samples,)
        In [-1, 1]; what is above full scale is clipped.
    sample_rate : int, optional
        In Hz.

    Raises
    ------
    LilDataError
        If the suffix names no format that can be written.
    """
    data = encode(waveform, check_format(path), sample_rate)
    with written_beside(Path(path)) as beside:
        # Not by libsndfile, which says nothing of a disk that is full when it closes a file.
        beside.write_bytes(data)


def check_format(path: str | Path) -> str:
    """Tell a file's format from its suffix, for a check before long work (notebook 01).

    Raises
    ------
    LilDataError
        If the suffix names no format that can be written.
    """
    path = Path(path)
    kind = path.suffix.removeprefix(".").lower()
    if kind not in MIME_TYPES:
        raise LilDataError(
            f"{path}: can't write {path.suffix!r}, use one of {', '.join(MIME_TYPES)}"
        )
    return kind


def encode(waveform: ArrayLike, kind: str = "mp3", sample_rate: int = SAMPLE_RATE) -> bytes:
    """Pack a mono waveform as the bytes of a sound file, for players (notebook 06).

    Parameters
    ----------
    waveform : array_like, shape (samples,)
        In [-1, 1]; the level is kept as it is.
    kind : {"mp3", "flac", "ogg", "wav"}
        MP3 takes about a tenth of WAV; FLAC and WAV are exact to 16 bits.
    sample_rate : int, optional
        In Hz.

    Examples
    --------
    >>> encode(np.zeros(SAMPLE_RATE), "wav")[:4]
    b'RIFF'
    """
    buffer = io.BytesIO()
    samples = np.asarray(waveform, dtype=np.float32)
    with soundfile.SoundFile(buffer, "w", sample_rate, channels=1, format=kind.upper()) as sound:
        for start in range(0, len(samples), WRITE_BLOCK):
            sound.write(samples[start : start + WRITE_BLOCK])
    return buffer.getvalue()


def _readable(path: str | Path) -> Path:
    path = Path(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise AudioError(path, "a folder, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise AudioError(path, "not a file but a device or a pipe")
        path.open("rb").close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AudioError(path, f"unreadable ({reason})") from None
    if status.st_size == 0:
        raise AudioError(path, "empty (0 bytes)")
    return path
