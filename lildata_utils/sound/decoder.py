"""The process that opens sound from strangers; `decoding` starts it and asks it (notebook 01).

A C library that crashes or hangs on a file, or a file that unpacks to more memory than there is,
ends this process and not the one that asked. It is run as a script and imports nothing of the
package, so that it starts fast. A request is a line of JSON on standard input; the answers are
lines of JSON on standard output, some followed by samples (float32).
"""

import json
import mimetypes
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

Floats = NDArray[np.float32]

MEMORY_BYTES = 2**30
# What is printed about a file, by libraries and ffmpeg: no other file is ever written.
WRITTEN_BYTES = 2**20
# Samples of all channels that are read at once.
LARGEST_BLOCK = 2**26
# What music can have. One sample a second would become hours of it in a few bytes.
RATES_HZ = (2_000, 768_000)
MOST_CHANNELS = 64
LONGEST_S = 24 * 3600.0
# Full scale is 1. Float files may go above it, but not a thousand times.
LARGEST_SAMPLE = 1000.0
# A header may count a little padding that the decoder drops.
MISSING_S, MISSING_SHARE, SHORTEST_MISSING_S = 1.0, 0.05, 0.1
# A program that writes into a pipe can't know the length, and writes the largest number.
UNKNOWN_BYTES, UNKNOWN_FRAMES = (2**31, 2**32), 2**60

# Formats that hold sound themselves: a playlist (concat, hls, ...) would open other files.
FORMATS = (
    "mov,matroska,asf,avi,flv,mpeg,mpegts,ogg,aac,ac3,eac3,amr,ape,caf,dsf,dts,mp3,mpc,mpc8,tak,tta"
    ",wav,aiff,flac,wv,w64,au"
)
SAFELY = ["-protocol_whitelist", "file,pipe", "-format_whitelist", FORMATS]
# Containers that know their length; that of others is ffmpeg's guess from the bit rate.
KNOW_LENGTH = {"mov", "matroska", "asf", "avi", "ape", "tta", "wv", "caf", "wav", "aiff", "flac"}

OGG = b"OggS"
OGG_HEADER, OGG_END = 27, 4
_BITS_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class RefusedError(Exception):
    """Why a file, or the rest of it, is not used (notebook 01)."""


@dataclass(frozen=True)
class Request:
    """What is to be read (the whole file, where no section is named), and how (notebook 01)."""

    path: str
    programs: list[str | None]  # ffmpeg and ffprobe, where they are installed
    header_only: bool = False
    start_s: float = 0.0
    duration_s: float | None = None
    block_s: float = 30.0
    rate: int = 22_050


@dataclass(frozen=True)
class Header:
    """What a file says of itself; 0 s stand for a length that it does not tell (notebook 01)."""

    duration_s: float
    rate: int
    channels: int
    promised_s: float  # Longer than `duration_s` where the file was cut
    kind: str = ""  # By libsndfile

    def check(self) -> None:
        """Refuse what no music has."""
        if not RATES_HZ[0] <= self.rate <= RATES_HZ[1]:
            raise RefusedError(
                f"a sample rate of {self.rate} Hz: expected {RATES_HZ[0]} to {RATES_HZ[1]}"
            )
        if not 1 <= self.channels <= MOST_CHANNELS:
            raise RefusedError(f"{self.channels} channels: expected 1 to {MOST_CHANNELS}")
        if not 0 <= self.duration_s <= LONGEST_S:
            raise RefusedError(
                f"{self.duration_s / 3600:.0f} hours long by its header: expected 0 to 24"
            )


Tell = Callable[[str], None]


