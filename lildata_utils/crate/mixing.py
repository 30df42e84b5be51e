"""The mixing desk: effects on buses, and what an artist does to the finished mix."""

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy import ndimage, signal

from lildata_utils.crate.waves import (
    NYQUIST_HZ,
    Waveform,
    fade,
    generator,
    high_pass,
    low_pass,
    place,
    samples,
    seconds_axis,
    white,
)
from lildata_utils.machine import silent_stderr
from lildata_utils.sound.spectrogram import SAMPLE_RATE

# Gains change once in so many samples (2.9 ms) and are interpolated between.
_BLOCK = 64
PEAK_CEILING = 0.95


@dataclass(frozen=True)
class Desk:
    """How an artist's records are mixed and mastered (notebook 01)."""

    loudness_lufs: float = -14.0  # Integrated loudness that the master aims at
    # Gains of the equaliser: a shelf below 150 Hz, a bell at `mid_hz`, a shelf above 4 kHz.
    low_db: float = 0.0
    mid_db: float = 0.0
    high_db: float = 0.0
    mid_hz: float = 1000.0
    drive: float = 0.0  # Saturation of the mix, 0 for none
    ratio: float = 2.0  # Of the compressor; 1 for none
    # Time and level of the reverberation.
    reverb_s: float = 1.5
    reverb_db: float = -8.0
    # The band that remains (a phone, a radio, an old sampler); above 10 000 and below 25 Hz nothing
    # is cut.
    top_hz: float = NYQUIST_HZ
    bottom_hz: float = 20.0
    hiss_db: float = -72.0  # Level of the noise floor relative to full scale
    wow_cents: float = 0.0  # Depth of the slow wander in pitch of tape and turntable; 0 for none
    mp3: float = -1.0  # Compression level of an MP3 round trip, 0 to 1; negative for none


def _biquad(b: tuple[float, ...], a: tuple[float, ...]) -> NDArray[np.float64]:
    return np.array([*b, *a]) / a[0]


def shelf(hz: float, gain_db: float, high: bool) -> NDArray[np.float64]:
    """Design a shelf (R. Bristow-Johnson, "Audio EQ Cookbook"; notebook 01)."""
    gain = 10 ** (gain_db / 40)
    w = 2 * np.pi * hz / SAMPLE_RATE
    cos, alpha = float(np.cos(w)), float(np.sin(w) / np.sqrt(2))
    root = 2 * float(np.sqrt(gain)) * alpha
    if high:
        cos = -cos
    # The two shelves are mirror images: with the sign of the cosine the odd coefficients turn.
    sign = -1.0 if high else 1.0
    b = (
        gain * ((gain + 1) - (gain - 1) * cos + root),
        sign * 2 * gain * ((gain - 1) - (gain + 1) * cos),
        gain * ((gain + 1) - (gain - 1) * cos - root),
    )
    a = (
        (gain + 1) + (gain - 1) * cos + root,
        sign * -2 * ((gain - 1) + (gain + 1) * cos),
        (gain + 1) + (gain - 1) * cos - root,
    )
    return _biquad(b, a)


def bell(hz: float, gain_db: float, quality: float = 0.8) -> NDArray[np.float64]:
    """Design a peaking equaliser (R. Bristow-Johnson, "Audio EQ Cookbook"; notebook 01)."""
    gain = 10 ** (gain_db / 40)
    w = 2 * np.pi * hz / SAMPLE_RATE
    cos, alpha = float(np.cos(w)), float(np.sin(w)) / (2 * quality)
    return _biquad(
        (1 + alpha * gain, -2 * cos, 1 - alpha * gain),
        (1 + alpha / gain, -2 * cos, 1 - alpha / gain),
    )


def sweep_low_pass(waveform: Waveform, from_hz: float, to_hz: float) -> Waveform:
    """Low-pass a waveform with a corner that moves between two frequencies (notebook 01).

    The coefficients of a resonant second-order section change every 1024 samples, and its state
    is carried over.
    """
    out = np.empty_like(waveform)
    state = np.zeros((1, 2))
    for start in range(0, len(waveform), 1024):
        hz = from_hz * (to_hz / from_hz) ** (start / len(waveform))
        w = 2 * np.pi * min(hz, 0.95 * NYQUIST_HZ) / SAMPLE_RATE
        cos, alpha = float(np.cos(w)), float(np.sin(w)) / 2.0
        section = _biquad(((1 - cos) / 2, 1 - cos, (1 - cos) / 2), (1 + alpha, -2 * cos, 1 - alpha))
        block = slice(start, start + 1024)
        out[block], state = signal.sosfilt(section[np.newaxis], waveform[block], zi=state)
    return out


