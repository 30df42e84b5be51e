"""Which way brings a song into another genre? Every method on the same pairs, judged by strangers.

Contents are tracks of the crate by artists whom no network here has heard, for every ordered pair
of genres; with `--music`, also recordings. The true cover is the ceiling. A killed run goes on
where it was. The report from which `make tables` fills docs/results/transfer_methods.md:

    python experiments/transfer_methods.py OUT --music MUSIC --report .../transfer_methods.json
"""

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import wilcoxon

from lildata_utils.crate.composing import compose
from lildata_utils.crate.covers import cover, perform
from lildata_utils.crate.rendering import render
from lildata_utils.crate.score import Score, score_of
from lildata_utils.files import write_json
from lildata_utils.genre.intervals import bootstrap_interval
from lildata_utils.genre.judges.bench import SHIPPED, Judges, load_judges
from lildata_utils.genres import MUSIC
from lildata_utils.machine import machine
from lildata_utils.sound.clip import make_clip, read_clip
from lildata_utils.sound.measures import chroma_kept, rhythm_likeness, stationary_floor_db
from lildata_utils.sound.spectrogram import CLIP_S, CLIP_SAMPLES, SAMPLE_RATE, Floats
from lildata_utils.transfer.ears import by_beat, load_ears, notes
from lildata_utils.transfer.hearing import hear_score, likeliest_chords
from lildata_utils.transfer.methods import BANDS, BANDS_SEED, CHEATS, Cheat, play_again
from lildata_utils.transfer.settings import Painting, Playing

# Artists of these seeds: of contents and covers; of style clips.
CONTENT_SEED, STYLE_SEED = 311, 312
TRACK_S, STARTS_S = 32.0, (8.0, 24.0)
ITERATIONS = 100
STAYS = (0.0, 0.5)
RECORDED_EACH, RECORDED_FROM_S = 6, 30.0
COVER, EXACT = "true cover", "the exact score, by a band of the last rows"
PAPER, PLAY = "painting with Lil Data", "listen and play again"
COLUMNS = ("judged target", "chords right", "chroma kept", "rhythm", "floor (dB)")


@dataclass(frozen=True)
class Pair:
    """A content that shall become another genre."""

    name: str
    track: str  # Of the content: intervals are over these
    target: str
    number: int


def play_row(stays: float) -> str:
    """Name a row."""
    return f"{PLAY}, {stays:.0%} stays" if stays else PLAY


# All pairs are done for the first rows before the slow one is begun.
ROWS = ((COVER, EXACT, *CHEATS, *map(play_row, STAYS)), (PAPER,))


def crate_pairs(contents: int) -> list[Pair]:
    """List every ordered pair of genres, so often."""
    return [
        Pair(f"{genre} {number} as {target}", f"{genre} {number}", target, number)
        for number in range(contents)
        for genre, target in permutations(MUSIC, 2)
    ]


def clip_at(waveform: Floats, start_s: float) -> Floats:
    """Cut 5 s."""
    return waveform[round(start_s * SAMPLE_RATE) :][:CLIP_SAMPLES]


def start_of(*names: object) -> float:
    """Draw where a clip begins."""
    seed = list(" ".join(map(str, names)).encode())
    return float(np.random.default_rng(seed).uniform(*STARTS_S))


def style_clip(pair: Pair) -> Floats:
    """Render a clip of the target genre by somebody else."""
    track = compose(pair.target, pair.number, STYLE_SEED, TRACK_S)
    return clip_at(render(track), start_of("style", pair.name))


def painted(content: Floats, style: Floats) -> Floats:
    """Paint as the paper does; TensorFlow is loaded for it alone."""
    from lildata_utils.transfer.files import load_network, painting_to_sound
    from lildata_utils.transfer.painting import paint

    clip, network = make_clip(content), load_network("lil_data")
    steps = paint(clip.image, make_clip(style).image, network, Painting(iterations=ITERATIONS))
    *_, last = steps
    return painting_to_sound(last.image, clip)


def played(content: Floats, pair: Pair, stays: float) -> Floats:
    """Listen and play again, by another typical band each time."""
    *_, step = play_again(content, Playing(to=pair.target, stays=stays, seed=pair.number))
    return step.waveform


