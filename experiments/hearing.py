"""Let the two networks learn that hear a score, and test them on artists whom nobody learned.

Renders tracks of the crate and covers of them, whose beats and chords are known exactly, half of
them worn. A killed run goes on where it was. What comes with the course, and its report:

    python experiments/hearing.py OUT --report docs/results/reports/hearing.json
"""

import argparse
import shlex
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import librosa
import numpy as np

from lildata_utils.backend import keras
from lildata_utils.crate.composing import compose
from lildata_utils.crate.covers import cover
from lildata_utils.crate.degradation import degrade
from lildata_utils.crate.patterns import BEATS_PER_BAR, TRIADS, Chord
from lildata_utils.crate.rendering import render
from lildata_utils.crate.score import Score, score_of
from lildata_utils.files import write_json, written_beside
from lildata_utils.genre.intervals import bootstrap_interval
from lildata_utils.genres import MUSIC
from lildata_utils.machine import machine
from lildata_utils.sound.spectrogram import FRAME_S, SAMPLE_RATE, Floats
from lildata_utils.transfer import ears
from lildata_utils.transfer.ears import CANDIDATES, CHORDS, QUALITIES, STEPS, Ears
from lildata_utils.transfer.hearing import hear_score, likeliest_chords, likeliest_key

LEARNED_SEED, TESTED_SEED, LEARNED_S, TESTED_S = 301, 303, 16.0, 30.0
CLIP_S = 5.0
WINDOWS, WINDOW_S = 6, (5.0, 12.0)
UNITS = {"bar": 32, "chord": 96}
EPOCHS = {"bar": 12, "chord": 10}
JITTER_S = 0.02
NEAR_S, TEMPO = 0.07, np.log2(1.02)
FIGURES = ("tempo", "tempo and octave", "beats", "beats up to an octave", "downbeats", "chords")
FIGURES += ("key", "notes of the key")


@dataclass(frozen=True)
class Example:
    """A track, or a cover of it; worn ones sound as through a phone in a room."""

    genre: str
    number: int
    seed: int
    seconds: float
    played_as: str
    worn: bool = False

    def made(self) -> tuple[Floats, Score]:
        """Render it, and write down its true score."""
        track = compose(self.genre, self.number, self.seed, self.seconds)
        if self.played_as != self.genre:
            track = cover(track, self.played_as)
        waveform = render(track)
        return degrade(waveform, self.number) if self.worn else waveform, score_of(track)


def to_learn(tracks: int) -> Iterator[Example]:
    """List tracks of each genre, and a cover of each by another genre; half of them are worn."""
    for number in range(tracks):
        for place, genre in enumerate(MUSIC):
            other = MUSIC[(place + 1 + number % (len(MUSIC) - 1)) % len(MUSIC)]
            for played_as in (genre, other):
                yield Example(genre, number, LEARNED_SEED, LEARNED_S, played_as, number % 2 == 1)


def lessons(example: Example, rng: np.random.Generator) -> dict[str, Floats]:
    """Make of an example what the networks learn: folded windows, and notes of beats."""
    waveform, score = example.made()
    beats_s = np.array(score.beats_s)
    rises, bars, steps = ears.attacks(waveform), [], []
    for _ in range(WINDOWS):
        length = round(rng.uniform(*WINDOW_S) / FRAME_S)
        start = int(rng.integers(0, rises.shape[1] - length))
        window = rises[:, start : start + length]
        folded, label = true_step(window, start * FRAME_S, score)
        if label >= 0:
            bars.append(folded)
            steps.append(label)
    count = int(np.searchsorted(beats_s, len(waveform) / SAMPLE_RATE - 0.2)) - 1
    levels = ears.by_beat(ears.notes(waveform), beats_s[: count + 1] + rng.normal(0, JITTER_S))
    return {
        "bars": np.array(bars, np.float32),
        "steps": np.array(steps),
        "notes": ears.from_each_root(levels),
        "chords": np.array([ears.CHORDS.index(chord) for chord in score.chords[:count]]),
    }


def true_step(window: Floats, start_s: float, score: Score) -> tuple[Floats, int]:
    """Fold a window by each tempo that may be; say which one and which step begin the bar."""
    tempos = ears.tempo_candidates(ears.tempo_salience(window))
    folded = np.zeros((CANDIDATES, len(window), STEPS), np.float32)
    folded[: len(tempos)] = [ears.fold(window, 240 / bpm) for bpm in tempos]
    right = np.flatnonzero(np.abs(np.log2(tempos / score.tempo_bpm)) < TEMPO)
    if not len(right):
        return folded, -1
    bar_s = 240 / tempos[right[0]]
    downbeats_s = np.array(score.beats_s[::BEATS_PER_BAR]) - start_s
    middle_s = window.shape[1] * FRAME_S / 2
    downbeat_s = downbeats_s[np.abs(downbeats_s - middle_s).argmin()]
    return folded, int(right[0]) * STEPS + round(downbeat_s / bar_s * STEPS) % STEPS