def pump(n: int, kicks: NDArray[np.int64], release_s: float) -> Waveform:
    """Draw a sidechain's curve: 1 right after each kick, 0 after `release_s` (notebook 01)."""
    length = samples(release_s)
    shape = fade((0.5 + 0.5 * np.cos(np.linspace(0, np.pi, length))).astype(np.float32), 0.004, 0.0)
    curve = np.zeros(n, np.float32)
    for start in kicks.tolist():
        part = curve[start : start + length]
        np.maximum(part, shape[: len(part)], out=part)
    return curve


def echo(waveform: Waveform, delay_s: float, feedback: float) -> Waveform:
    """Make three repeats of a waveform, each darker and softer than the last (notebook 01)."""
    out = np.zeros_like(waveform)
    tap = low_pass(waveform, 3500, 1)
    for number in range(1, 4):
        place(out, tap, number * samples(delay_s), feedback**number)
    return out


@lru_cache(maxsize=8)
def _impulse_response(reverb_s: float) -> Waveform:
    """Make noise that decays by 60 dB in `reverb_s`, the treble twice as fast, after 12 ms."""
    n = samples(min(reverb_s, 3.0))
    noise = white(generator(0, "reverb"), n)
    t = seconds_axis(n)
    tau = np.float32(reverb_s / 6.9)
    bass = low_pass(noise, 1800, 1)
    response = bass * np.exp(-t / tau) + (noise - bass) * np.exp(-2 * t / tau)
    response = high_pass(response, 180)
    response[: samples(0.012)] *= 0.1
    response = fade(response, 0.0, 0.1 * reverb_s)
    return response / np.float32(np.sqrt(np.sum(response**2)))


def reverberate(waveform: Waveform, reverb_s: float) -> Waveform:
    """Convolve with a room that reverberates for `reverb_s`: the wet signal (notebook 01)."""
    wet = signal.oaconvolve(waveform, _impulse_response(round(reverb_s, 2)))
    return wet[: len(waveform)].astype(np.float32)


def _block_gains(gains: NDArray[np.float64], n: int) -> Waveform:
    centres = (np.arange(len(gains)) + 0.5) * _BLOCK
    return np.interp(np.arange(n), centres, gains).astype(np.float32)


def _blocks(waveform: Waveform) -> Waveform:
    return np.pad(waveform, (0, -len(waveform) % _BLOCK)).reshape(-1, _BLOCK)


def compress(waveform: Waveform, ratio: float, threshold_db: float = -18.0) -> Waveform:
    """Let levels above the threshold grow only by 1/`ratio`, within about 20 ms (notebook 01)."""
    if ratio <= 1:
        return waveform
    power = np.mean(_blocks(waveform) ** 2, axis=1)
    level_db = 10 * np.log10(power + 1e-9)
    memory = float(np.exp(-_BLOCK / SAMPLE_RATE / 0.02))
    level_db = signal.lfilter([1 - memory], [1, -memory], level_db, zi=[level_db[0] * memory])[0]
    gain_db = -np.maximum(level_db - threshold_db, 0) * (1 - 1 / ratio)
    return waveform * _block_gains(10 ** (gain_db / 20), len(waveform))


def limit(waveform: Waveform, ceiling: float = PEAK_CEILING) -> Waveform:
    """Turn peaks down below the ceiling, without clipping a wave's shape (notebook 01)."""
    peaks = np.max(np.abs(_blocks(waveform)), axis=1)
    gains = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    if np.min(gains) < 1:
        # The minimum over a window, then the mean over the same: down in time and smooth.
        gains = ndimage.uniform_filter1d(ndimage.minimum_filter1d(gains, 17), 15)
        waveform = waveform * _block_gains(gains, len(waveform))
    peak = float(np.max(np.abs(waveform)))
    return waveform * np.float32(ceiling / peak) if peak > ceiling else waveform


# The two sections of the K-weighting of ITU-R BS.1770-4, from their analogue parameters.
def _k_weighting() -> NDArray[np.float64]:
    k = np.tan(np.pi * 38.13547 / SAMPLE_RATE)
    q = 0.5003270
    norm = 1 + k / q + k * k
    rumble = np.array([1, -2, 1, 1, 2 * (k * k - 1) / norm, (1 - k / q + k * k) / norm])
    k, q = np.tan(np.pi * 1681.9745 / SAMPLE_RATE), 0.7071752
    high = 10 ** (3.99984 / 20)
    band = high**0.4996668
    norm = 1 + k / q + k * k
    head = np.array(
        [
            (high + band * k / q + k * k) / norm,
            2 * (k * k - high) / norm,
            (high - band * k / q + k * k) / norm,
            1,
            2 * (k * k - 1) / norm,
            (1 - k / q + k * k) / norm,
        ]
    )
    return np.stack([head, rumble])