def cheated(cheat: Cheat, content: Floats, style: Floats) -> Floats:
    """Do one of the cheats."""
    *_, step = cheat(content, style)
    return step.waveform


def ways(content: Floats, style: Floats, pair: Pair) -> dict[str, Callable[[], Floats]]:
    """List what every method would make of a content; the slowest comes last."""
    return {
        **{name: partial(cheated, cheat, content, style) for name, cheat in CHEATS.items()},
        **{play_row(stays): partial(played, content, pair, stays) for stays in STAYS},
        PAPER: partial(painted, content, style),
    }


def chords_right(waveform: Floats, score: Score, start_s: float) -> float:
    """Compute the share of a clip's beats on which the true chord is heard, on the true beats."""
    beats_s = np.array(score.beats_s) - start_s
    first = int(np.flatnonzero(beats_s <= 0)[-1]) // 4 * 4
    last = min(int(np.searchsorted(beats_s, CLIP_S)), len(score.chords))
    levels = by_beat(notes(waveform), np.clip(beats_s[first : last + 1], 0, CLIP_S))
    heard = likeliest_chords(load_ears().chords(levels))
    right = [one == true for one, true in zip(heard, score.chords[first:last], strict=True)]
    return float(np.average(right, weights=np.diff(np.clip(beats_s[first : last + 1], 0, CLIP_S))))


def measured(
    waveform: Floats, content: Floats, covered: Floats, judges: Judges, target: str
) -> dict[str, Any]:
    """Measure what can be measured on any pair; `covered` is the true cover, or else the style."""
    (verdict,) = judges.verdict(waveform[None])
    floor = stationary_floor_db(waveform)
    return {
        "verdict": verdict,
        "judged target": float(verdict == target),
        "chroma kept": chroma_kept(waveform, content),
        "rhythm": rhythm_likeness(waveform, covered) - rhythm_likeness(waveform, content),
        "floor (dB)": floor - max(stationary_floor_db(content), stationary_floor_db(covered)),
    }


@dataclass(frozen=True)
class Case:
    """A pair, rendered: what the rows are made of and measured against."""

    pair: Pair
    content: Floats
    style: Floats
    covered: Floats  # The true cover; of recordings, which have none, the style
    exact: Floats | None  # The true score, by the band that plays what was heard
    score: Score  # The true one; of recordings, what is heard in them
    start_s: float  # Of the content within the score

    def row(self, way: Callable[[], Floats], judges: Judges) -> dict[str, Any]:
        """Do a transfer, and measure what comes of it."""
        start = time.perf_counter()
        waveform = way()
        seconds = time.perf_counter() - start
        found = measured(waveform, self.content, self.covered, judges, self.pair.target)
        right = chords_right(waveform, self.score, self.start_s)
        return found | {"chords right": right, "seconds": seconds}


def of_crate(pair: Pair) -> Case:
    """Render a pair of the crate."""
    genre, number = pair.track.split()
    track = compose(genre, int(number), CONTENT_SEED, TRACK_S)
    start_s = start_of(pair.name)
    bands = BANDS[pair.target]
    exact = perform(
        score_of(track), pair.target, BANDS_SEED, pair.name, bands[pair.number % len(bands)]
    )
    content, covered, played = (
        clip_at(render(one), start_s) for one in (track, cover(track, pair.target), exact)
    )
    return Case(pair, content, style_clip(pair), covered, played, score_of(track), start_s)


def of_recording(pair: Pair, path: Path) -> Case:
    """Read a recording."""
    content, style = read_clip(path, RECORDED_FROM_S).waveform, style_clip(pair)
    return Case(pair, content, style, style, None, hear_score(content), 0.0)


def done(case: Callable[[], Case], folder: Path, judges: Judges, names: Sequence[str]) -> None:
    """Do the rows of a pair that are missing; each is written as it is there."""
    missing = [name for name in names if not (folder / f"{name}.json").is_file()]
    if missing:
        one = case()
        all_ways = ways(one.content, one.style, one.pair)
        all_ways |= {COVER: lambda: one.covered, EXACT: lambda: one.exact}
        for name in missing:
            write_json(folder / f"{name}.json", one.row(all_ways[name], judges))


