"""Drum kits, synthesised: each drum is rendered once and placed as often as the groove asks.

The recipes are those of analogue drum machines: a kick is a sine whose pitch falls, a snare is a
tone and filtered noise, a hi-hat is a cluster of square waves and noise above 6 kHz, a clap is
a few short bursts of noise and a longer one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lildata_utils.crate.waves import (
    Waveform,
    band_pass,
    decay,
    drive,
    fade,
    generator,
    hertz,
    high_pass,
    low_pass,
    oscillate,
    peak_normalised,
    samples,
    seconds_axis,
    white,
)

# The six square waves of a classic analogue cymbal, in Hz.
_CYMBAL_HZ = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)


def _falling_sine(
    start_hz: float, end_hz: float, fall_s: float, decay_s: float, n: int
) -> Waveform:
    t = seconds_axis(n)
    hz = end_hz + (start_hz - end_hz) * np.exp(-t / np.float32(fall_s))
    return oscillate("sine", hz, n, phase=0.0) * decay(n, decay_s)


@dataclass(frozen=True)
class Kit:
    """A drum kit, balanced: the kick has a peak of 1 (notebook 01)."""

    # Final pitch, length, level of the click of the beater, overdrive.
    kick_hz: float = 50.0
    kick_decay_s: float = 0.18
    kick_click: float = 0.3
    kick_drive: float = 1.0
    # Pitch of the skin, length, share of noise (0 to 1).
    snare_hz: float = 190.0
    snare_decay_s: float = 0.12
    snare_noise: float = 0.6
    clap_hz: float = 1200.0  # Centre of the clap's band
    # Lower edge of the hi-hats' band and length of the closed one.
    hat_hz: float = 7000.0
    hat_decay_s: float = 0.035
    metal: float = 0.5  # Share of the cymbal's square waves against noise (0 to 1)
    dust_hz: float = 12_000.0  # Low-pass over all drums (an old sampler); above 11 000 none
    cymbals_db: float = 0.0  # Level of hats, cymbals and shakers relative to the usual balance
    seed: int = 0  # Of the noise in the drums

    def play(self, what: str, seconds: float = 0.0, glide: float | None = None) -> Waveform:
        """Render one drum by its name (a key of `DRUMS`); its length is its own."""
        make, level = DRUMS[what]
        drum = peak_normalised(make(self, generator(self.seed, what)))
        if what in CYMBALS:
            level *= 10 ** (self.cymbals_db / 20)
        if self.dust_hz < 11_000:
            drum = low_pass(drum, self.dust_hz)
        return drum * np.float32(level)

    def kick(self, rng: np.random.Generator) -> Waveform:
        """Render a sine that falls to `kick_hz`, with a click."""
        n = samples(min(4 * self.kick_decay_s, 1.0) + 0.05)
        body = _falling_sine(self.kick_hz * 6, self.kick_hz, 0.022, self.kick_decay_s, n)
        click = samples(0.012)
        body[:click] += (
            self.kick_click * high_pass(white(rng, click), 1500) * decay(click, 0.003) * 0.5
        )
        return drive(body, self.kick_drive)

    def snare(self, rng: np.random.Generator) -> Waveform:
        """Render two tones of the skin and the rattle of the wires."""
        n = samples(4 * self.snare_decay_s + 0.05)
        tone = _falling_sine(
            self.snare_hz * 1.6, self.snare_hz, 0.01, 0.5 * self.snare_decay_s, n
        ) + 0.6 * _falling_sine(
            self.snare_hz * 2.6, self.snare_hz * 1.78, 0.01, 0.3 * self.snare_decay_s, n
        )
        rattle = high_pass(white(rng, n), 900) * decay(n, self.snare_decay_s) * 0.5
        return drive((1 - self.snare_noise) * tone + self.snare_noise * rattle, 1.5)

    def rim(self, rng: np.random.Generator) -> Waveform:
        """Render a stick on the rim: two short tones."""
        n = samples(0.06)
        y = oscillate("triangle", 1720.0, n) + 0.7 * oscillate("sine", 470.0, n)
        return y * decay(n, 0.011)

    def clap(self, rng: np.random.Generator) -> Waveform:
        """Render four hands, a few milliseconds apart, and the room."""
        n = samples(0.32)
        noise = white(rng, n)
        level = 0.45 * decay(n, 0.07)
        for hand in range(4):
            start = samples(0.0105 * hand)
            level[start:] = np.maximum(level[start:], decay(n - start, 0.006))
        return band_pass(noise * level, 0.6 * self.clap_hz, 2.4 * self.clap_hz)

    def snap(self, rng: np.random.Generator) -> Waveform:
        """Render fingers: a short band of noise."""
        n = samples(0.1)
        return band_pass(white(rng, n) * decay(n, 0.015), 1600, 3600)

    def _cymbal(self, rng: np.random.Generator, n: int) -> Waveform:
        metal = np.zeros(n, np.float32)
        for hz in _CYMBAL_HZ:
            metal += oscillate("square", hz * self.hat_hz / 5000, n, phase=rng.random())
        both = self.metal * metal + (1 - self.metal) * 2.5 * white(rng, n)
        return high_pass(both, self.hat_hz, 3)

    def hat(self, rng: np.random.Generator) -> Waveform:
        """Render a closed hi-hat."""
        n = samples(5 * self.hat_decay_s)
        return self._cymbal(rng, n) * decay(n, self.hat_decay_s)

    def open_hat(self, rng: np.random.Generator) -> Waveform:
        """Render an open hi-hat."""
        n = samples(0.34)
        return self._cymbal(rng, n) * decay(n, 0.06 + 2.5 * self.hat_decay_s)

    def ride(self, rng: np.random.Generator) -> Waveform:
        """Render a ride cymbal with the ping of the stick."""
        n = samples(0.7)
        ping = oscillate("pulse", 3130.0, n) * decay(n, 0.05)
        return 0.5 * self._cymbal(rng, n) * decay(n, 0.2) + 0.4 * ping

    def crash(self, rng: np.random.Generator) -> Waveform:
        """Render a crash cymbal."""
        n = samples(2.2)
        return high_pass(self._cymbal(rng, n) + white(rng, n), 3000) * decay(n, 0.55)

    def shaker(self, rng: np.random.Generator) -> Waveform:
        """Render seeds that swell and stop."""
        n = samples(0.09)
        return fade(high_pass(white(rng, n), 4500), 0.03, 0.05)

    def tom(self, rng: np.random.Generator) -> Waveform:
        """Render a tom: a slower fall than the kick's."""
        return _falling_sine(190, 95, 0.06, 0.16, samples(0.5))

    def conga(self, rng: np.random.Generator) -> Waveform:
        """Render a hand drum."""
        return _falling_sine(330, 245, 0.02, 0.07, samples(0.25))