def open_sound(request: Request) -> tuple[Header, Callable[[Tell], Iterator[Floats]]]:
    """Open a file with libsndfile, else ffmpeg; give header and what reads it (notebook 01)."""
    try:
        sound = soundfile.SoundFile(
            request.path if sys.platform == "win32" else os.fsencode(request.path)
        )
        if sound.format == "RAW":  # By its suffix alone: anything can be called .vox, or .au.
            raise TypeError
    # soundfile wants to be told what is in a file called .raw.
    except (soundfile.LibsndfileError, TypeError):
        header = _ffprobe(request)
        return header, lambda tell: _read_with_ffmpeg(request, header, tell)
    known_s = sound.frames / sound.samplerate if sound.frames < UNKNOWN_FRAMES else 0.0
    promised_s = known_s * _promised_share(sound.extra_info)
    header = Header(known_s, sound.samplerate, sound.channels, promised_s, sound.format)
    header.check()
    return header, lambda tell: _read_with_libsndfile(sound, request, header, tell)


def _promised_share(log: str) -> float:
    """Compare the bytes that a header promises with those that libsndfile found."""
    share = 1.0
    for promised, there in re.findall(r": (\d+) \(should be (\d+)\)", log):
        unknown = min(abs(int(promised) - mark) for mark in UNKNOWN_BYTES) < 2**16
        if int(there) > 0 and not unknown:
            share = int(promised) / int(there)  # The last is that of the samples.
    return max(share, 1.0)