def recorded_pairs(music: Path) -> list[tuple[Pair, Path]]:
    """List some recordings of each style, each with a genre in turn."""
    found = []
    for folder in sorted(path for path in music.iterdir() if path.is_dir()):
        for path in sorted(path for path in folder.iterdir() if path.is_file())[:RECORDED_EACH]:
            number = len(found)
            target = MUSIC[number % len(MUSIC)]
            name = f"{folder.name} {number} as {target}"
            found.append((Pair(name, f"{folder.name} {number}", target, number), path))
    return found


def table(out: Path, pairs: list[Pair]) -> list[dict[str, Any]]:
    """Average over pairs, with intervals over tracks."""
    rows: list[dict[str, Any]] = []
    for name in (name for names in ROWS for name in names):
        there = [pair for pair in pairs if (out / pair.name / f"{name}.json").is_file()]
        if not there:
            continue
        found = [json.loads((out / pair.name / f"{name}.json").read_text()) for pair in there]
        tracks = np.unique([pair.track for pair in there], return_inverse=True)[1]
        row: dict[str, Any] = {"name": name, "pairs": len(there), "tracks": int(tracks.max()) + 1}
        for column in COLUMNS:
            values = np.array([one[column] for one in found])
            row[column] = float(values.mean())
            row[f"{column}, interval95"] = bootstrap_interval(values, tracks)
            if column == "rhythm" and np.any(values):
                row["rhythm above 0, p"] = float(wilcoxon(values, alternative="greater").pvalue)
        row["seconds"] = float(np.mean([one["seconds"] for one in found]))
        row["judged by target"] = {
            genre: float(np.mean(judged))
            for genre in MUSIC
            if (
                judged := [
                    one["judged target"]
                    for one, pair in zip(found, there, strict=True)
                    if pair.target == genre
                ]
            )
        }
        rows.append(row)
    return rows


def main() -> None:
    """Do what is missing, print the rows, write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="gets a folder a pair")
    parser.add_argument("--music", type=Path, help="a folder with a folder of recordings a style")
    parser.add_argument("--judges", type=Path, default=SHIPPED)
    parser.add_argument("--contents", type=int, default=3, help="for each pair of genres")
    parser.add_argument("--stages", type=int, default=len(ROWS), help="only the first of `ROWS`")
    parser.add_argument("--report", type=Path, metavar="FILE", help="(default OUT/report.json)")
    options = parser.parse_args()
    out, judges = options.out, load_judges(options.judges)
    parts = {"crate": {pair: partial(of_crate, pair) for pair in crate_pairs(options.contents)}}
    if options.music:
        recorded = recorded_pairs(options.music)
        parts["recordings"] = {pair: partial(of_recording, pair, path) for pair, path in recorded}
    for names in ROWS[: options.stages]:
        for part, cases in parts.items():
            wanted = [name for name in names if part == "crate" or name not in (COVER, EXACT)]
            for number, (pair, case) in enumerate(cases.items(), start=1):
                done(case, out / pair.name, judges, wanted)
                print(f"\r{part}: {number} of {len(cases)}", end="", file=sys.stderr)
            print(file=sys.stderr)
    report: dict[str, Any] = {
        "command": shlex.join(["python", *sys.argv]),
        "machine": machine(),
        "data": {part: len(cases) for part, cases in parts.items()} | {"judges": judges.about},
        "settings": {"iterations": ITERATIONS, "track_s": TRACK_S, "stays": STAYS},
        "seeds": {"contents": CONTENT_SEED, "styles": STYLE_SEED, "bands": BANDS_SEED},
    }
    for part, cases in parts.items():
        report[part] = table(out, list(cases))
        print(f"{part}: {len(cases)} pairs")
        for row in report[part]:
            name = f"{row['name']} ({row['pairs']})"
            print(f"{name:42}" + "  ".join(f"{column} {row[column]:6.2f}" for column in COLUMNS))
    write_json(options.report or out / "report.json", report)


if __name__ == "__main__":
    main()
