import errno
import os
import re
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import psutil
import pytest
from msgspec import Meta

from lildata_utils.errors import LilDataError
from lildata_utils.files import (
    _HOST,
    check_made_by,
    check_zip,
    picture_names,
    read_as,
    read_json,
    read_rows,
    remove_leftovers,
    write_json,
    write_text,
    written_beside,
)


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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such device")
def test_what_the_system_refuses_is_one_line_with_the_path(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "file").touch()
    for path, words in {
        tmp_path / "file" / "a.txt": "a.txt can't be written",
        tmp_path / ("n" * 300): "File name too long",
        tmp_path / "a\0b": "without NUL",
    }.items():
        with pytest.raises(LilDataError, match=words):
            write_text(path, "x")
    # A full disk may say so only when the file must reach it.
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LilDataError, match=r"b\.txt can't be written \(No space left on device\)"):
        write_text(tmp_path / "b.txt", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_long_name_is_written_beside_under_a_short_one(tmp_path):
    write_text(tmp_path / ("é" * 120 + ".txt"), "x")
    assert (tmp_path / ("é" * 120 + ".txt")).read_text() == "x"


def test_a_name_that_is_no_text_is_written_as_one_can_read_it(tmp_path):
    write_json(tmp_path / "a.json", ["caf\udce9"])
    assert b"caf\\udce9" in (tmp_path / "a.json").read_bytes()
    assert read_json(tmp_path / "a.json") == ["caf\udce9"]


def test_pictures_of_files_with_one_name_have_two():
    one, two, other = picture_names([Path("x/a.mp3"), Path("y/A.mp3"), Path("b.mp3")])
    assert other == "b.mp3.png"
    assert one != two.lower()
    assert re.fullmatch(r"a\.mp3\.[0-9a-f]{8}\.png", one)
    assert picture_names([Path("x/a.mp3")] * 2) == ["a.mp3.png"] * 2


def test_only_what_a_command_made_is_written_over(tmp_path):
    out, picture = tmp_path / "a.wav", tmp_path / "a.png"
    check_made_by("invert", out, inputs=[picture])
    with pytest.raises(LilDataError, match=r"a\.wav is also an input"):
        check_made_by("invert", out, inputs=[out])
    picture.touch()
    with pytest.raises(LilDataError, match=r"a\.png is there and no result of `lildata generate`"):
        check_made_by("generate", out, [picture])
    for content in ('{"command": "invert"}', "[1]", "{"):
        (tmp_path / "a.json").write_text(content)
        with pytest.raises(LilDataError, match="choose another name"):
            check_made_by("generate", out, [picture])
    (tmp_path / "a.json").write_text('{"command": "generate"}')
    check_made_by("generate", out, [picture])


def test_a_zip_that_unpacks_to_many_times_its_size_is_not_opened(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(2**27))
    with pytest.raises(LilDataError, match=r"would unpack to 0\.1 GB from 0\.1 MB"):
        check_zip(path)


def test_json_that_is_nested_too_deeply_is_told(tmp_path):
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(LilDataError, match=r"a\.json can't be read as JSON"):
        read_json(tmp_path / "a.json")


@dataclass(frozen=True)
class Cup:
    tea: str
    sugar: Annotated[float, Meta(ge=0, le=9)]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("green,x", "line 3, sugar: expected float, got str"),
        ("green,-1", "line 3, sugar: expected float >= 0.0"),
        ("green,nan", "line 3, sugar: expected float >= 0.0"),
        ("green", "line 3, sugar: expected float, got str"),
        ("green,1,2", "line 3: 3 fields, expected 2"),
    ],
)
def test_a_row_that_does_not_fit_is_told_with_its_line(tmp_path, rows, words):
    path = tmp_path / "cups.csv"
    path.write_text(f"tea,sugar\nblack, 1.5 \n{rows}\n")
    with pytest.raises(LilDataError, match=f"cups.csv.*{words}"):
        read_rows(path, Cup)
    path.write_text("tea,sugar\nblack, 1.5 \n")
    assert read_rows(path, Cup) == [Cup("black", 1.5)]


def test_json_that_does_not_fit_is_told_with_its_place(tmp_path):
    (tmp_path / "a.json").write_text('[{"tea": "green", "sugar": 1}, {"tea": 3}]')
    with pytest.raises(LilDataError, match=r"a\.json: \[1\]\.tea: expected str, got int"):
        read_as(tmp_path / "a.json", list[Cup])
