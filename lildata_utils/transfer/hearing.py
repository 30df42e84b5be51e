"""Hear a score: tempo, beats, bars, a chord a beat, key and sections of a clip or a song."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lildata_utils.crate.patterns import BEATS_PER_BAR, SCALES, Chord, Key, Section
from lildata_utils.crate.score import Score
from lildata_utils.errors import LilDataError
from lildata_utils.sound.spectrogram import FRAME_S, SAMPLE_RATE, Floats
from lildata_utils.transfer.ears import (
    CHORDS,
    STEPS,
    TEMPOS_BPM,
    Ears,
    attacks,
    by_beat,
    fold,
    load_ears,
    notes,
    tempo_candidates,
    tempo_salience,
)

Times = NDArray[np.float64]

SHORTEST_S = 2.0
# Bars are looked for in windows that overlap by half.
WINDOW_S = 12.0
# A band's tempo may wander by so much around the song's.
WANDER = 0.02
STEP_COST = 1.5  # of a window that begins its bar another step later than the last one says
# With less than this from the clock's beats, a song is played to a clock.
CLOCK_S = 0.03
# How likely a chord is to change on the first beat of a bar, the third, another one.
CHANGES = (0.6, 0.05, 0.1, 0.05)
# Blocks of four bars, by how far they are below the loud ones.
BLOCK_BARS = 4
SECTIONS_DB = {"drop": 3.0, "verse": 9.0}
SHORTEST_FORM_S = 20.0


def hear_score(waveform: Floats, ears: Ears | None = None) -> Score:
    """Hear what a band would need to play a clip or a song again (notebook 09).

    Parameters
    ----------
    waveform : ndarray of float32, shape (samples,)
        Mono at 22 050 Hz, at least 2 s.
    ears : Ears, optional
        Networks; those of the package if not given.

    Returns
    -------
    Score
        Its melody is not heard.

    Raises
    ------
    LilDataError
        If the sound is shorter.
    """
    duration_s = len(waveform) / SAMPLE_RATE
    if duration_s < SHORTEST_S:
        raise LilDataError(f"{duration_s:.1f} s of sound: a score needs {SHORTEST_S:g} s or more")
    ears = ears or load_ears()
    beats_s = hear_beats(attacks(waveform), ears)
    levels = by_beat(notes(waveform), np.clip(beats_s, 0, duration_s))
    chords = likeliest_chords(ears.chords(levels))
    sections = hear_sections(waveform, beats_s)
    return Score(tuple(beats_s.tolist()), likeliest_key(chords), chords, sections, duration_s)


def hear_beats(rises: Floats, ears: Ears) -> Times:
    """Find beats, from the last bar that begins before the sound on (notebook 09).

    Parameters
    ----------
    rises : ndarray of float32, shape (bands, frames)
        From `ears.attacks`.
    ears : Ears

    Returns
    -------
    ndarray of float64, shape (4 * bars + 1,)
        In seconds; the first one begins a bar, the last one ends the sound's last bar.
    """
    frames = rises.shape[1]
    length = min(frames, round(WINDOW_S / FRAME_S))
    starts = np.arange(0, max(frames - length, 0) + 1, max(length // 2, 1))
    windows = [rises[:, start : start + length] for start in starts]
    saliences = np.stack([tempo_salience(window) for window in windows])
    candidates = tempo_candidates(saliences.mean(axis=0))
    bars_s = 240 / np.stack([_near(saliences, bpm) for bpm in candidates], axis=1)
    logits = np.stack(
        [
            ears.bar(np.stack([fold(window, bar_s) for bar_s in own]))
            for window, own in zip(windows, bars_s, strict=True)
        ]
    )  # windows, candidates, steps
    best = int(np.logaddexp.reduce(logits, axis=2).mean(axis=0).argmax())
    bar_s = bars_s[:, best]
    middle_s = (starts + length / 2) * FRAME_S
    position = _positions(logits[:, best], bar_s, starts * FRAME_S, middle_s)
    return _beats(middle_s, position, bar_s, frames * FRAME_S)


def _near(saliences: Floats, bpm: float) -> Times:
    """Find each window's own tempo, near the song's."""
    allowed = np.abs(np.log(TEMPOS_BPM / bpm)) < WANDER
    return TEMPOS_BPM[allowed][saliences[:, allowed].argmax(axis=1)]


def _positions(logits: Floats, bar_s: Times, start_s: Times, middle_s: Times) -> Times:
    """Say at which bar, counted from the first one on, the middle of each window is.

    The likeliest path through the windows: where one begins its bar follows from the one before,
    give or take a step.
    """
    emission = logits - np.logaddexp.reduce(logits, axis=1)[:, None]
    # The share of a bar that has gone at the middle of the window, if it begins at each step.
    gone = ((middle_s - start_s) / bar_s)[:, None] - np.arange(STEPS) / STEPS
    score, back = emission[0], []
    advance = np.diff(middle_s) / ((bar_s[1:] + bar_s[:-1]) / 2)
    for number, further in enumerate(advance, start=1):
        off = gone[number][:, None] - gone[number - 1] - further
        steps_off = np.abs(off - np.round(off)) * STEPS
        total = score - STEP_COST * steps_off
        back.append(total.argmax(axis=1))
        score = total.max(axis=1) + emission[number]
    path = [int(score.argmax())]
    for came_from in reversed(back):
        path.append(int(came_from[path[-1]]))
    share = [gone[number, step] for number, step in enumerate(reversed(path))]
    position = share[:1]
    for further, here in zip(advance, share[1:], strict=True):
        position.append(here + np.round(position[-1] + further - here))
    return np.array(position)


def _beats(middle_s: Times, position: Times, bar_s: Times, duration_s: float) -> Times:
    """Lay beats through the windows' middles: by a clock if that fits, or else by the windows."""
    if len(middle_s) == 1:
        slope, at_zero = bar_s[0], middle_s[0] - position[0] * bar_s[0]
    else:
        slope, at_zero = np.polyfit(position, middle_s, 1)
    drift = np.abs(middle_s - (at_zero + slope * position)).max()
    first = int(np.floor(-at_zero / slope))
    last = int(np.ceil((duration_s - at_zero) / slope))
    count = np.arange(first * BEATS_PER_BAR, last * BEATS_PER_BAR + 1) / BEATS_PER_BAR
    if drift < CLOCK_S:
        return at_zero + slope * count
    ends = np.array([position[0] - 1e3, *position, position[-1] + 1e3])
    ends_s = [middle_s[0] - 1e3 * bar_s[0], *middle_s, middle_s[-1] + 1e3 * bar_s[-1]]
    return np.interp(count, ends, ends_s)


