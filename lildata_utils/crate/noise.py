"""What is not music: weather, streets, rooms, machines, people; and the dust on a record."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lildata_utils.crate.voice import BREATH, CONSONANTS, VOWELS, Syllable, Voice
from lildata_utils.crate.waves import (
    Waveform,
    band_pass,
    decay,
    fade,
    generator,
    high_pass,
    low_pass,
    oscillate,
    place,
    samples,
    seconds_axis,
    white,
)
from lildata_utils.sound.spectrogram import SAMPLE_RATE


def drift(rng: np.random.Generator, n: int, step_s: float, low: float, high: float) -> Waveform:
    """Draw a level between `low` and `high`, with a new aim every `step_s` (notebook 01)."""
    points = int(n / SAMPLE_RATE / step_s) + 3
    aims = rng.uniform(low, high, points)
    return np.interp(np.arange(n), np.arange(points) * step_s * SAMPLE_RATE, aims).astype(
        np.float32
    )


def coloured(rng: np.random.Generator, n: int, slope_db: float) -> Waveform:
    """Make noise that falls by `slope_db` an octave (0 white, 3 pink, 6 brown; notebook 01)."""
    spectrum = np.fft.rfft(white(rng, n))
    hz = np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 20.0)
    spectrum *= (hz / 1000) ** (-slope_db / 6.02)
    noise = np.fft.irfft(spectrum, n).astype(np.float32)
    return noise / np.float32(np.std(noise))


def _scatter(
    rng: np.random.Generator, target: Waveform, grains: list[Waveform], per_second: float
) -> None:
    """Throw grains at random times and levels (a Poisson process)."""
    count = rng.poisson(per_second * len(target) / SAMPLE_RATE)
    starts = rng.integers(0, len(target), count)
    levels = rng.exponential(0.5, count)
    for start, level, which in zip(
        starts.tolist(), levels.tolist(), rng.integers(0, len(grains), count).tolist(), strict=True
    ):
        place(target, grains[which], start, level)


def utterances(rng: np.random.Generator, voice: Voice, pitch: float, count: int) -> list[Waveform]:
    """Render syllables of running speech (notebook 01)."""
    vowels = list(VOWELS)
    return [
        voice.play(
            Syllable(
                str(rng.choice(CONSONANTS)),
                str(rng.choice(vowels)),
                str(rng.choice(vowels)),
                float(pitch + rng.normal(0, 2)),
                float(pitch + rng.normal(-1, 2)),
            ),
            float(rng.uniform(0.11, 0.26)),
        )
        for _ in range(count)
    ]


def _speech(rng: np.random.Generator, n: int) -> Waveform:
    out = 0.004 * coloured(rng, n, 3)
    tract = rng.uniform(0.95, 1.25)
    voice = Voice(tract, rng.uniform(0.05, 0.25), 0.0, rng.uniform(5, 9))
    words = utterances(rng, voice, 45 + 40 * (tract - 0.95) + rng.uniform(0, 5), 40)
    breath = voice.play(BREATH, 0.3)
    time = 0
    while time < n:
        for _ in range(rng.integers(4, 16)):
            word = words[rng.integers(len(words))]
            place(out, word, time, rng.uniform(0.5, 1.0))
            time += len(word) + samples(abs(rng.normal(0.0, 0.03)))
        time += samples(rng.uniform(0.2, 0.9))
        place(out, breath, time)
        time += samples(0.3)
    return out


def _crowd(rng: np.random.Generator, n: int) -> Waveform:
    out = np.zeros(n, np.float32)
    words = []
    for _ in range(6):
        tract = rng.uniform(0.95, 1.3)
        words += utterances(rng, Voice(tract, 0.2), 43 + 40 * (tract - 0.9), 6)
    _scatter(rng, out, words, rng.uniform(15, 50))
    clap = band_pass(white(rng, samples(0.04)), 900, 3500) * decay(samples(0.04), 0.006)
    applause = np.zeros(n, np.float32)
    _scatter(rng, applause, [clap, clap[::-1]], rng.uniform(60, 160))
    out += applause * np.maximum(drift(rng, n, 3.0, -1.0, 1.0), 0)
    return out * drift(rng, n, 2.0, 0.5, 1.0) + 0.05 * coloured(rng, n, 4)


def _rain(rng: np.random.Generator, n: int) -> Waveform:
    noise = white(rng, n)
    out = 0.25 * high_pass(noise, rng.uniform(400, 2500), 1) * drift(rng, n, 2.5, 0.5, 1.0)
    out += 0.3 * low_pass(noise, 350) * rng.uniform(0, 1)
    drops = [
        oscillate("sine", float(hz), samples(0.03)) * decay(samples(0.03), 0.006)
        for hz in rng.uniform(900, 6000, 12)
    ]
    _scatter(rng, out, drops, rng.uniform(4, 40))
    return out


def _wind(rng: np.random.Generator, n: int) -> Waveform:
    noise = white(rng, n)
    out = 0.5 * low_pass(noise, 160) * drift(rng, n, 2.0, 0.3, 1.0)
    for centre in rng.uniform(220, 1400, 4):
        gust = np.maximum(drift(rng, n, 1.3, -0.4, 1.0), 0.02)
        out += gust * band_pass(noise, 0.93 * centre, 1.07 * centre)
    return out


def _traffic(rng: np.random.Generator, n: int) -> Waveform:
    noise = white(rng, n)
    out = 0.25 * low_pass(noise, 250) * drift(rng, n, 4.0, 0.6, 1.0)
    passing = np.zeros(n, np.float32)
    car_s = 5.0
    t = seconds_axis(samples(car_s)) - np.float32(car_s / 2)
    cars = [np.exp(-((t / width) ** 2)).astype(np.float32) for width in (0.6, 1.0, 1.6)]
    _scatter(rng, passing, cars, rng.uniform(0.2, 0.6))
    out += 0.7 * passing * band_pass(noise, 120, rng.uniform(900, 3500))
    horn = np.zeros(samples(0.5), np.float32)
    for hz in (rng.uniform(330, 420), rng.uniform(430, 520)):
        horn += oscillate("saw", float(hz), len(horn), 2500)
    _scatter(rng, out, [0.3 * fade(horn, 0.02, 0.05)], 0.05)
    return out


def _typing(rng: np.random.Generator, n: int) -> Waveform:
    out = 0.01 * coloured(rng, n, 4)
    length = samples(0.05)
    keys = [
        band_pass(white(rng, length), float(hz), 3 * float(hz)) * decay(length, 0.007)
        + 0.5 * oscillate("sine", float(hz) / 6, length) * decay(length, 0.012)
        for hz in rng.uniform(900, 2800, 10)
    ]
    time = 0
    while time < n:
        for _ in range(rng.integers(3, 40)):
            place(out, keys[rng.integers(len(keys))], time, rng.uniform(0.4, 1.0))
            time += samples(rng.gamma(4, 0.035))
        time += samples(rng.exponential(0.7))
    return out


def _machine(rng: np.random.Generator, n: int) -> Waveform:
    turn_hz = float(rng.uniform(18, 90))
    out = 0.5 * oscillate("pulse", turn_hz, n, rng.uniform(300, 3000), 1.0)
    out += 0.2 * oscillate("saw", turn_hz * rng.uniform(5, 20), n, 4000) * drift(rng, n, 1, 0, 0.5)
    out += 0.15 * coloured(rng, n, 3)
    length = samples(0.2)
    clank = np.zeros(length, np.float32)
    for hz in rng.uniform(300, 4000, 5):
        clank += oscillate("sine", float(hz), length) * decay(length, rng.uniform(0.01, 0.06))
    step = samples(rng.uniform(0.12, 1.2))
    for start in range(0, n, step):
        place(out, clank, start, rng.uniform(0.2, 0.5))
    return out * drift(rng, n, 5.0, 0.6, 1.0)


def _hum(rng: np.random.Generator, n: int) -> Waveform:
    mains_hz = float(rng.choice([50.0, 60.0]))
    out = 0.02 * coloured(rng, n, rng.uniform(2, 5))
    for harmonic in range(1, 13):
        out += rng.exponential(0.4) / harmonic**0.7 * oscillate("sine", mains_hz * harmonic, n)
    return out * drift(rng, n, 3.0, 0.8, 1.0)


def _hiss(rng: np.random.Generator, n: int) -> Waveform:
    return coloured(rng, n, rng.uniform(0, 6)) * drift(rng, n, 4.0, 0.4, 1.0)


def _clicks(rng: np.random.Generator, n: int) -> Waveform:
    out = 0.002 * coloured(rng, n, rng.uniform(0, 4))
    length = samples(0.02)
    ticks = [
        band_pass(white(rng, length), float(hz), 2.5 * float(hz)) * decay(length, 0.002)
        for hz in rng.uniform(500, 4000, 5)
    ]
    _scatter(rng, out, ticks, rng.uniform(0.5, 5))
    return out


def _water(rng: np.random.Generator, n: int) -> Waveform:
    out = 0.06 * band_pass(white(rng, n), 400, 5000) * drift(rng, n, 0.5, 0.4, 1.0)
    length = samples(0.06)
    t = seconds_axis(length)
    bubbles = [
        oscillate("sine", hz * (1 + 6 * t), length) * decay(length, 0.012)
        for hz in rng.uniform(400, 2600, 14)
    ]
    _scatter(rng, out, bubbles, rng.uniform(20, 70))
    return out


def _birds(rng: np.random.Generator, n: int) -> Waveform:
    out = 0.015 * coloured(rng, n, 3) * drift(rng, n, 3.0, 0.5, 1.0)
    songs = []
    for _ in range(8):
        length = samples(rng.uniform(0.08, 0.35))
        t = seconds_axis(length)
        hz = rng.uniform(2200, 6500) * (
            1 + rng.uniform(-0.3, 0.3) * t / t[-1] + 0.06 * np.sin(rng.uniform(60, 250) * t)
        )
        songs.append(fade(0.4 * oscillate("sine", hz, length), 0.02, 0.03))
    _scatter(rng, out, songs, rng.uniform(0.7, 4))
    return out


def _beeps(rng: np.random.Generator, n: int) -> Waveform:
    out = 0.03 * coloured(rng, n, 4)
    hz, length = float(rng.uniform(500, 3200)), samples(rng.uniform(0.07, 0.5))
    beep = fade(0.5 * oscillate(str(rng.choice(["sine", "square"])), hz, length), 0.004, 0.01)
    step = samples(rng.uniform(0.25, 1.5))
    for start in range(0, n, step):
        place(out, beep, start)
    return out


SCENES: dict[str, Callable[[np.random.Generator, int], Waveform]] = {
    "crowd": _crowd,
    "rain": _rain,
    "wind": _wind,
    "traffic": _traffic,
    "typing": _typing,
    "machine": _machine,
    "speech": _speech,
    "hum": _hum,
    "hiss": _hiss,
    "clicks": _clicks,
    "water": _water,
    "birds": _birds,
    "beeps": _beeps,
}


@dataclass(frozen=True)
class Scene:
    """A recording of something that is not music (a key of `SCENES`), at a place (notebook 01)."""

    kind: str
    seed: int = 0

    def play(self, what: int, seconds: float, glide: float | None = None) -> Waveform:
        """Render take number `what`, with fades of half a second, so that scenes can overlap."""
        n = samples(seconds)
        scene = SCENES[self.kind](generator(self.seed, self.kind, what), n)
        edge = min(0.5, seconds / 4)
        return fade(scene, edge, edge)


@dataclass(frozen=True)
class Crackle:
    """The dust of a record: sparse clicks, denser ticks, a little rumble (notebook 01)."""

    per_second: float = 12.0
    seed: int = 0

    def play(self, what: int, seconds: float, glide: float | None = None) -> Waveform:
        """Render `seconds` of crackle; `what` numbers the take."""
        rng = generator(self.seed, "crackle", what)
        n = samples(seconds)
        impulses = np.zeros(n, np.float32)
        count = rng.poisson(self.per_second * seconds)
        impulses[rng.integers(0, n, count)] = rng.standard_normal(count) * rng.exponential(1, count)
        ticks = band_pass(impulses, 900, 5500) + 0.5 * low_pass(impulses, 700)
        return fade(ticks + 0.004 * low_pass(white(rng, n), 4000), 0.1, 0.1)
