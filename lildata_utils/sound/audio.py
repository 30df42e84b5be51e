"""Read any music as 22 050 Hz mono, write it, and pack it for players.

What libsndfile reads (WAV, FLAC, OGG, MP3, AIFF, …) needs nothing else; other formats (M4A, WMA,
video files, …) go through ffmpeg where it is installed.
"""

import io
import json
import mimetypes
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import ArrayLike

from lildata_utils.errors import LilDataError
from lildata_utils.files import written_beside
from lildata_utils.machine import silent_stderr
from lildata_utils.sound.settings import MIME_TYPES
from lildata_utils.sound.spectrogram import SAMPLE_RATE, Floats

# Half a minute of stereo at 44.1 kHz is 10 MB: large enough to be fast, small beside TensorFlow.
BLOCK_S = 30.0
# libsndfile's Vorbis encoder crashes on a single write of more than about a minute.
WRITE_BLOCK = 10 * SAMPLE_RATE
# Full scale is 1. Float files may go above it, but not a thousand times.
LARGEST_SAMPLE = 1000.0


class AudioError(LilDataError):
    """A file that is not the audio it should be (notebook 01).

    `reason` says why without the file's name.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type["AudioError"], tuple[Path, str]]:
        # An exception of two arguments does not travel between processes by itself.
        return type(self), (self.path, self.reason)


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
    path = _readable(path)
    try:
        with silent_stderr():
            header = soundfile.info(path)
    except soundfile.LibsndfileError:
        return _ffprobe(path)
    return AudioInfo(header.frames / header.samplerate, header.samplerate, header.channels)


def read_blocks(
    path: str | Path, start_s: float = 0.0, duration_s: float | None = None
) -> Iterator[Floats]:
    """Read a file block by block as mono at 22 050 Hz, in little memory (notebook 01).

    Parameters
    ----------
    path : str or Path
        A music file with any sample rate and any number of channels (they are averaged).
    start_s, duration_s : float, optional
        The section to read; to the end by default.

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
    try:
        with silent_stderr():
            sound = soundfile.SoundFile(path)
    except soundfile.LibsndfileError:
        yield from _read_with_ffmpeg(path, start_s, duration_s)
        return
    with sound:
        rate = sound.samplerate
        sound.seek(min(round(start_s * rate), sound.frames))
        left = sound.frames if duration_s is None else round(duration_s * rate)
        resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
        position_s = start_s
        while left > 0:
            try:
                with silent_stderr():
                    block = sound.read(min(left, round(BLOCK_S * rate)), "float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise AudioError(path, f"corrupt after {position_s:.1f} s ({error})") from None
            if len(block) == 0:
                break
            mono = _to_mono(block)
            _check_samples(path, mono, rate, position_s)
            left -= len(block)
            position_s += len(block) / rate
            yield resampler.resample_chunk(mono)
        # What the resampler's filter still holds back.
        yield resampler.resample_chunk(np.empty(0, np.float32), last=True)


def read(path: str | Path, start_s: float = 0.0, duration_s: float | None = None) -> Floats:
    """Read a file, or a section of it, as one mono waveform at 22 050 Hz (notebook 01).

    Arguments and errors as for `read_blocks`; float32, shape (samples,).
    """
    return np.concatenate(list(read_blocks(path, start_s, duration_s)))


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
    kind = check_format(path)
    with written_beside(Path(path)) as beside:
        _write_blocks(str(beside), waveform, sample_rate, kind)


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
    _write_blocks(buffer, waveform, sample_rate, kind)
    return buffer.getvalue()


def _write_blocks(file: str | io.BytesIO, waveform: ArrayLike, sample_rate: int, kind: str) -> None:
    samples = np.asarray(waveform, dtype=np.float32)
    with soundfile.SoundFile(file, "w", sample_rate, channels=1, format=kind.upper()) as sound:
        for start in range(0, len(samples), WRITE_BLOCK):
            sound.write(samples[start : start + WRITE_BLOCK])


def _to_mono(block: Floats) -> Floats:
    """Average the channels; adding columns is ten times as fast as ``mean(axis=1)``."""
    mono = block[:, 0].copy()
    for channel in range(1, block.shape[1]):
        mono += block[:, channel]
    mono /= np.float32(block.shape[1])
    return mono


def _readable(path: str | Path) -> Path:
    path = Path(path)
    if path.is_dir():
        raise AudioError(path, "a folder, not a file")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise AudioError(path, f"unreadable ({error.strerror})") from None
    if empty:
        raise AudioError(path, "empty (0 bytes)")
    return path


def _check_samples(path: Path, mono: Floats, rate: int, position_s: float) -> None:
    # Written so that NaN, which compares as False with everything, fails too.
    sound = np.abs(mono) < LARGEST_SAMPLE
    if not sound.all():
        at_s = position_s + int(np.argmin(sound)) / rate
        raise AudioError(
            path, f"samples that are not numbers or far above full scale at {at_s:.2f} s"
        )


def _no_audio(path: Path, tried: str) -> AudioError:
    kind, _ = mimetypes.guess_type(path.name)
    if kind is not None and kind.startswith(("audio/", "video/")):
        return AudioError(path, f"corrupt: named as {kind}, but {tried}")
    return AudioError(path, f"not audio: {tried}")


def _find_program(name: str, path: Path) -> str:
    program = shutil.which(name)
    if program is None:
        raise _no_audio(
            path, "libsndfile can't read it (install ffmpeg for more formats)"
        ) from None
    return program


def _ffprobe(path: Path) -> AudioInfo:
    program = _find_program("ffprobe", path)
    entries = "stream=sample_rate,channels:format=duration"
    command = [program, "-v", "quiet", "-select_streams", "a:0", "-show_entries", entries]
    done = subprocess.run([*command, "-of", "json", f"file:{path}"], capture_output=True)
    answer = json.loads(done.stdout or b"{}")
    if done.returncode != 0 or not answer.get("streams"):
        raise _no_audio(path, "neither libsndfile nor ffmpeg can read it") from None
    stream = answer["streams"][0]
    duration_s = float(answer.get("format", {}).get("duration", 0))
    return AudioInfo(duration_s, int(stream["sample_rate"]), int(stream["channels"]))


def _read_with_ffmpeg(path: Path, start_s: float, duration_s: float | None) -> Iterator[Floats]:
    program = _find_program("ffmpeg", path)
    section = ["-ss", str(start_s)] + ([] if duration_s is None else ["-t", str(duration_s)])
    # "file:" keeps a name like "concat:x" or "-i" from being read as anything else.
    command = [program, "-v", "quiet", "-nostdin", *section, "-i", f"file:{path}"]
    command += ["-map", "0:a:0", "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "f32le", "-"]
    position_s = start_s
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while data := process.stdout.read(4 * round(BLOCK_S * SAMPLE_RATE)):
            mono = np.frombuffer(data[: len(data) // 4 * 4], np.float32)
            _check_samples(path, mono, SAMPLE_RATE, position_s)
            position_s += len(mono) / SAMPLE_RATE
            yield mono
    if position_s == start_s:
        raise _no_audio(path, "neither libsndfile nor ffmpeg can read it")
