"""What reads an input, and what is wrong with its answer."""

import contextlib
import csv
import json
import math
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from lildata_utils.errors import LilDataError

from .inputs import CLI, Input

CLEAN, LINE, FAILURE = "clean", "line", "failure"


@dataclass(frozen=True)
class Outcome:
    """How an input ended."""

    status: str
    words: str = ""  # what was said
    sort: str = ""  # of a failure: those of one sort are one mistake


class WrongError(Exception):
    """An answer that looks right and is not."""


def run(made: Input, assets: Path) -> Outcome:
    """Write an input into a folder of its own, let it be read, judge."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="lildata-fuzz-") as place:
        folder = Path(place) / "in"
        folder.mkdir()
        made.write(folder, assets)
        filled = [fill(word, folder, assets) for word in made.command]
        os.chdir(folder)
        try:
            if filled[0] == CLI:
                return command_line(filled[1:], made, folder)
            return direct(filled, made)
        finally:
            os.chdir(before)


def fill(word: str, folder: Path, assets: Path) -> str:
    """Put the folders' names into a word."""
    return word.replace("{folder}", str(folder)).replace("{assets}", str(assets))


# --- functions -----------------------------------------------------------------------------------


def direct(words: list[str], made: Input) -> Outcome:
    """Call a function; what a user could cause must be a LilDataError of one line."""
    try:
        said = CALLS[words[0]](*words[1:])
    except LilDataError as error:
        text = str(error)
        if len(text.splitlines()) != 1:
            return Outcome(FAILURE, text[:500], f"{words[0]}: an error of several lines")
        return Outcome(LINE, text[:500])
    except WrongError as error:
        return Outcome(FAILURE, f"looks right and is wrong: {error}", f"{words[0]}: {error}"[:90])
    except Exception as error:
        return Outcome(FAILURE, last_lines(traceback.format_exc()), sort_of(error, words[0]))
    return Outcome(CLEAN, str(said or ""))


def sort_of(error: BaseException, call: str) -> str:
    """Name a failure by its type and the last line of the package that it went through."""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "/lildata_utils/" in frame.filename
    ]
    where = f"{own[-1].filename.split('/lildata_utils/')[-1]} {own[-1].name}" if own else call
    return f"{call}: {type(error).__name__} in {where}"


def last_lines(text: str) -> str:
    """Keep the end of a traceback."""
    return "\n".join(text.strip().splitlines()[-6:])[-1200:]


def read_sound(path: str) -> str:
    from lildata_utils.sound import audio

    seconds = audio.info(path).duration_s
    samples = 0
    for block in audio.read_blocks(path):
        samples += len(block)
        if not np.isfinite(block).all():
            raise WrongError("samples that are not numbers")
    if not (math.isfinite(seconds) and seconds >= 0):
        raise WrongError("a length that is no number")
    return f"{samples} samples"


def read_picture(path: str, *resize: str) -> None:
    from lildata_utils.sound.pictures import read_picture

    picture = read_picture(path, bool(resize))
    if picture.dtype not in (np.uint8, np.float32) or picture.shape[-2] != 631:
        raise WrongError("neither an image nor magnitudes")
    if not np.isfinite(picture).all() or picture.min() < 0:
        raise WrongError("pixels that are no magnitudes")


def read_dataset(folder: str) -> None:
    from lildata_utils.clips import dataset

    data = dataset.load(folder)
    table = data.clips
    if not (np.isfinite(table["start_s"]).all() and np.isfinite(table["peak_db"]).all()):
        raise WrongError("numbers of clips that are none")
    if (table["index"] < 0).any():
        raise WrongError("an index below 0")
    if not set(table["split"]) <= {"train", "validation", "test"}:
        raise WrongError("a split that there is not")
    if not all(isinstance(genre, str) for genre in data.genres):
        raise WrongError("genres that are no names")
    root = Path(folder).resolve()
    if not all(not Path(s).is_absolute() and ".." not in Path(s).parts for s in table["shard"]):
        raise WrongError(f"a shard outside of {root.name}")
    part = data.select("train")
    part.images([0])
    assert len(part.labels) == len(part)


def read_mix(path: str) -> None:
    from lildata_utils.clips.sources import read_mix_list

    for track in read_mix_list(path):
        if not (math.isfinite(track.start_s) and math.isfinite(track.end_s)):
            raise WrongError("a mix with a start or end that is no number")


