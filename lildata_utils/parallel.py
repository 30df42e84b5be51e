"""Work in other processes, with results as they come."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from typing import Any, TypeVar

from lildata_utils.errors import LilDataError

Job = TypeVar("Job")
Result = TypeVar("Result")


def map_unordered(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    workers: int,
    poll_s: float = 0.5,
) -> Iterator[tuple[Job, Result] | None]:
    """Call ``function(job)`` for every job on `workers` processes (README).

    Parameters
    ----------
    function : callable
        A function of a module (it is sent to the processes by name).
    jobs : sequence
        Started in this order: put the longest first to keep all processes busy to the end.
    workers : int
        Number of processes; 1 calls the function in this process.
    poll_s : float
        While nothing ends, yield None about this often, so that the caller can draw progress.

    Yields
    ------
    (job, result) or None
        In the order in which the jobs end. An error in a job is raised here.
    """
    if workers <= 1 or not jobs:
        for job in jobs:
            yield job, function(job)
        return
    # "spawn": forking a process in which TensorFlow runs its threads hangs.
    with ProcessPoolExecutor(
        max_workers=min(workers, len(jobs)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_end_with_parent,
    ) as pool:
        waiting = {pool.submit(function, job): job for job in jobs}
        try:
            while waiting:
                done, _ = wait(waiting, timeout=poll_s, return_when=FIRST_COMPLETED)
                if not done:
                    yield None
                for future in done:
                    yield waiting.pop(future), future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def apart(function: Callable[..., Iterator[Result]], *arguments: Any) -> Iterator[Result]:
    """Run a generator function of a module in a process of its own; yield what it yields (README).

    What TensorFlow does not give back, it gives back when its process ends.

    Raises
    ------
    LilDataError
        If the process is killed, by the system for lack of memory perhaps. An error in the
        generator is raised here, too.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(sender, function, arguments), daemon=True)
    process.start()
    sender.close()  # The child has the only one now: when it dies, we hear of it.
    try:
        while True:
            try:
                kind, value = receiver.recv()
            except EOFError:
                process.join()
                raise LilDataError(
                    f"a worker process ended with status {process.exitcode}, maybe for lack of "
                    "memory: close other programs and run the same again, it goes on"
                ) from None
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        process.terminate()
        process.join()
        receiver.close()


def _send(
    sender: Any, function: Callable[..., Iterator[Result]], arguments: tuple[Any, ...]
) -> None:
    _end_with_parent()
    try:
        for value in function(*arguments):
            sender.send(("value", value))
        sender.send(("end", None))
    # Whatever it is, it belongs to the caller.
    except Exception as error:
        sender.send(("error", error))


def _end_with_parent() -> None:
    """End this process when its parent is gone: a killed run leaves no workers behind."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
