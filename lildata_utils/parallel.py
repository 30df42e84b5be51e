"""Work in other processes, of this machine or of a Dask cluster, with results as they come."""

import logging
import multiprocessing
import os
import platform
import re
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from multiprocessing import connection, resource_tracker
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from lildata_utils.errors import LilDataError

Job = TypeVar("Job")
Result = TypeVar("Result")
# Jobs with their results as they end; None while nothing does.
_Ended = Generator[tuple[Job, Result] | None, None, None]
# Processes of this machine, or the address of a Dask scheduler.
Workers = int | str

KILLED = "its worker process was killed, and killed again as it was tried once more"
# A killed process costs its job only, unless this many were killed before any did its job.
HOPELESS = 10
# How long a scheduler may take to answer, be without workers, and a process to leave.
ANSWER_S = 10
ALONE_S = 60
LEAVE_S = 5.0
_LOST: Any = object()  # in place of a job's result
_TURN = threading.Lock()


def map_unordered(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    workers: Workers,
    lost: Callable[[Job, str], Result] | None = None,
    shared: Path | None = None,
    poll_s: float = 0.5,
) -> Iterator[tuple[Job, Result] | None]:
    """Call ``function(job)`` for every job on `workers` (README).

    Parameters
    ----------
    function : callable
        A function of a module (it is sent to the processes by name).
    jobs : sequence
        Started in this order: put the longest first to keep all processes busy to the end.
    workers : int or str
        A number of processes; 1 calls the function in this process. Or the address of a Dask
        scheduler: each of its worker processes does one job at a time, in this working folder.
    lost : callable, optional
        Makes the result of a job that kills its worker whenever it is tried, of the job and the
        reason. Without it, such jobs are an error, raised when all others are done.
    shared : Path, optional
        Where the results are written: a cluster's machines must see it at the same path.
    poll_s : float
        While nothing ends, yield None about this often, so that the caller can draw progress.

    Yields
    ------
    (job, result) or None
        In the order in which the jobs end. An error in a job is raised here.

    Raises
    ------
    LilDataError
        If no cluster answers, or its machines don't share the folders.
    """
    if isinstance(workers, int) and workers < 1:
        raise LilDataError(f"{workers} workers: expected 1 or more")
    ended: _Ended[Job, Result]
    if workers == 1 or not jobs:
        ended = ((job, function(job)) for job in jobs)
    elif isinstance(workers, str):
        ended = _on_cluster(function, jobs, workers, shared, poll_s)
    else:
        ended = _on_processes(function, jobs, workers, poll_s)
    killed = []
    with closing(ended):
        for one in ended:
            if one is None or one[1] is not _LOST:
                yield one
            elif lost is not None:
                yield one[0], lost(one[0], KILLED)
            else:
                killed.append(str(one[0]))
    if killed:
        more = f" (and {len(killed) - 1} more)" if len(killed) > 1 else ""
        raise LilDataError(f"{killed[0]}{more}: {KILLED}, maybe for lack of memory")


def apart(function: Callable[..., Iterator[Result]], *arguments: Any) -> Iterator[Result]:
    """Run a generator function of a module in a process of its own; yield what it yields (README).

    What TensorFlow does not give back, it gives back when its process ends.

    Raises
    ------
    LilDataError
        If the process is killed, by the system for lack of memory perhaps. An error in the
        generator is raised here, too.
    """
    process = _Process(_send_all, function, arguments)
    try:
        while (answer := process.answer()) is not None:
            kind, value = answer
            if kind == "end":
                return
            yield value
        raise LilDataError(
            f"a worker process ended with status {process.status()}, maybe for lack of "
            "memory: close other programs and run the same again, it goes on"
        )
    finally:
        process.leave()
        process.end()