def likeliest_chords(log_probabilities: Floats) -> tuple[Chord, ...]:
    """Find the likeliest sequence of chords, which like to change with the bar (notebook 09).

    A row a beat, from the first beat of a bar on; see `ears.Ears.chords` (Viterbi 1967).
    """
    score, back = log_probabilities[0], []
    for beat, row in enumerate(log_probabilities[1:], start=1):
        change = CHANGES[beat % BEATS_PER_BAR]
        best = int(score.argmax())
        changed = score[best] + np.log(change / (len(CHORDS) - 1))
        stayed = score + np.log(1 - change)
        back.append(np.where(stayed >= changed, np.arange(len(CHORDS)), best))
        score = np.maximum(stayed, changed) + row
    path = [int(score.argmax())]
    for came_from in reversed(back):
        path.append(int(came_from[path[-1]]))
    return tuple(CHORDS[label] for label in reversed(path))


def likeliest_key(chords: Sequence[Chord]) -> Key:
    """Choose the key that has most of the chords, and its own the longest (notebook 09)."""
    count = Counter(chords)

    def fits(key: Key) -> float:
        own = {key.triad(degree) for degree in range(7)}
        home = key.triad(0)
        share = sum(number for chord, number in count.items() if chord in own) / len(chords)
        # Songs often begin at home. Scales are tried from the usual ones on.
        return share + 0.3 * count[home] / len(chords) + 0.15 * (chords[0] == home)

    return max((Key(root, scale) for scale in SCALES for root in range(12)), key=fits)


def hear_sections(waveform: Floats, beats_s: Times) -> tuple[Section, ...]:
    """Divide a song by how loud it is: drops, verses, breaks; intro and outro (notebook 09).

    A clip of less than 20 s is one drop.
    """
    bars = (len(beats_s) - 1) // BEATS_PER_BAR
    if len(waveform) < SHORTEST_FORM_S * SAMPLE_RATE:
        return (Section("drop", 0, bars),)
    edges = [*range(0, bars, BLOCK_BARS), bars]
    places = np.clip(beats_s[np.array(edges) * BEATS_PER_BAR] * SAMPLE_RATE, 0, len(waveform))
    blocks = np.split(np.square(waveform), places[1:-1].astype(int))
    level = 10 * np.log10([float(block.mean()) + 1e-9 if len(block) else 1e-9 for block in blocks])
    below = np.percentile(level, 80) - level
    names = [
        "drop" if db < SECTIONS_DB["drop"] else "verse" if db < SECTIONS_DB["verse"] else "break"
        for db in below
    ]
    sections = [Section(names[0], 0, 0)]
    for name, first, last in zip(names, edges, edges[1:], strict=False):
        if name != sections[-1].name:
            sections.append(Section(name, first, 0))
        sections[-1] = sections[-1]._replace(bars=sections[-1].bars + last - first)
    for place, name in ((0, "intro"), (-1, "outro")):
        if sections[place].name == "break":
            sections[place] = sections[place]._replace(name=name)
    return tuple(sections)
