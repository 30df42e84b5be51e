"""The `lildata` command: reads arguments, calls the functions that the notebooks call, prints.

Heavy modules are imported inside the commands, so that `lildata --help` answers at once.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress

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
    except BrokenProcessPool:
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
    import shtab

    parser = argparse.ArgumentParser(
        prog="lildata",
        description="Music as 631 x 631 spectrograms: prepare it, learn its genres, tell them.",
        epilog="Exit status: 0 all went well, 1 it failed, 2 wrong arguments.",
    )
    parser.add_argument("--version", action="version", version=f"lildata {__version__}")
    shtab.add_argument_to(parser, "--completion", help="print a script for the shell, and exit")
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