def _read_with_libsndfile(
    sound: Any, request: Request, header: Header, tell: Tell
) -> Iterator[Floats]:
    rate, wrong = header.rate, ""
    left = sound.frames if request.duration_s is None else round(request.duration_s * rate)
    most = min(round(request.block_s * rate), LARGEST_BLOCK // header.channels)
    resampler = soxr.ResampleStream(rate, request.rate, 1, dtype="float32", quality="HQ")
    position_s = request.start_s
    try:
        if request.start_s > 0:
            sound.seek(min(round(request.start_s * rate), sound.frames))
    except soundfile.LibsndfileError as error:
        raise RefusedError(
            f"corrupt: nothing to be found at {request.start_s:g} s ({error})"
        ) from None
    while left > 0 and not wrong:
        room = np.full((min(left, most), header.channels), np.nan, np.float32)
        try:
            block = sound.read(out=room)
        except soundfile.LibsndfileError as error:
            # What was decoded before the error is there, but only we know how much.
            block = room[: np.argmax(np.isnan(room[:, 0]))] if np.isnan(room[-1, 0]) else room
            wrong = str(error).removeprefix("Error : ").rstrip(".")
            wrong = wrong.replace("Unspecified internal error", "its decoder gives up")
        if len(block) == 0:
            break
        mono, bad = _checked(_to_mono(block), rate, position_s)
        left -= len(block)
        position_s += len(mono) / rate
        yield resampler.resample_chunk(mono)
        if bad:
            raise bad
    # What the resampler's filter still holds back.
    yield resampler.resample_chunk(np.empty(0, np.float32), last=True)
    if sound.frames >= UNKNOWN_FRAMES and "psf_fseek" in wrong:
        wrong = ""  # The end of a file that does not know where it ends.
    if wrong and position_s == request.start_s:
        raise RefusedError(f"corrupt at {position_s:.1f} s ({wrong})")
    _compare_length(request, header, position_s, wrong, tell)


def _compare_length(
    request: Request, header: Header, position_s: float, wrong: str, tell: Tell
) -> None:
    """Tell of a sound, or a section, that is shorter than its header promises."""
    wanted_s = header.promised_s
    if request.duration_s is not None:
        wanted_s = min(wanted_s, request.start_s + request.duration_s)
    missing_s = max(SHORTEST_MISSING_S, min(MISSING_S, MISSING_SHARE * header.promised_s))
    short = position_s < wanted_s - missing_s
    if short or (wrong and header.kind != "MP3"):  # mpg123 stumbles over what follows the music.
        why = f" ({wrong})" if wrong else ""
        promised = f" of {header.promised_s:.1f} s" if header.promised_s else ""
        tell(f"ends early: {position_s:.1f} s{promised}{why}; what was there is used")


def _to_mono(block: Floats) -> Floats:
    """Average the channels; adding columns is ten times as fast as ``mean(axis=1)``."""
    mono = block[:, 0].copy()
    for channel in range(1, block.shape[1]):
        mono += block[:, channel]
    mono /= np.float32(block.shape[1])
    return mono


def _checked(mono: Floats, rate: int, position_s: float) -> tuple[Floats, RefusedError | None]:
    """Give the part of a block that is sound, and what is wrong after it."""
    if position_s > LONGEST_S:
        return mono[:0], RefusedError("longer than 24 hours: the rest is left out")
    # Written so that NaN, which compares as False with everything, fails too.
    good = np.abs(mono) < LARGEST_SAMPLE
    if good.all():
        return mono, None
    at = int(np.argmin(good))
    words = (
        f"samples that are not numbers or far above full scale at {position_s + at / rate:.2f} s"
    )
    return mono[:at], RefusedError(words)


def _no_audio(path: str, tried: str) -> RefusedError:
    kind, _ = mimetypes.guess_type(Path(path).name)
    if kind is not None and kind.startswith(("audio/", "video/")):
        return RefusedError(f"corrupt: named as {kind}, but {tried}")
    return RefusedError(f"not audio: {tried}")


def _ffprobe(request: Request) -> Header:
    if None in request.programs:
        tried = "libsndfile can't read it (install ffmpeg for more formats)"
        raise _no_audio(request.path, tried) from None
    entries = "stream=sample_rate,channels:format=duration,format_name"
    command = [str(request.programs[1]), "-v", "error", *SAFELY, "-select_streams", "a:0"]
    # "file:" keeps a name like "concat:x" or "-i" from being read as anything else.
    command += ["-show_entries", entries, "-of", "json", f"file:{request.path}"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        answer = json.loads(done.stdout)
        stream, container = answer["streams"][0], answer["format"]
        rate, channels = int(stream["sample_rate"]), int(stream["channels"])
        seconds = float(container.get("duration", 0))
        known = KNOW_LENGTH & set(container["format_name"].split(","))
    except (ValueError, LookupError):
        tried = "neither libsndfile nor ffmpeg can read it"
        raise _no_audio(request.path, tried) from None
    header = Header(seconds, rate, channels, seconds if known else 0.0)
    header.check()
    return header


def _read_with_ffmpeg(request: Request, header: Header, tell: Tell) -> Iterator[Floats]:
    section = ["-ss", str(request.start_s)]
    section += [] if request.duration_s is None else ["-t", str(request.duration_s)]
    command = [str(request.programs[0]), "-v", "error", "-nostdin", "-threads", "1", *SAFELY]
    command += [*section, "-i", f"file:{request.path}", "-map", "0:a:0", "-ac", "1"]
    command += ["-ar", str(request.rate), "-f", "f32le", "-"]
    position_s = request.start_s
    # Signals stay ignored: more words than WRITTEN_BYTES must not end it.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, restore_signals=False)
    assert process.stdout is not None
    try:
        while data := process.stdout.read(4 * round(request.block_s * request.rate)):
            block = np.frombuffer(data[: len(data) // 4 * 4], np.float32)
            mono, bad = _checked(block, request.rate, position_s)
            position_s += len(mono) / request.rate
            yield mono
            if bad:
                raise bad
    finally:
        process.kill()
    status = process.wait()
    if position_s == request.start_s:
        raise _no_audio(request.path, "neither libsndfile nor ffmpeg can read it")
    _compare_length(request, header, position_s, f"ffmpeg: {status}" if status > 0 else "", tell)


def ogg_damage(path: Path) -> str:
    """Name what is wrong with an OGG file's pages: damaged, missing, no last one (notebook 01).

    The decoders pass over it silently. Each page carries its number and a CRC: zlib's, but with the
    bits of each byte in the other order.
    """
    pages, lost, at = 0, 0, 0
    numbers: dict[bytes, int] = {}
    unended: set[bytes] = set()
    with path.open("rb") as file:
        if file.read(len(OGG)) != OGG:
            return ""
        while (at := _find_page(file, at)) >= 0:
            head = file.read(OGG_HEADER)
            table = file.read(head[-1]) if len(head) == OGG_HEADER else b""
            body = file.read(sum(table))
            stored = int.from_bytes(head[22:26].translate(_BITS_REVERSED), "big")
            page = (head[:22] + bytes(4) + head[26:] + table + body).translate(_BITS_REVERSED)
            if zlib.crc32(page, 0xFFFFFFFF) ^ 0xFFFFFFFF != stored:
                at += 1  # The next number will tell that it is missing.
                continue
            pages += 1
            at += len(page)
            serial, number = head[14:18], int.from_bytes(head[18:22], "little")
            lost += abs(number - numbers.get(serial, number))
            numbers[serial] = number + 1
            (unended.discard if head[5] & OGG_END else unended.add)(serial)
    if unended:
        return "ends early: its last page is missing; what was there is used"
    return f"damaged: {lost} of {pages + lost} pages; what can be decoded is used" if lost else ""


def _find_page(file: IO[bytes], at: int) -> int:
    """Go to the next page from `at` on; -1 if there is none."""
    file.seek(at)
    while len(chunk := file.read(2**12)) >= len(OGG):
        found = chunk.find(OGG)
        if found >= 0:
            file.seek(at + found)
            return at + found
        at += len(chunk) - len(OGG) + 1
        file.seek(at)
    return -1


def answer(request: Request, log: IO[bytes], send: Callable[..., None]) -> None:
    """Read a file and send what it is, what it holds and what is wrong with it (notebook 01)."""
    told: list[str] = []
    try:
        header, read = open_sound(request)
        if request.header_only:
            return send(info=[header.duration_s, header.rate, header.channels])
        for block in read(told.append):
            send(block)
        if damage := ogg_damage(Path(request.path)):
            told = [damage]
        elif not told and (words := _said(log)):
            told = [f"damaged ({words}); what can be decoded is used"]
        for words in told:
            send(damage=words)
        send(end=True)
    except RefusedError as error:
        send(error=str(error))
    except MemoryError:
        send(error=f"can't be decoded in {MEMORY_BYTES / 1e9:.1f} GB of memory")
    # Whatever it is, it costs this file only.
    except Exception as error:
        send(error=f"can't be decoded ({type(error).__name__}: {error})".replace("\n", " "))
    finally:
        log.truncate(0)
        os.lseek(2, 0, os.SEEK_SET)
    return None


def _said(log: IO[bytes]) -> str:
    """Choose what matters of what libraries and ffmpeg printed."""
    log.seek(0)
    lines = log.read(WRITTEN_BYTES).decode(errors="replace").splitlines()
    # mpg123 warns of large tags; ffmpeg gives addresses in memory.
    lines = [line for line in lines if not line.startswith("Warning: ")]
    return re.sub(r"^Note: |\[.+? @ 0x\w+\] ", "", lines[0]).rstrip(".") if lines else ""


def _limit() -> None:
    if resource is None:
        return
    for kind, most in (("AS", MEMORY_BYTES), ("CORE", 0), ("FSIZE", WRITTEN_BYTES)):
        # Some systems know no such limit.
        with suppress(ValueError, OSError, AttributeError):
            number = getattr(resource, f"RLIMIT_{kind}")
            _, hard = resource.getrlimit(number)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(number, (most, most))


def _listen(requests: SimpleQueue[bytes]) -> None:
    """Take requests, and notice at once, even while a library hangs, that nobody asks any more."""
    for line in sys.stdin.buffer:
        requests.put(line)
    if sys.platform == "win32":
        os._exit(0)
    os.killpg(0, signal.SIGKILL)  # with ffmpeg


def main() -> None:
    """Answer requests until there are no more (notebook 01)."""
    _limit()
    out = os.fdopen(os.dup(1), "wb")
    log = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (as long as the process)
    for printed in (1, 2):
        os.dup2(log.fileno(), printed)

    def send(samples: Floats | None = None, **message: Any) -> None:
        data = b"" if samples is None else samples.tobytes()
        out.write(json.dumps(message | {"bytes": len(data)}).encode() + b"\n" + data)
        out.flush()

    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        answer(Request(**json.loads(requests.get())), log, send)


if __name__ == "__main__":
    main()
