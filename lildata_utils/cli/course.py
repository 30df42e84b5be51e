"""The course: `lildata check`, `course` and `demo`."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from lildata_utils.cli.options import add_settings, chosen, names
from lildata_utils.cli.output import Add, fail
from lildata_utils.course.profiles import PROFILES
from lildata_utils.show.settings import Demo


def add_commands(add: Add) -> None:
    """Add the commands of this module (README)."""
    sub = add("check", _check, "say whether everything is there that the course needs")
    sub.add_argument("--json", action="store_true", help="for machines")

    sub = add("course", _course, "run the notebooks and write the course as pages")
    sub.add_argument("--profile", choices=tuple(PROFILES), default="quick", help="(default quick)")
    sub.add_argument("--only", type=names, metavar="01,02", help="only these notebooks")
    sub.add_argument("--out", type=Path, metavar="FOLDER", help="(default course/)")

    sub = add("demo", _demo, "paint styles and tell genres in browsers that have its token")
    add_settings(sub, Demo)
    sub.add_argument(
        "--no-browser", action="store_false", dest="browser", help="open none, only print where"
    )


def _check(options: argparse.Namespace) -> int:
    from lildata_utils.course.check import checks

    results = []
    for result in checks():
        results.append(result)
        if not options.json:
            print(result, flush=True)
    if options.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    return 0 if all(result.ok for result in results) else 1


def _course(options: argparse.Namespace) -> int:
    from lildata_utils.course import run
    from lildata_utils.files import COURSE_FOLDER

    failed, out = 0, options.out or COURSE_FOLDER
    for step in run.run(
        options.profile, only=options.only or (), out=out, progress=sys.stderr.isatty()
    ):
        place = f"[{step.number}/{step.notebooks}] {step.notebook}"
        if step.seconds is None:
            print(f"{place} …", flush=True)
        elif step.error:
            failed = fail(f"{step.notebook} failed after {step.seconds:.0f} s: {step.error}")
        else:
            print(f"{place}: {step.seconds:.0f} s", flush=True)
    print(f"{out}/index.html: the course as pages, with all times")
    return failed


def _demo(options: argparse.Namespace) -> int:
    from lildata_utils.show.demo import serve

    serve(chosen(options, Demo), options.browser)
    return 0
