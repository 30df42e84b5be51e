import os
import subprocess
import sys
import time

import psutil
import pytest

from lildata_utils.files import _HOST, remove_leftovers, written_beside


def leftover(folder, process):
    path = folder / f".shard.{_HOST}-{process}.partial.npy"
    path.touch()
    return path


def test_an_error_leaves_the_old_file_and_no_leftover(tmp_path):
    target = tmp_path / "report.txt"
    target.write_text("old")
    with pytest.raises(KeyboardInterrupt), written_beside(target) as beside:
        beside.write_text("half")
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["report.txt"]
    assert target.read_text() == "old"


def test_a_folder_is_written_beside_too(tmp_path):
    target = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt), written_beside(target) as beside:
        beside.mkdir()
        (beside / "model.keras").write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with written_beside(target) as beside:
        beside.mkdir()
        (beside / "model.keras").write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert (target / "model.keras").read_text() == "whole"


def test_only_the_dead_leave_leftovers(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    removed = leftover(tmp_path, dead.pid)
    folder = tmp_path / f".run.{_HOST}-{dead.pid}.partial"
    folder.mkdir()
    (folder / "model.keras").touch()
    kept = leftover(tmp_path, os.getpid())
    remove_leftovers(tmp_path)
    assert kept.exists()
    assert not removed.exists()
    assert not folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no zombies")
def test_a_dead_process_that_nobody_reaped_is_dead(tmp_path):
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    deadline = time.monotonic() + 20
    while psutil.Process(zombie.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    removed = leftover(tmp_path, zombie.pid)
    remove_leftovers(tmp_path)
    zombie.wait()
    assert not removed.exists()
