"""From a composed track to a waveform."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lildata_utils.crate.artists import PARTS, Layer, Track
from lildata_utils.crate.mixing import (
    colour,
    deliver,
    echo,
    make_up_gain,
    pump,
    reverberate,
    sweep_low_pass,
)
from lildata_utils.crate.waves import (
    Waveform,
    fade,
    high_pass,
    place,
    samples,
    seconds_axis,
)
from lildata_utils.errors import LilDataError
from lildata_utils.sound.spectrogram import SAMPLE_RATE

_Note = tuple[object, int, float | None]


def render(track: Track, parts: Sequence[str] | None = None) -> Waveform:
    """Render a track, whole or some of its parts (notebook 01).

    A part is heard at the level that it has in the whole, through the same master; the
    sidechain ducks it for kicks that are not heard.

    Parameters
    ----------
    track : Track
        From `compose`.
    parts : sequence of str or None
        Some of ``drums``, ``bass``, ``chords``, ``lead``, ``voice``, ``noise``; None for all.

    Returns
    -------
    ndarray, shape (n,), float32
        Mono at 22 050 Hz, ``round(track.duration_s * 22050)`` samples, below full scale.

    Raises
    ------
    LilDataError
        If there is no such part.

    Examples
    --------
    >>> from lildata_utils.crate.composing import compose
    >>> drums = render(compose("house", 0, duration_s=8.0), parts=("drums",))
    >>> drums.shape, drums.dtype
    ((176400,), dtype('float32'))
    """
    desk = track.artist.desk
    mix = colour(dry_mix(track), desk, track.number)
    gain = make_up_gain(mix, desk)
    if parts is not None:
        mix = colour(dry_mix(track, parts), desk, track.number)
    out = deliver(mix, desk, gain, track.number)
    return fade(out, 0.003, 0.25)


def dry_mix(track: Track, parts: Sequence[str] | None = None) -> Waveform:
    """Sum parts of a track with their effects, before the master (notebook 01).

    The sum of two parts rendered alone is the two rendered together, up to rounding. Arguments and
    errors as for `render`.
    """
    for part in parts or ():
        if part not in PARTS:
            raise LilDataError(f"part {part!r} is unknown: expected some of {', '.join(PARTS)}")
    n = samples(track.duration_s)
    mix, wet = np.zeros(n, np.float32), np.zeros(n, np.float32)
    curve = pump(n, _kicks(track), 0.75 / track.beats_per_second)
    for layer in track.layers:
        if parts is None or layer.part in parts:
            channel = _channel(track, layer, n, curve)
            mix += channel
            if layer.reverb:
                wet += np.float32(layer.reverb) * channel
    if np.any(wet):
        desk = track.artist.desk
        mix += np.float32(10 ** (desk.reverb_db / 20)) * 2 * reverberate(wet, desk.reverb_s)
    return mix


def _kicks(track: Track) -> NDArray[np.int64]:
    """Find the samples at which the sidechain is triggered."""
    kicks = [
        round(track.seconds(event.beat) * SAMPLE_RATE)
        for layer in track.layers
        if layer.part == "drums"
        for event in layer.events
        if event.what == "kick" or not isinstance(event.what, str)
    ]
    return np.array([kick for kick in kicks if kick >= 0], np.int64)


def _channel(track: Track, layer: Layer, n: int, curve: Waveform) -> Waveform:
    """Render one layer with its own effects, at its level."""
    dry = _played(track, layer, n)
    if layer.low_cut_hz:
        dry = high_pass(dry, layer.low_cut_hz)
    gain = 10 ** (layer.level_db / 20)
    if layer.part != "drums":
        gain /= _level(dry)
    dry *= np.float32(gain)
    for start, end, from_hz, to_hz in layer.sweeps:
        part = _between(track, start, end, n)
        # The filter is faded in and out: switching it would click.
        swept = sweep_low_pass(dry[part], from_hz, to_hz) - dry[part]
        dry[part] += fade(swept, 0.03, 0.03)
    if layer.wobbles:
        dry *= _swells(track, layer, n)
    if layer.duck:
        dry *= 1 - np.float32(layer.duck) * curve
    if layer.echo:
        dry += np.float32(layer.echo) * echo(dry, 0.75 / track.beats_per_second, 0.5)
    return dry


def _swells(track: Track, layer: Layer, n: int) -> Waveform:
    """Draw the level of a layer that wobbles."""
    level = np.ones(n, np.float32)
    for start, end, rate, depth in layer.wobbles:
        part = _between(track, start, end, n)
        beats = seconds_axis(part.stop - part.start) * np.float32(track.beats_per_second)
        wave = 0.5 + 0.5 * np.cos(np.float32(2 * np.pi * rate) * beats)
        level[part] -= np.float32(depth) * wave
    # Smoothed over 10 ms: where wobbles begin and end, the level would jump.
    return ndimage.uniform_filter1d(level, samples(0.01))


def _between(track: Track, start_beat: float, end_beat: float, n: int) -> slice:
    start, end = (round(track.seconds(beat) * SAMPLE_RATE) for beat in (start_beat, end_beat))
    return slice(min(max(start, 0), n), min(max(end, 0), n))


def _played(track: Track, layer: Layer, n: int) -> Waveform:
    """Place a layer's notes; each different note is rendered once."""
    out = np.zeros(n, np.float32)
    notes: dict[_Note, Waveform] = {}
    for beat, beats, what, velocity, glide in layer.events:
        start = round(track.seconds(beat) * SAMPLE_RATE)
        if start >= n:
            continue
        # Lengths are rounded to 10 ms, so that notes of the same step share a rendering.
        length = max(round(beats / track.beats_per_second * 100), 2)
        note = notes.get((what, length, glide))
        if note is None:
            note = layer.instrument.play(what, length / 100, glide)
            notes[what, length, glide] = note
        place(out, note, start, velocity)
    return out


def _level(waveform: Waveform) -> float:
    """Measure the root mean square of what sounds: samples below 1/50 of the peak do not count."""
    squares = np.square(waveform)
    loud = squares > np.max(squares) / 2500
    return float(np.sqrt(np.mean(squares, where=loud))) if np.any(loud) else 1.0
