"""Some of `python -m tests.faults`: a kill, a stop, a full disk."""

import signal
import sys

import numpy as np
import pytest
from faults import Faults, build, build_shim, commands

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signals"),
    pytest.mark.skipif(sys.platform == "darwin", reason="forks of it may not use its libraries"),
]
PREPARE, INVERT = (
    next(one for one in commands() if one.name == name) for name in ("prepare", "invert")
)


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    # Neither of the two commands needs TensorFlow.
    imported = ("numba", "pandas", "scipy.signal", "soundfile")
    made = Faults(folder / "work", build(folder / "in"), build_shim(folder), imported)
    for command in (PREPARE, INVERT):
        made.undisturbed(command)
    yield made
    made.server.end()


def test_a_full_disk_is_one_line_and_leaves_nothing_half(faults):
    if faults.shim is None:
        pytest.skip("no C compiler")
    writes = faults.writes(INVERT)
    assert writes > 4
    for number in (writes // 2, writes):
        faults.full_disk(INVERT, number)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_is_one_line(faults, sign):
    faults.stop(PREPARE, sign, np.random.default_rng(1))


def test_a_killed_worker_costs_nothing(faults):
    # Drawn such that it is a worker and not the parent.
    seed = next(n for n in range(99) if np.random.default_rng(n).random() < 0.4)
    faults.kill(PREPARE, np.random.default_rng(seed))
