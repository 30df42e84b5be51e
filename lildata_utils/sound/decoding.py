"""Sound from strangers is opened in a process of its own (notebook 01).

A file at which a C library crashes, hangs or runs out of memory costs that process, which is
started anew, and is an `AudioError` like any other bad file. What the process does is in `decoder`.
"""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from lildata_utils.errors import LilDataError
from lildata_utils.machine import crowd
from lildata_utils.sound.spectrogram import SAMPLE_RATE, Floats

# How long a block of half a minute may take, of which a slow disk needs the most.
WAIT_S = 25.0
DECODER = Path(__file__).with_name("decoder.py")


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


class _Decoder:
    """A process that decodes; it ends with this one, and does not hear of Ctrl-C."""

    def __init__(self) -> None:
        # One thread: each would take address space from what the decoder may have.
        one = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(DECODER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | one,
            start_new_session=True,
        )
        self.late_s = 0.0

    def ask(self, request: dict[str, Any]) -> None:
        # A process that is gone is noticed when its answer does not come.
        with suppress(OSError):
            self.process.stdin.write(json.dumps(request).encode() + b"\n")  # type: ignore[union-attr]
            self.process.stdin.flush()  # type: ignore[union-attr]

    def answer(self) -> tuple[dict[str, Any], Floats] | None:
        """Wait for an answer; None if the process crashed, or was killed for being late."""
        # A good file is not given up because others keep the processor busy.
        wait_s = WAIT_S * crowd()
        watch = threading.Timer(wait_s, self._give_up, [wait_s])
        watch.daemon = True
        watch.start()
        try:
            out: Any = self.process.stdout
            line = out.readline()
            if not line.endswith(b"\n"):
                return None
            message = json.loads(line)
            samples = np.empty(message["bytes"] // 4, np.float32)
            whole = out.readinto(samples) == samples.nbytes
            return (message, samples) if whole else None
        finally:
            watch.cancel()

    def _give_up(self, waited_s: float) -> None:
        self.late_s = waited_s
        self._kill()

    def _kill(self) -> None:
        with suppress(OSError):
            if sys.platform == "win32":
                self.process.kill()
            else:
                os.killpg(self.process.pid, signal.SIGKILL)  # with ffmpeg

    def end(self) -> str:
        """Kill it, and say why it was about to end."""
        status = self.process.poll()
        self._kill()
        status = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        if self.late_s:
            return f"its decoder hung: nothing came in {self.late_s:.0f} s"
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        return f"its decoder crashed ({name})"


_idle: list[_Decoder] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)


@atexit.register
def _end_all() -> None:
    while _idle:
        _idle.pop().end()


def _ready() -> _Decoder:
    # Another thread may take the last one between a look and a grasp.
    with suppress(IndexError):
        while True:
            decoder = _idle.pop()
            if decoder.process.poll() is None:
                return decoder
            decoder.end()
    return _Decoder()


def ask(path: Path, **request: Any) -> Iterator[tuple[dict[str, Any], Floats]]:
    """Let a file be read; see `decoder.Request` (notebook 01).

    Yields
    ------
    message, samples : dict, ndarray of float32, shape (samples,)
        With "info" of what is wanted is the header; with "damage" if there is some.

    Raises
    ------
    AudioError
        If the file is no audio, or its decoder crashed, hung, or needed too much memory.
    """
    programs = [shutil.which("ffmpeg"), shutil.which("ffprobe")]
    decoder, done = _ready(), False
    decoder.ask({"path": str(path), "programs": programs, "rate": SAMPLE_RATE} | request)
    try:
        while (answer := decoder.answer()) is not None:
            message, _ = answer
            done = bool(message.keys() & {"info", "error", "end"})
            if "error" in message:
                raise AudioError(path, message["error"])
            yield answer
            if done:
                return
        raise AudioError(path, decoder.end())
    finally:
        if done:
            _idle.append(decoder)
        else:
            decoder.end()
