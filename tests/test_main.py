"""The last net of the command line: whatever happens, one line says what and where."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lildata_utils import __main__
from lildata_utils.cli import course
from lildata_utils.cli.main import main


def raising(error):
    def command(options):
        raise error

    return command


def test_a_bug_is_one_line_and_its_details_lie_in_a_file(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(course, "_check", raising(ZeroDivisionError("a\nb")))
    assert main(["check"]) == 1
    told = capsys.readouterr().err
    assert re.fullmatch(r"lildata: a bug: ZeroDivisionError: a b; details in \S+, .*\n", told)
    details = Path(re.search(r"details in (\S+),", told)[1]).read_text()
    assert "Traceback" in details
    assert "['check']" in details


class ResourceExhaustedError(Exception):
    """TensorFlow's, by its name."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory"),
        (ResourceExhaustedError("OOM when allocating"), "not enough memory"),
        (RecursionError(), "nested too deeply"),
        (OSError(28, "No space left on device", "a.npy"), "a.npy: No space left"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_is_no_bug_has_its_own_words(monkeypatch, capsys, error, words):
    monkeypatch.setattr(course, "_check", raising(error))
    assert main(["check"]) == 1
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


def test_names_can_not_hide_a_nul_or_move_the_cursor(tmp_path, capsys):
    assert main(["test", "a\0b", str(tmp_path)]) == 1
    assert main(["test", str(tmp_path / "\x1b[2J\udcff"), str(tmp_path)]) == 1
    nul, cursor = capsys.readouterr().err.splitlines()
    assert "no file's name holds a NUL" in nul
    assert r"\x1b[2J\udcff is no run folder" in cursor


STOP = """
import os, sys, time
from lildata_utils.cli import course
from lildata_utils.cli.main import main
def check(options):
    print("caf\\udce9 \\u266b", flush=True)
    os.kill(os.getpid(), int(sys.argv[1]))
    time.sleep(60)
course._check = check
sys.exit(main(["check"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_is_one_line_and_an_ascii_terminal_shows_any_name(number):
    done = subprocess.run(
        [sys.executable, "-c", STOP, str(int(number))],
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.stdout == "caf\\udce9 \\u266b\n"
    assert re.fullmatch(r"lildata: stopped; .*\n", done.stderr)
    assert done.returncode == 1


def test_a_stop_while_modules_are_imported_is_one_line(monkeypatch, capsys):
    class Stopped:
        def find_spec(self, name, *_):
            if name == "lildata_utils.cli.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "lildata_utils.cli.main")
    monkeypatch.setattr(sys, "meta_path", [Stopped(), *sys.meta_path])
    assert __main__.main() == 1
    assert capsys.readouterr().err == "lildata: stopped before it began\n"
