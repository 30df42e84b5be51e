"""Playing again from file to file: the sound, and the score that was heard, to be corrected."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lildata_utils.crate.patterns import BEATS_PER_BAR, NOTE_NAMES, SCALES, Chord, Key, Section
from lildata_utils.crate.score import Score
from lildata_utils.errors import LilDataError
from lildata_utils.files import check_made_by, read_as, write_json
from lildata_utils.machine import machine
from lildata_utils.sound import audio
from lildata_utils.transfer.ears import QUALITIES
from lildata_utils.transfer.methods import MethodStep, play_again
from lildata_utils.transfer.settings import Playing

COMMAND = "transfer --to"


@dataclass(frozen=True)
class Sheet:
    """A score as people read and write it (notebook 09)."""

    tempo_bpm: float
    key: str  # Such as ``F# minor``
    bars: list[list[str]]  # The chord of each beat
    sections: list[tuple[str, int, int]]  # Name, first bar, bars
    beats_s: list[float]
    duration_s: float


@dataclass(frozen=True)
class _Record:
    content: str
    score: Sheet


def write_down(score: Score) -> Sheet:
    """Write a score for people (notebook 09)."""
    names = [chord.name for chord in score.chords]
    return Sheet(
        round(score.tempo_bpm, 2),
        score.key.name,
        [names[beat : beat + BEATS_PER_BAR] for beat in range(0, len(names), BEATS_PER_BAR)],
        [(name, bar, bars) for name, bar, bars in score.sections],
        [round(beat, 4) for beat in score.beats_s],
        score.duration_s,
    )


def read_score(path: str | Path) -> Score:
    """Read the score in a record of `play_file`, perhaps corrected by hand (notebook 09).

    Raises
    ------
    LilDataError
        If there is none, or a chord, a key or a number of beats is not what it should be.
    """
    sheet = read_as(Path(path), _Record).score
    chords = tuple(_chord(name, path) for bar in sheet.bars for name in bar)
    bars = sum(section[2] for section in sheet.sections)
    if not len(chords) == len(sheet.beats_s) - 1 == bars * BEATS_PER_BAR or not bars:
        raise LilDataError(
            f"{path}: {len(chords)} chords, {len(sheet.beats_s)} beats and sections of {bars} bars:"
            " expected four chords a bar, and a beat for each and one more"
        )
    if (np.diff(sheet.beats_s) <= 0).any():
        raise LilDataError(f"{path}: beats_s: each beat must be later than the one before")
    root, scale = _named(sheet.key, [*SCALES], path)
    sections = tuple(Section(*section) for section in sheet.sections)
    return Score(tuple(sheet.beats_s), Key(root, scale), chords, sections, sheet.duration_s)


def _chord(name: str, path: str | Path) -> Chord:
    return Chord(*_named(name, [*QUALITIES], path))


def _named(name: str, kinds: list[str], path: str | Path) -> tuple[int, str]:
    root, _, kind = name.partition(" ")
    kind = kind.replace(" ", "_")
    if root not in NOTE_NAMES or kind not in kinds:
        raise LilDataError(
            f"{path}: {name!r}: expected one of {', '.join(NOTE_NAMES)} and one of "
            f"{', '.join(kinds)}"
        )
    return NOTE_NAMES.index(root), kind


def play_file(content: str | Path, out: str | Path, settings: Playing) -> Iterator[MethodStep]:
    """Play a song of any length again, from file to file (notebook 09).

    The record beside `out`, a ``.json``, holds the score; an earlier one of the same content is
    played as it stands there, so that what was heard can be corrected. Yields what
    `methods.play_again` does.

    Raises
    ------
    LilDataError
        If a file can't be used.
    """
    content, out = Path(content), Path(out)
    audio.check_format(out)
    check_made_by(COMMAND, out, inputs=[content])
    waveform = audio.read(content)
    record = out.with_suffix(".json")
    heard = record.exists() and read_as(record, _Record).content == str(content)
    score = read_score(record) if heard else None
    for step in play_again(waveform, settings, score):
        yield step
    assert step.score is not None
    about = {"content": str(content), "settings": asdict(settings), "machine": machine()}
    about |= {"score": asdict(write_down(step.score))}
    # First: it says whose the sound is.
    write_json(record, {"command": COMMAND} | about)
    audio.write(out, step.waveform / max(1.0, float(np.abs(step.waveform).max())))
