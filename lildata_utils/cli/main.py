"""The `lildata` command: reads arguments, calls the functions that the notebooks call, prints.

Heavy modules are imported inside the commands, so that `lildata --help` answers at once.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from lildata_utils import __version__
from lildata_utils.cli import course, genre, music, sound
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
    options = make_parser().parse_args(arguments)
    try:
        status: int = options.command(options)
        return status
    except LilDataError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return fail(f"stopped; {options.stopped}")
    except BrokenExecutor:
        return fail("a worker process was killed, maybe for lack of memory: try --workers 1")
    except BrokenPipeError:
        # Whoever read our output (`| head`) has seen enough; nothing more can be written there.
        with suppress(OSError):
            sys.stdout.close()
        return 0
    except OSError as error:
        return fail(f"{error.filename or 'the system'}: {error.strerror or error}")


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

    for group in (music, genre, sound, course):
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
