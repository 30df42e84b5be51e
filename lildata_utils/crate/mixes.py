"""A DJ's mix: tracks of several artists at one tempo, faded into one another on the bar."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lildata_utils.crate.artists import Track
from lildata_utils.crate.composing import compose
from lildata_utils.crate.genres import RECIPES
from lildata_utils.crate.patterns import BEATS_PER_BAR
from lildata_utils.crate.rendering import render
from lildata_utils.crate.waves import Waveform, generator, samples

_LONGEST_FADE_BARS = 8


@dataclass(frozen=True)
class Mix:
    """The plan of a mix: its tracks, and when each begins to be heard (notebook 01)."""

    tracks: tuple[Track, ...]
    starts_s: tuple[float, ...]

    @property
    def duration_s(self) -> float:
        """Length of the mix in seconds."""
        return self.starts_s[-1] + self.tracks[-1].duration_s

    @property
    def ends_s(self) -> tuple[float, ...]:
        """When each track has faded out."""
        return tuple(
            start + track.duration_s
            for start, track in zip(self.starts_s, self.tracks, strict=True)
        )


def plan_mix(
    genre: str, numbers: Sequence[int], seed: int = 0, duration_s: float | None = None
) -> Mix:
    """Choose a tempo, compose the tracks at it and decide when each begins (notebook 01).

    A track begins while the one before plays its last section, on a bar of it. Arguments as for
    `compose`; `duration_s` is rounded to whole bars, `numbers` names at least one track.
    """
    # An unknown genre is compose's to refuse.
    tempos = RECIPES[genre].tempo_bpm if genre in RECIPES else None
    tempo = None
    if tempos is not None:
        tempo = round(float(generator(seed, "mix", genre, numbers[0]).uniform(*tempos)), 1)
    bar_s = BEATS_PER_BAR * 60 / (tempo or 60.0)
    if duration_s is not None:
        duration_s = max(2, round(duration_s / bar_s)) * bar_s
    tracks = tuple(compose(genre, number, seed, duration_s, tempo) for number in numbers)
    starts = [0.0]
    for track in tracks[:-1]:
        # Noise has one section: a quarter of a track is the most that is shared.
        quarter = int(track.duration_s / bar_s / 4)
        bars = max(1, min(track.sections[-1].bars, quarter, _LONGEST_FADE_BARS))
        starts.append(starts[-1] + track.duration_s - bars * bar_s)
    return Mix(tracks, tuple(starts))


def render_mix(mix: Mix) -> Iterator[Waveform]:
    """Render a mix track by track: an hour of it needs the memory of two tracks (notebook 01).

    Yields
    ------
    ndarray, shape (n,), float32
        The next stretch; together they last ``mix.duration_s``. Where two tracks overlap their
        gains sum to one, so the peaks stay below full scale.
    """
    starts = [round(start * samples(1.0)) for start in mix.starts_s]
    tail = np.zeros(0, np.float32)
    for number, track in enumerate(mix.tracks):
        waveform = render(track)
        ramp = np.linspace(0, 1, len(tail), dtype=np.float32)
        # Rounding to samples may leave the last of them without its partner.
        shared = min(len(tail), len(waveform))
        waveform[:shared] = waveform[:shared] * ramp[:shared] + tail[:shared] * (1 - ramp[:shared])
        end = len(waveform)
        if number + 1 < len(starts):
            end = starts[number + 1] - starts[number]
        yield waveform[:end]
        tail = waveform[end:]
