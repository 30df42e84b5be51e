"""Work in other processes, here and on a cluster: results, errors, and what a killed one costs."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from lildata_utils import parallel
from lildata_utils.cli.main import main
from lildata_utils.errors import LilDataError
from lildata_utils.parallel import KILLED, apart, map_unordered


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


# --- many jobs -----------------------------------------------------------------------------------


def write_number(job):
    """Write a number into a file; kill this process at the first try, or at every one."""
    out, number, fate = job
    tries = out / f"tries of {number}"
    with tries.open("a") as file:
        file.write("x")
    if fate == "killed" or (fate == "killed once" and tries.stat().st_size == 1):
        time.sleep(0.3)  # Dask may give up a worker that dies as it starts.
        os.kill(os.getpid(), signal.SIGKILL)
    if fate == "failed":
        raise LilDataError("the music is gone")
    return number, os.getpid()


def done(out, fates, workers, **options):
    jobs = [(out, number, fate) for number, fate in enumerate(fates)]
    ended = map_unordered(write_number, jobs, workers, poll_s=0.05, **options)
    return {job[1]: result for job, result in filter(None, ended)}


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(params=["processes", pytest.param("cluster", marks=pytest.mark.slow)])
def workers(request):
    return 2 if request.param == "processes" else request.getfixturevalue("cluster")


def test_a_killed_process_costs_only_one_more_try_of_its_job(tmp_path, workers):
    results = done(tmp_path, ["", "killed once", "", ""], workers, shared=tmp_path / "new")
    assert {number: result[0] for number, result in results.items()} == {n: n for n in range(4)}
    assert os.getpid() not in {result[1] for result in results.values()}
    assert (tmp_path / "tries of 1").read_text() == "xx"
    assert list((tmp_path / "new").glob("*")) == []


def test_a_job_that_always_kills_is_told_and_the_others_are_done(tmp_path, workers):
    results = done(tmp_path, ["", "killed", "", ""], workers, lost=lambda job, why: (job[1], why))
    assert results[1] == (1, KILLED)
    assert sorted(results) == [0, 1, 2, 3]


def test_without_words_for_it_a_lost_job_is_an_error_when_all_are_done(tmp_path, monkeypatch):
    fates = {"fine": "fine", "killed": parallel._LOST, "too": parallel._LOST, "last": "last"}
    monkeypatch.setattr(parallel, "_on_processes", lambda *_: (one for one in fates.items()))
    ended = map_unordered(str, list(fates), 2)
    assert [next(ended), next(ended)] == [("fine", "fine"), ("last", "last")]
    with pytest.raises(LilDataError, match=r"killed \(and 1 more\): its worker process was killed"):
        next(ended)


def test_an_error_in_a_job_is_raised_here(tmp_path, workers):
    with pytest.raises(LilDataError, match="the music is gone"):
        done(tmp_path, ["failed"] * 3, workers)


def test_when_all_are_killed_not_every_job_is_tried(tmp_path, monkeypatch):
    monkeypatch.setattr(parallel, "HOPELESS", 3)
    with pytest.raises(LilDataError, match="3 worker processes were killed and none did its job"):
        done(tmp_path, ["killed"] * 20, 2)
    assert len(list(tmp_path.glob("tries*"))) < 8


def count_far_away(number):
    return list(apart(count, number))[1:]


@pytest.mark.slow
def test_a_job_on_a_cluster_may_start_a_process(cluster):
    ended = dict(filter(None, map_unordered(count_far_away, [2, 3], cluster)))
    assert ended == {2: [0, 1], 3: [0, 1, 2]}


def test_a_cluster_works_in_this_folder_and_must_share_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path.parent)  # and back at the end
    there = parallel._on_worker(Path.exists, Path("x"), tmp_path, None)
    (tmp_path / "x").touch()
    assert (there, parallel._on_worker(Path.exists, Path("x"), tmp_path, None)) == (False, True)
    for folder, token in ((tmp_path / "gone", None), (tmp_path, tmp_path / "gone")):
        with pytest.raises(LilDataError, match=r"does not see .*gone: the machines of a cluster"):
            parallel._on_worker(Path.exists, Path("x"), folder, token)


def test_without_dask_or_its_scheduler_one_line_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(parallel, "ANSWER_S", 0.2)
    for address, words in (
        ("127.0.0.1:9", "at 127.0.0.1:9 does not answer within 0.2 s: run `dask scheduler`"),
        ("nonsense", "'nonsense' is no address of a Dask scheduler: expected HOST:PORT"),
    ):
        with pytest.raises(LilDataError, match=words):
            done(tmp_path, [""], address)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(LilDataError, match=r"not installed: install lildata-utils\[dask\]"):
        done(tmp_path, [""], "127.0.0.1:9")


@pytest.mark.slow
def test_a_cluster_writes_the_same_bytes(tmp_path, cluster, capsys):
    crate = ["--tracks", "1", "--seconds", "11", "--genres", "noise,house"]
    for name, how in (("here", ["--workers", "1"]), ("far", ["--dask", cluster])):
        music, out = str(tmp_path / name / "music"), str(tmp_path / name / "set")
        assert main(["crate", music, *crate, *how]) == 0
        # Of the same files: a data set notes their times.
        here = str(tmp_path / "here" / "music")
        assert main(["prepare", here, out, "--split", "clip", *how]) == 0
    files = {path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("*.*")}
    assert len(files) == 4 + 2 * 2 + 3
    for file in files:
        assert (tmp_path / "far" / file).read_bytes() == (tmp_path / "here" / file).read_bytes()


@pytest.mark.slow
def test_a_cluster_hears_what_one_machine_hears(tmp_path, cluster):
    music = str(tmp_path / "music")
    assert (
        main(["crate", music, "--tracks", "1", "--seconds", "11", "--genres", "noise,house"]) == 0
    )
    tables = []
    for name, how in (("here", []), ("far", ["--dask", cluster])):
        assert main(["classify", music, "--csv", str(tmp_path / name), *how]) == 0
        tables.append(pd.read_csv(tmp_path / name))
    assert len(tables[0]) == 2
    pd.testing.assert_frame_equal(*tables, atol=1e-3)


@pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
def test_ctrl_c_while_workers_start_is_one_line(tmp_path):
    command = [sys.executable, "-m", "lildata_utils", "crate", str(tmp_path), "--tracks", "9"]
    process = subprocess.Popen(
        [*command, "--workers", "4"], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    workers = psutil.Process(process.pid)
    while not workers.children() and process.poll() is None:
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it
    _, error = process.communicate(timeout=60)
    assert error == "lildata: stopped; the same command goes on from here\n"
    assert process.returncode == 1