def read_run(folder: str) -> Any:
    from lildata_utils.learning.runs import load_run

    run = load_run(folder)
    if not (isinstance(run.network, str) and all(isinstance(g, str) for g in run.genres)):
        raise WrongError("a run whose network or genres are no names")
    if not np.isfinite(run.history["loss"].to_numpy(dtype=float)).all():
        raise WrongError("a history without numbers")
    from lildata_utils.learning.history import peaked

    peaked(run.history)
    return run


def read_model(folder: str) -> None:
    run = read_run(folder)
    with contextlib.redirect_stdout(None):
        model = run.model
    outputs = model.output_shape[-1] if run.network == "cnn" else None
    if outputs is not None and outputs != len(run.genres):
        raise WrongError("genres that do not fit the outputs")


def read_plan(path: str) -> None:
    from lildata_utils.genre.plan import read_plan

    plan = read_plan(Path(path))
    numbers = [plan.music.tracks, plan.music.seconds, plan.music.seed, *plan.music.fractions]
    for row in plan.rows:
        numbers += [*row.seeds, row.epochs, row.batch_size, row.share, row.learning_rate or 0]
        if not (isinstance(row.name, str) and isinstance(row.degraded, bool)):
            raise WrongError("a row whose name or flag is none")
        for name in (field.name for field in fields(row)):
            getattr(row, name)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise WrongError("a number of a plan that is none")
        if not 0 <= number < 2**63:
            raise WrongError("a number of a plan out of range")
    assert len(plan.runs) >= 1


def read_pairs(path: str) -> None:
    from lildata_utils.transfer.files import read_pairs
    from lildata_utils.transfer.settings import Transfer

    pairs = read_pairs(path, Transfer(content="", style=""))
    if any("\0" in name or len(os.fsencode(name)) > 250 for name in pairs):
        raise WrongError("a result that can't be a file")


def read_record(path: str) -> None:
    from lildata_utils.transfer import files
    from lildata_utils.transfer.settings import Transfer

    out = Path(path)
    files.is_done(out, Transfer(content="a.wav", style="b.wav"), "Lil Data")
    files.check_out(out, [])
    settings = files.read_settings(out.with_suffix(".json"))
    for name in ("content", "style", "network"):
        if not isinstance(getattr(settings, name), str):
            raise WrongError(f"a record whose {name} is no name")


def read_shard_record(folder: str) -> None:
    from lildata_utils.clips.shards import finished_record
    from lildata_utils.clips.sources import Source

    source = Source("house", "", "music", Path("gone.wav"), "gone.wav", "shards/house/music.npy")
    finished_record(source, Path(folder))


def read_parameters(path: str) -> None:
    from lildata_utils.course.run import parameters

    found = parameters(Path(path))
    assert all(isinstance(name, str) for name in found)


@cache
def chooser() -> Any:
    """Make the panel's chooser of clips once."""
    from lildata_utils.show.chooser import ClipChooser

    from .assets import music

    folder = Path(tempfile.mkdtemp(prefix="lildata-uploads-"))
    from lildata_utils.sound import audio

    audio.write(folder / "first.wav", music(8))
    said = SimpleNamespace(errors=[], changed=0)
    made = ClipChooser(
        "a", {"first": folder / "first.wav"}, folder / "uploads", lambda: None, said.errors.append
    )
    return SimpleNamespace(chooser=made, said=said, folder=folder)


def take_upload(folder: str) -> None:
    """Send messages as a browser would; what is kept must be sound, refusals must be told."""
    from lildata_utils.sound import audio

    one = chooser()
    one.said.errors.clear()
    upload, here = one.chooser.upload, Path(folder)
    content = json.loads((here / "message.json").read_text())
    data = (here / "data").read_bytes()
    upload._take(None, content["other"], [])
    for name, size, first, last in content["pieces"]:
        part = data[first:last] if isinstance(first, int) and isinstance(last, int) else b""
        upload._take(None, {"name": name, "size": size, "at": first}, [part])
    for path in (one.folder / "uploads").glob("*"):
        try:
            audio.info(path)
            kept = True
        except LilDataError:
            kept = False
        path.unlink()
        if not kept:
            raise WrongError("a corrupt upload stays")
    if any(len(str(error).splitlines()) != 1 for error in one.said.errors):
        raise WrongError("a message of several lines")
    if not {path.name for path in one.folder.iterdir()} <= {"first.wav", "uploads"}:
        raise WrongError("an upload outside of its folder")