class _Process:
    """A process with a pipe to it, which ends with this one and does not hear of Ctrl-C."""

    def __init__(self, task: Callable[..., None], *arguments: Any) -> None:
        # "spawn": forking a process in which TensorFlow runs its threads hangs.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_begin, args=(theirs, task, *arguments), daemon=True)
        with _interrupts_held():
            self._process.start()
        theirs.close()  # The child has the only one now: when it dies, we hear of it.

    def answer(self) -> tuple[str, Any] | None:
        """Wait for what it sends; None if it was killed. What it raised is raised here."""
        try:
            kind, value = self.pipe.recv()
        except (EOFError, OSError):
            return None
        if kind == "error":
            raise value
        return kind, value

    def status(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def leave(self) -> None:
        """Ask it to remove what it has half written, and to go."""
        self._process.terminate()

    def end(self) -> None:
        self._process.join(LEAVE_S)
        self._process.kill()
        self._process.join()
        self.pipe.close()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let processes that start here be deaf to Ctrl-C from their first moment: their parent acts.

    A terminal sends it to all of them, and each would print where it was.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # else it starts with the process, and lets signals through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    # The signal may reach another thread, and Python would still stop this one half-way.
    came: list[int] = []
    handler = None
    if threading.current_thread() is threading.main_thread():
        handler = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if came:
        raise KeyboardInterrupt


def _begin(pipe: Any, task: Callable[..., None], *arguments: Any) -> None:
    """Do a task in this process, which ends when its parent is gone."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        task(pipe, *arguments)
    # Whatever it is, it belongs to the caller.
    except Exception as error:
        if not isinstance(error, LilDataError):
            error.add_note(traceback.format_exc())
        with suppress(OSError):
            pipe.send(("error", error))
    except SystemExit:
        os._exit(1)  # Libraries' threads would be waited for.
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _send_all(
    pipe: Any, function: Callable[..., Iterator[Any]], arguments: tuple[Any, ...]
) -> None:
    for value in function(*arguments):
        pipe.send(("value", value))
    pipe.send(("end", None))


def _do_jobs(pipe: Any, function: Callable[[Any], Any]) -> None:
    while True:
        pipe.send(("value", function(pipe.recv())))


def _on_processes(
    function: Callable[[Job], Result], jobs: Sequence[Job], workers: int, poll_s: float
) -> _Ended[Job, Result]:
    again: list[Job] = []
    done = 0
    with closing(_by_team(function, jobs, workers, poll_s)) as ended:
        for one in ended:
            if one is None or one[1] is not _LOST:
                done += one is not None
                yield one
                continue
            again.append(one[0])
            if not done and len(again) == HOPELESS:
                raise LilDataError(
                    f"{HOPELESS} worker processes were killed and none did its job, maybe for lack "
                    "of memory: close other programs or try --workers 1"
                )
    # Alone: what was too much beside others may find the memory it needs.
    yield from _by_team(function, again, 1, poll_s)


def _by_team(
    function: Callable[[Job], Result], jobs: Sequence[Job], size: int, poll_s: float
) -> _Ended[Job, Result]:
    """Let a team of processes do jobs; that of a killed one is _LOST, and a new one follows."""
    todo = deque(jobs)
    idle: list[_Process] = []
    busy: dict[Any, tuple[_Process, Job]] = {}
    try:
        while todo or busy:
            while todo and len(busy) < size:
                process = idle.pop() if idle else _Process(_do_jobs, function)
                busy[process.pipe] = process, todo.popleft()
                with suppress(OSError):  # Killed while it was idle: it won't answer.
                    process.pipe.send(busy[process.pipe][1])
            ready = connection.wait(list(busy), poll_s)
            if not ready:
                yield None
            for pipe in ready:
                process, job = busy[pipe]
                answer = process.answer()
                del busy[pipe]
                if answer is None:
                    process.end()
                    yield job, _LOST
                else:
                    idle.append(process)
                    yield job, answer[1]
    finally:
        team = idle + [process for process, _ in busy.values()]
        for process in team:
            process.leave()
        for process in team:
            process.end()


def _on_cluster(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    address: str,
    shared: Path | None,
    poll_s: float,
) -> _Ended[Job, Result]:
    client = _connect(address)
    from distributed import KilledWorker

    folder, token = Path.cwd(), None
    ended: SimpleQueue[Any] = SimpleQueue()
    try:
        if shared is not None:
            # A file that nobody has looked for yet; network file systems remember what was missing.
            token = shared.resolve() / f".shared.{platform.node()}-{os.getpid()}-{id(ended)}"
            token.parent.mkdir(parents=True, exist_ok=True)
            token.touch()
        waiting, heard = {}, time.monotonic()
        for job in jobs:
            future = client.submit(_on_worker, function, job, folder, token, pure=False)
            waiting[future.key] = future, job
            future.add_done_callback(ended.put)
        while waiting:
            try:
                future, job = waiting.pop(ended.get(timeout=poll_s).key)
                heard = time.monotonic()
            except Empty:
                # A worker that dies as it starts may be given up by Dask, and no other come.
                alone = time.monotonic() > heard + ALONE_S and not client.nthreads()
                if alone or client.status != "running":
                    raise _gone(address) from None
                yield None
                continue
            if future.cancelled():
                raise _gone(address)
            try:
                result = future.result()
            except KilledWorker:
                result = _LOST
            yield job, result
    finally:
        if token is not None:
            token.unlink(missing_ok=True)
        # Its jobs that have not begun are forgotten with it.
        client.close(timeout=ANSWER_S)


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise LilDataError("Dask is not installed: install lildata-utils[dask]") from None
    if not re.fullmatch(r"(\w+://)?[^\s/]+:\d+", address):
        raise LilDataError(f"{address!r} is no address of a Dask scheduler: expected HOST:PORT")
    # What happens to a cluster, we say ourselves.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    client = None
    try:
        client = Client(address, timeout=ANSWER_S, set_as_default=False)
        client.wait_for_workers(1, timeout=ANSWER_S)
    except (OSError, ValueError):
        wrong = "has no workers" if client else "does not answer"
        if client:
            client.close()
        raise LilDataError(
            f"the Dask scheduler at {address} {wrong} within {ANSWER_S} s: run `dask scheduler`, "
            "and `dask worker ADDRESS --nthreads 1` once for each core"
        ) from None
    return client


def _gone(address: str) -> LilDataError:
    return LilDataError(
        f"the Dask scheduler at {address} is gone, or all of its workers: start them and run the "
        "same again, it goes on"
    )


def _on_worker(
    function: Callable[[Job], Result], job: Job, folder: Path, token: Path | None
) -> Result:
    """Do a job in a worker of a cluster, as it would be done at home."""
    # One at a time: threads would share the working folder, and TensorFlow's seeds.
    with _TURN:
        try:
            os.chdir(folder)
            if token is not None:
                token.stat()
        except OSError as error:
            raise LilDataError(
                f"{platform.node()} does not see {error.filename}: the machines of a cluster must "
                "share the working folder and that of the results, at the same paths"
            ) from None
        # Dask forbids its workers processes of their own, which `apart` needs.
        multiprocessing.current_process().daemon = False
        return function(job)