def learn(parts: list[dict[str, Floats]], seed: int = 0) -> Ears:
    """Let both networks learn."""
    keras.utils.set_random_seed(seed)
    bars, steps, notes, chords = (
        np.concatenate([part[name] for part in parts if len(part[name])])
        for name in ("bars", "steps", "notes", "chords")
    )
    layers = keras.layers
    shifts = (np.arange(STEPS)[:, None] + np.arange(STEPS)) % STEPS
    bands = bars.shape[2]
    bar_in = keras.Input(bars.shape[1:])
    # The bar as it begins at each step.
    x = keras.ops.moveaxis(keras.ops.take(bar_in, shifts, axis=3), 2, 4)
    x = layers.Reshape((CANDIDATES, STEPS, STEPS * bands))(x)
    x = layers.Dense(UNITS["bar"], activation="relu")(x)
    x = layers.Dense(1, use_bias=False)(layers.Dropout(0.4)(x))
    bar = keras.Model(bar_in, layers.Reshape((CANDIDATES * STEPS,))(x))
    near = np.zeros((len(steps), CANDIDATES, STEPS), np.float32)
    rows, tempo, step = np.arange(len(steps)), steps // STEPS, steps % STEPS
    for away, share in ((0, 0.6), (1, 0.2), (-1, 0.2)):
        near[rows, tempo, (step + away) % STEPS] += share
    near = near.reshape(len(steps), -1)
    bar.compile(
        keras.optimizers.AdamW(2e-3, weight_decay=1e-2),
        keras.losses.CategoricalCrossentropy(from_logits=True),
    )
    bar.fit(bars, near, batch_size=64, epochs=EPOCHS["bar"], verbose=2)

    mean, deviation = notes.mean(axis=(0, 1)), notes.std(axis=(0, 1))
    chord_in = keras.Input(notes.shape[1:])
    x = layers.Dense(UNITS["chord"], activation="relu")(layers.Dropout(0.1)(chord_in))
    x = layers.Dense(len(QUALITIES))(layers.Dropout(0.3)(x))
    chord = keras.Model(chord_in, layers.Reshape((len(CHORDS),))(x))
    chord.compile(
        keras.optimizers.AdamW(2e-3, weight_decay=1e-3),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    chord.fit((notes - mean) / deviation, chords, batch_size=256, epochs=EPOCHS["chord"], verbose=2)
    kernel, bias, output = bar.get_weights()
    kernel = kernel.reshape(STEPS, bands, -1)
    return Ears(kernel, bias, output[:, 0], mean, deviation, *chord.get_weights())


def likeness(estimate: Score, true: Score, start_s: float, length_s: float) -> dict[str, float]:
    """Compare a heard score with the true one: tempo, beats, downbeats, chords, key."""
    octaves = np.log2(estimate.tempo_bpm / true.tempo_bpm)
    moments = start_s + np.arange(0.05, length_s, 0.1)
    return {
        "tempo": float(abs(octaves - round(octaves)) < TEMPO),
        "tempo and octave": float(abs(octaves) < TEMPO),
        "beats": f_measure(estimate.beats_s, true.beats_s, start_s, length_s),
        "beats up to an octave": max(
            f_measure(estimate.beats_s, one.beats_s, start_s, length_s)
            for one in (true, true.doubled(), true.halved())
        ),
        "downbeats": f_measure(estimate.beats_s[::4], true.beats_s[::4], start_s, length_s),
        "chords": float(
            np.mean(
                [
                    chord_at(estimate, moment - start_s) == chord_at(true, moment)
                    for moment in moments
                ]
            )
        ),
        "key": float(estimate.key == true.key),
        "notes of the key": float(same_notes(estimate, true)),
    }


def chord_at(score: Score, moment_s: float) -> Chord:
    """Say which chord sounds at a moment."""
    beat = int(np.searchsorted(score.beats_s, moment_s, side="right")) - 1
    return score.chords[min(max(beat, 0), len(score.chords) - 1)]


def same_notes(one: Score, other: Score) -> bool:
    """Tell whether two keys have the same seven notes, whichever is home."""
    notes = [{score.key.pitch(degree) % 12 for degree in range(7)} for score in (one, other)]
    return notes[0] == notes[1]


def f_measure(
    heard_s: tuple[float, ...], true_s: tuple[float, ...], start_s: float, length_s: float
) -> float:
    """Compute the F-measure of beats within 70 ms; what was heard counts from the start on."""
    heard = np.array([one for one in heard_s if 0 <= one < length_s])
    true = np.array([one - start_s for one in true_s if 0 <= one - start_s < length_s])
    if not len(heard) or not len(true):
        return 0.0
    hits = int((np.abs(heard[:, None] - true).min(axis=0) <= NEAR_S).sum())
    return 2 * hits / (len(heard) + len(true))


def librosas(waveform: Floats) -> Score:
    """Hear a score with librosa's beat tracker and templates on its chroma, to compare with."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, beats_s = librosa.beat.beat_track(y=waveform, sr=SAMPLE_RATE, units="time")
        chroma = librosa.feature.chroma_cqt(y=waveform, sr=SAMPLE_RATE)
    beats_s = beats_s if len(beats_s) > 1 else np.array([0.0, 0.5])
    frames = librosa.time_to_frames(beats_s, sr=SAMPLE_RATE)
    templates = np.zeros((len(CHORDS), 12))
    for label, chord in enumerate(CHORDS):
        tones = next(tones for tones, name in TRIADS.items() if name == chord.quality)
        templates[label, [(chord.root + tone) % 12 for tone in tones]] = 1
    beats = librosa.util.sync(chroma, frames, pad=False).T
    chords = likeliest_chords(8 * beats @ templates.T / np.linalg.norm(beats, axis=1)[:, None])
    return Score(tuple(beats_s), likeliest_key(chords), chords, (), len(waveform) / SAMPLE_RATE)


def tested(
    name: str, hear: Callable[[Floats], Score], tests: list[tuple[Floats, Score]]
) -> list[dict[str, Any]]:
    """Hear a clip of each test, and all of it; means with intervals over tracks."""
    rows = []
    for length_s in (CLIP_S, TESTED_S):
        found = []
        for number, (waveform, score) in enumerate(tests):
            start_s = float(np.random.default_rng(number).uniform(4, 22))
            start_s = start_s if length_s == CLIP_S else 0.0
            first = round(start_s * SAMPLE_RATE)
            part = waveform[first : first + round(length_s * SAMPLE_RATE)]
            found.append(likeness(hear(part), score, start_s, length_s))
        row: dict[str, Any] = {"name": name, "seconds": length_s}
        for key in FIGURES:
            values = np.array([one[key] for one in found])
            row[key] = float(values.mean())
            row[f"{key}, interval95"] = bootstrap_interval(values, np.arange(len(values)))
        rows.append(row)
    return rows


def main() -> None:
    """Render, learn, test; print the figures, write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="gets what the networks learn from")
    parser.add_argument("--ears", type=Path, default=ears.SHIPPED, help="where the weights go")
    parser.add_argument("--report", type=Path, metavar="FILE", help="(default OUT/report.json)")
    parser.add_argument("--tracks", type=int, default=16, help="a genre, to learn from")
    parser.add_argument("--tests", type=int, default=8, help="a genre, to test on")
    options = parser.parse_args()
    keras.config.disable_interactive_logging()
    if not options.ears.is_file():
        parts = []
        for number, example in enumerate(to_learn(options.tracks)):
            path = options.out / f"{number:04}.npz"
            if not path.is_file():
                with written_beside(path) as beside:
                    np.savez(beside, **lessons(example, np.random.default_rng(number)))
            parts.append(dict(np.load(path)))
        with written_beside(options.ears) as beside:
            np.savez_compressed(beside, **vars(learn(parts)))
    own = ears.load_ears(options.ears)
    tests = [
        Example(genre, number, TESTED_SEED, TESTED_S, genre).made()
        for number in range(options.tests)
        for genre in MUSIC
    ]
    ways = {
        "learned from the crate": lambda waveform: hear_score(waveform, own),
        "librosa's beats, templates on its chroma": librosas,
    }
    rows = [row for name, way in ways.items() for row in tested(name, way, tests)]
    for row in rows:
        said = ", ".join(f"{key} {row[key]:.1%}" for key in FIGURES)
        print(f"{row['name']}, {row['seconds']:g} s: {said}")
    report = {
        "command": shlex.join(["python", *sys.argv]),
        "machine": machine(),
        "seeds": {"learned": LEARNED_SEED, "tested": TESTED_SEED, "training": 0},
        "data": {"learned": 2 * options.tracks * len(MUSIC), "tested": len(tests)},
        "settings": {"epochs": EPOCHS, "units": UNITS, "within_s": NEAR_S},
        "rows": rows,
    }
    write_json(options.report or options.out / "report.json", report)


if __name__ == "__main__":
    main()