CALLS: dict[str, Callable[..., Any]] = {
    "read": read_sound,
    "picture": read_picture,
    "dataset": read_dataset,
    "mix": read_mix,
    "run": read_run,
    "model": read_model,
    "plan": read_plan,
    "pairs": read_pairs,
    "record": read_record,
    "shard": read_shard_record,
    "parameters": read_parameters,
    "upload": take_upload,
}


# --- the command line ----------------------------------------------------------------------------


def command_line(words: list[str], made: Input, folder: Path) -> Outcome:
    """Run `lildata` in this process; what is printed anywhere, by C code too, is caught."""
    from lildata_utils.cli.main import main

    error: BaseException | None = None
    with caught() as said:
        try:
            status = main(words)
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 1
        except BaseException as raised:  # a traceback at a user's
            status, error = -1, raised
            trace = traceback.format_exc()
    call = words[0] if words else ""
    if error is not None:
        return Outcome(FAILURE, last_lines(trace), sort_of(error, call))
    return judge(call, status, said.out, said.err, made, folder)


def judge(call: str, status: int, out: str, err: str, made: Input, folder: Path) -> Outcome:
    """Compare what was printed with what may be printed."""
    # That a file is damaged is said in a line of its own, whatever comes after it.
    told = without_usage(err).splitlines()
    lines = [line for line in told if line.strip() and not line.endswith("is used")]
    if "Traceback (most recent" in err + out:
        return Outcome(FAILURE, last_lines(err), f"{call}: prints a traceback")
    if bug := next((line for line in lines if "a bug" in line), None):
        return Outcome(FAILURE, bug + details(bug), f"{call}: {shape(bug)}")
    if status not in (0, 1, 2):
        return Outcome(FAILURE, err[-500:], f"{call}: exit status {status}")
    if status and len(lines) != 1:
        kind = "silent" if not lines else "several lines"
        return Outcome(FAILURE, err[-800:], f"{call}: exit status {status}, {kind}")
    if re.search(r"\bnan\b|NaN", out):
        return Outcome(FAILURE, out[-500:], f"{call}: prints nan")
    left = [str(path.relative_to(folder)) for path in folder.rglob(".*.partial*")]
    if left:
        return Outcome(FAILURE, f"{left} after {err[-300:]}", f"{call}: leaves half a file")
    if status:
        return Outcome(LINE, lines[0][:500])
    if made.must_be_named and call == "prepare" and not named(folder, made.subject):
        words = f"{made.kind}, {made.note}: no line in skipped.csv"
        return Outcome(FAILURE, words, f"looks right and is wrong: {made.kind} {made.note}")
    return Outcome(CLEAN, err[-300:])


def without_usage(err: str) -> str:
    """Take off what argparse says of the usage before its one line."""
    return re.sub(r"(?s)\Ausage: .*?(?=^lildata[^\n]*: error: )", "", err, flags=re.MULTILINE)


def shape(line: str) -> str:
    """Drop paths and numbers from a line, so that the same mistake has the same name."""
    return re.sub(r"/\S+|\d+", "…", line)[:110]


def details(line: str) -> str:
    """Read the traceback that the last net has put into a file."""
    for word in re.findall(r"/\S+", line):
        path = Path(word.rstrip(".,;"))
        if path.is_file() and path.stat().st_size < 10**6:
            return "\n" + last_lines(path.read_text(errors="replace"))
    return ""


def named(folder: Path, subject: str) -> bool:
    """Tell whether `prepare` has a line for a file."""
    try:
        with (folder / "out/skipped.csv").open(encoding="utf-8", newline="") as file:
            files = [row["file"] for row in csv.DictReader(file)]
    except OSError:
        return False
    return any(file == subject.removeprefix("music/") for file in files)


@contextlib.contextmanager
def caught() -> Iterator[SimpleNamespace]:
    """Point the file descriptors 1 and 2 at files while the block runs."""
    said = SimpleNamespace(out="", err="")
    files = {number: tempfile.TemporaryFile("w+b") for number in (1, 2)}  # noqa: SIM115
    saved = {number: os.dup(number) for number in files}
    streams = sys.stdout, sys.stderr
    for number, file in files.items():
        os.dup2(file.fileno(), number)
    sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
    sys.stderr = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace")
    try:
        yield said
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
                stream.close()
        sys.stdout, sys.stderr = streams
        for number, file in files.items():
            os.dup2(saved[number], number)
            os.close(saved[number])
            file.seek(0)
            text = file.read(10**6).decode("utf-8", "replace")
            setattr(said, "out" if number == 1 else "err", text)
            file.close()
