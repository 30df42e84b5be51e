"""Processes that read inputs: one that crashes, hangs or eats memory is a failure, and replaced."""

import contextlib
import importlib
import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import psutil

from lildata_utils.machine import crowd

from . import targets
from .inputs import Input
from .targets import FAILURE, Outcome

HANG_S = 30.0
MEMORY_BYTES = 2_000_000_000
LOOK_S = 0.1


class Worker:
    """A process that reads inputs one after the other; it is started when it is needed."""

    def __init__(self, assets: Path, hang_s: float = HANG_S) -> None:
        self._assets, self._hang_s = assets, hang_s
        self._process: Any = None
        self._pipe: Any = None

    def run(self, made: Input) -> Outcome:
        """Let it read an input; whatever becomes of the process, there is an outcome."""
        if self._process is None or not self._process.is_alive():
            self._start()
        self._pipe.send(made)
        started, call = time.monotonic(), " ".join(made.command[:2])
        while not self._pipe.poll(LOOK_S):
            if not self._process.is_alive() and not self._pipe.poll(0):
                status = self._process.exitcode
                self.end()
                return Outcome(FAILURE, f"the process ended with {status}", f"{call}: a crash")
            if self._memory() > MEMORY_BYTES:
                self.end()
                return Outcome(FAILURE, "more than 2 GB", f"{call}: memory")
            if time.monotonic() - started > self._hang_s * crowd():
                self.end()
                return Outcome(FAILURE, f"more than {self._hang_s:.0f} s", f"{call}: a hang")
        try:
            outcome: Outcome = self._pipe.recv()
        except EOFError:
            self.end()
            return Outcome(FAILURE, "the process ended", f"{call}: a crash")
        return outcome

    def end(self) -> None:
        """Kill the process with all that it started."""
        if self._process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                for child in psutil.Process(self._process.pid).children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        child.kill()
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._process = None

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, self._assets))
        self._process.start()
        theirs.close()
        self._pipe.recv()  # what is slow to import is there

    def _memory(self) -> int:
        """Count what the process and those that it started hold."""
        total = 0
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._process.pid)
            for one in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    total += one.memory_info().rss
        return total


def serve(pipe: Any, assets: Path) -> None:
    """Read what comes until nobody is there any more."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for module in ("learning.runs", "transfer.files", "show.chooser", "genre.sweep"):
        importlib.import_module(f"lildata_utils.{module}")
    pipe.send("ready")
    while True:
        try:
            made = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            os._exit(0)
        pipe.send(targets.run(made, assets))
