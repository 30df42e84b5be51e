"""A generator in a process of its own: what it yields, how it fails, and that it ends."""

import os
import signal
import time

import psutil
import pytest

from lildata_utils.errors import LilDataError
from lildata_utils.parallel import apart


def count(numbers):
    yield os.getpid()
    yield from range(numbers)


def fail():
    yield 1
    raise LilDataError("the music is gone")


def die():
    yield 1
    os.kill(os.getpid(), signal.SIGKILL)


def wait():
    yield os.getpid()
    time.sleep(600)


def test_it_yields_what_the_other_process_yields():
    process, *numbers = apart(count, 3)
    assert process != os.getpid()
    assert numbers == [0, 1, 2]
    assert not psutil.pid_exists(process) or psutil.Process(process).status() == "zombie"


def test_an_error_over_there_is_raised_here():
    values = apart(fail)
    assert next(values) == 1
    with pytest.raises(LilDataError, match="the music is gone"):
        next(values)


def test_a_killed_process_is_told():
    values = apart(die)
    assert next(values) == 1
    with pytest.raises(LilDataError, match="ended with status -9, maybe for lack of memory"):
        next(values)


def test_a_closed_generator_ends_its_process():
    values = apart(wait)
    process = psutil.Process(next(values))
    values.close()
    assert not process.is_running() or process.status() == "zombie"
