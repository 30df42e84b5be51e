"""The `lildata` command: reads arguments, calls the functions that the notebooks call, prints.

Heavy modules are imported inside the commands, so that `lildata --help` answers at once.
"""

import argparse
import io
import signal
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lildata_utils import __version__
from lildata_utils.cli import classify, course, export, generate, genre, judges, music, sound
from lildata_utils.cli.output import Command, fail
from lildata_utils.errors import LilDataError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (README).

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of those that the shell gave.

    Returns
    -------
    int
        0 if all went well, 1 if it failed (a line on stderr says why). Wrong arguments exit with 2.
    """
    for stream in (sys.stdout, sys.stderr):
        # Any name can be printed, also on a terminal that knows ASCII alone.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = make_parser().parse_args(arguments)
    try:
        with _stoppable(), warnings.catch_warnings():
            if not sys.warnoptions:
                warnings.simplefilter("ignore")  # they are for who programs
            _check_names(options)
            status: int = options.command(options)
            return status
    except LilDataError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return fail(f"stopped; {options.stopped}")
    except BrokenPipeError:
        # Whoever read our output (`| head`) has seen enough; nothing more can be written there.
        with suppress(OSError):
            sys.stdout.close()
        return 0
    except OSError as error:
        return fail(f"{error.filename or 'the system'}: {error.strerror or error}")
    except RecursionError:
        return fail("an input is nested too deeply to be read")
    except Exception as error:
        # TensorFlow has an error of its own for it.
        if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
            return fail(
                "not enough memory: close other programs, or ask for less (shorter files, smaller "
                "--batch-size, --workers 1)"
            )
        return fail(f"a bug: {type(error).__name__}: {error}; {_written_down(arguments)}")


def _check_names(options: argparse.Namespace) -> None:
    for name, value in vars(options).items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str | Path) and "\0" in str(one):
                raise LilDataError(f"{name} {str(one)!r}: no file's name holds a NUL character")


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM stop a command as Ctrl-C does; the second of either ends it at once."""

    def stop(*_: Any) -> None:
        for number in before:
            signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt

    before: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            # Who started us in the background may want us deaf.
            if signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _written_down(arguments: Sequence[str] | None) -> str:
    """Write the error at hand into a file of its own, with what led to it; say where it is."""
    command = sys.argv[1:] if arguments is None else [*arguments]
    about = f"lildata {__version__}, Python {sys.version}, {sys.platform}\n{command}\n\n"
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="lildata-bug-",
            suffix=".txt",
            delete=False,
            encoding="utf-8",
            errors="replace",
        ) as file:
            file.write(about + traceback.format_exc())
    except OSError as error:
        return f"its details could not be written ({error.strerror})"
    return f"details in {file.name}, please send it with a report"


def make_parser() -> argparse.ArgumentParser:
    """Gather all commands with their options (README)."""
    parser = argparse.ArgumentParser(
        prog="lildata",
        description="Music as 631 x 631 spectrograms: prepare it, learn its genres, tell them.",
        epilog="Exit status: 0 all went well, 1 it failed, 2 wrong arguments.",
    )
    parser.add_argument("--version", action="version", version=f"lildata {__version__}")
    parser.add_argument(
        "--completion",
        action=_Completion,
        default=argparse.SUPPRESS,
        choices=("bash", "zsh"),
        help="print what makes the shell complete commands, options and files, and exit",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(
        name: str, command: Command, words: str, stopped: str = "the same command goes on from here"
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
        sub.set_defaults(command=command, stopped=stopped)
        return sub

    for group in (music, genre, classify, export, judges, generate, sound, course):
        group.add_commands(add)
    return parser


class _Completion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *given: Any) -> None:
        # Imported by nobody else: it would make every command start later.
        import shtab

        _, shell, _ = given
        _complete_files(parser, shtab.FILE)
        print(shtab.complete(parser, shell))
        parser.exit()


def _complete_files(parser: argparse.ArgumentParser, files: Any) -> None:
    """Tell shtab that what becomes a path is completed like one."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                _complete_files(sub, files)
        elif action.type is Path:
            vars(action)["complete"] = files