def loudness(waveform: Waveform) -> float:
    """Integrated loudness of a mono waveform in LUFS, after ITU-R BS.1770-4 (notebook 01).

    K-weighting, mean power in blocks of 400 ms every 100 ms, an absolute gate at -70 LUFS and a
    relative one 10 LU below the mean. The waveform is at least 0.4 s long. A full-scale sine of
    997 Hz has -3.01 LUFS; silence has -70.
    """
    weighted = signal.sosfilt(_k_weighting(), waveform)
    hop = SAMPLE_RATE // 10
    hops = np.square(weighted[: len(weighted) // hop * hop]).reshape(-1, hop).mean(axis=1)
    power = np.convolve(hops, np.full(4, 0.25), mode="valid")
    kept = power[power > 10 ** ((-70 + 0.691) / 10)]
    if not len(kept):
        return -70.0
    kept = kept[kept > 0.1 * np.mean(kept)]
    return float(-0.691 + 10 * np.log10(np.mean(kept)))


def mp3_round_trip(waveform: Waveform, compression: float) -> Waveform:
    """Encode as MP3 and decode: same length, without what nobody should hear (notebook 03)."""
    memory = io.BytesIO()
    with soundfile.SoundFile(
        memory, "w", SAMPLE_RATE, 1, "MPEG_LAYER_III", format="MP3", compression_level=compression
    ) as file:
        file.write(waveform)
    memory.seek(0)
    with silent_stderr():  # mpg123 comments on the first frame of a stream in memory
        decoded = soundfile.read(memory, dtype="float32")[0]
    out = np.zeros_like(waveform)
    place(out, decoded, 0)
    return out


def wow_and_flutter(waveform: Waveform, cents: float, seed: int) -> Waveform:
    """Play on an uneven turntable: the pitch wanders by `cents` (notebook 01)."""
    n = len(waveform)
    rng = generator(seed, "wow")
    at = np.arange(n, dtype=np.float64)
    for hz, share in ((0.55, 0.75), (6.3, 0.15)):
        hz *= rng.uniform(0.8, 1.2)
        # The slope of the displacement is the change of speed.
        swing = share * cents / 1200 * np.log(2) * SAMPLE_RATE / (2 * np.pi * hz)
        at += swing * np.sin(2 * np.pi * hz / SAMPLE_RATE * np.arange(n) + rng.uniform(0, 6))
    return np.interp(at, np.arange(n), waveform).astype(np.float32)


def colour(mix: Waveform, desk: Desk, seed: int) -> Waveform:
    """Do the first half of a master: wow, band, equaliser, saturation, ratio (notebook 01)."""
    if desk.wow_cents:
        mix = wow_and_flutter(mix, desk.wow_cents, seed)
    sections = [
        section
        for section, gain_db in (
            (shelf(150, desk.low_db, high=False), desk.low_db),
            (bell(desk.mid_hz, desk.mid_db), desk.mid_db),
            (shelf(4000, desk.high_db, high=True), desk.high_db),
        )
        if gain_db
    ]
    if sections:
        mix = signal.sosfilt(np.stack(sections), mix).astype(np.float32)
    if desk.top_hz < 10_000:
        mix = low_pass(mix, desk.top_hz, 4)
    if desk.drive:
        mix = np.tanh(np.float32(1 + desk.drive) * mix)
    # After the saturation, which makes direct current of lopsided waves.
    return compress(high_pass(mix, desk.bottom_hz), desk.ratio)


def deliver(mix: Waveform, desk: Desk, gain: float, seed: int) -> Waveform:
    """Do the second half: level, noise floor, limiter, and perhaps an MP3 (notebook 01)."""
    hiss = white(generator(seed, "hiss"), len(mix)) * np.float32(10 ** (desk.hiss_db / 20))
    out = limit(mix * np.float32(gain) + hiss)
    if desk.mp3 >= 0:
        out = limit(mp3_round_trip(out, desk.mp3))
    return out


def make_up_gain(mix: Waveform, desk: Desk) -> float:
    """Find the gain that brings a mix to the loudness that the desk wants (notebook 01)."""
    return float(10 ** ((desk.loudness_lufs - loudness(mix)) / 20))