# Every drum and its peak in the balance of the kit.
DRUMS: dict[str, tuple[Callable[[Kit, np.random.Generator], Waveform], float]] = {
    "kick": (Kit.kick, 1.0),
    "snare": (Kit.snare, 0.8),
    "rim": (Kit.rim, 0.4),
    "clap": (Kit.clap, 0.7),
    "snap": (Kit.snap, 0.5),
    "hat": (Kit.hat, 0.3),
    "open_hat": (Kit.open_hat, 0.35),
    "ride": (Kit.ride, 0.25),
    "crash": (Kit.crash, 0.4),
    "shaker": (Kit.shaker, 0.12),
    "tom": (Kit.tom, 0.7),
    "conga": (Kit.conga, 0.4),
}
CYMBALS = ("hat", "open_hat", "ride", "crash", "shaker")


@dataclass(frozen=True)
class HardKick:
    """The kick of hardstyle: a punch, then a distorted tail in the key (notebook 01)."""

    distortion: float = 12.0  # How often the wave hits the rails; 4 to 30
    tok_hz: float = 900.0  # Centre of the band that is pushed into the distortion
    tail_s: float = 0.25  # Time constant of the tail
    bite: float = 0.5  # Level of the noisy edge of the punch

    def play(self, what: float, seconds: float, glide: float | None = None) -> Waveform:
        """Render a kick whose tail ends on the MIDI pitch `what`, `seconds` long."""
        n = samples(seconds)
        t = seconds_axis(n)
        end_hz = hertz(what)
        fall = 14 * np.exp(-t / np.float32(0.012)) + 1.5 * np.exp(-t / np.float32(0.06))
        body = oscillate("sine", end_hz * (1 + fall), n, phase=0.1)
        noise = white(generator(0, "hard kick"), n)
        punch = decay(n, 0.045)
        # Distorted, filtered and distorted again, as the sound is made in the studio.
        first = np.tanh(self.distortion * (body + self.bite * noise * punch))
        tok = band_pass(first, 0.5 * self.tok_hz, 2 * self.tok_hz)
        crunch = np.tanh(4 * tok) + 0.5 * high_pass(first, 2000, 1)
        kick = 0.9 * crunch * punch + 0.55 * low_pass(first, 700, 1) * decay(n, self.tail_s)
        return fade(peak_normalised(kick), 0.0, 0.02)


@dataclass(frozen=True)
class Riser:
    """Noise and a tone (`tone` is its share) that climb, or fall after a drop (notebook 01)."""

    rising: bool = True
    tone: float = 0.2

    def play(self, what: float, seconds: float, glide: float | None = None) -> Waveform:
        """Render `seconds` of a rise that starts on the MIDI pitch `what`."""
        n = samples(seconds)
        position = np.linspace(0, 1, n, dtype=np.float32)
        noise = white(generator(0, "riser"), n)
        # A filter that opens: three fixed bands that take over from one another.
        y = low_pass(noise, 900) * 2 * (1 - position) ** 2
        y += band_pass(noise, 900, 4000) * position * (1 - position) * 3
        y += high_pass(noise, 3500) * position**2
        tone = oscillate("saw", hertz(what) * 2 ** (2 * position), n, cutoff_hz=4000)
        y = ((1 - self.tone) * 0.4 * y + self.tone * tone) * position**1.5
        return fade(y if self.rising else np.ascontiguousarray(y[::-1]), 0.005, 0.01)
