"""Pitched instruments: one subtractive synthesiser that covers most, and a few that it cannot.

Every instrument is a frozen dataclass (a patch) with a method ``play(what, seconds, glide)`` that
gives one note; the renderer keeps the notes it has played and uses them again.
"""

from dataclasses import dataclass

import numpy as np

from lildata_utils.crate.waves import (
    NYQUIST_HZ,
    Waveform,
    band_pass,
    decay,
    drive,
    envelope,
    fade,
    generator,
    hertz,
    low_pass,
    oscillate,
    samples,
    seconds_axis,
    white,
)

_GOLDEN = 0.6180339887


@dataclass(frozen=True)
class Synth:
    """A subtractive synthesiser: detuned voices, a filter that closes, an envelope (notebook 01).

    Supersaws, pads, plucks, leads, organs, pianos, reese and upright basses are patches of it.

    Attributes
    ----------
    shape : str
        Waveform, see `oscillate`.
    voices : int
        Voices in unison.
    detune_cents : float
        Distance of the outermost voices from the note.
    sub : float
        Level of a sine an octave below.
    cutoff_hz, settle_hz, closing_s, resonance : float
        The filter starts at `cutoff_hz` and closes to `settle_hz` with a time constant.
    attack_s, decay_s, sustain, release_s : float
        Envelope; `release_s` is added after the note's length.
    vibrato_cents : float
        Depth of a vibrato of 5.5 Hz that sets in after a while.
    drive : float
        Overdrive, 0 for none.
    knock : float
        Level of the noise of a hammer, finger or key.
    """

    shape: str = "saw"
    voices: int = 1
    detune_cents: float = 0.0
    sub: float = 0.0
    cutoff_hz: float = 5000.0
    settle_hz: float = 5000.0
    closing_s: float = 0.2
    resonance: float = 0.0
    attack_s: float = 0.005
    decay_s: float = 0.5
    sustain: float = 1.0
    release_s: float = 0.05
    vibrato_cents: float = 0.0
    drive: float = 0.0
    knock: float = 0.0

    def _voices(self, hz: float | Waveform, n: int, cutoff_hz: float) -> Waveform:
        out = np.zeros(n, np.float32)
        spread = np.linspace(-1, 1, self.voices) if self.voices > 1 else np.zeros(1)
        for number, position in enumerate(spread):
            detuned = hz * 2 ** (float(position) * self.detune_cents / 1200)
            out += oscillate(self.shape, detuned, n, cutoff_hz, self.resonance, _GOLDEN * number)
        return out / np.float32(np.sqrt(self.voices))

    def play(self, what: float, seconds: float, glide: float | None = None) -> Waveform:
        """Render a note of the MIDI pitch `what`, that slides from `glide`, and its release."""
        n = samples(seconds + self.release_s)
        hz: float | Waveform = hertz(what)
        if glide is not None or self.vibrato_cents:
            t = seconds_axis(n)
            semitones = (self.vibrato_cents / 100) * np.minimum(t / 0.4, 1) ** 2 * np.sin(34.5 * t)
            if glide is not None:
                semitones = semitones + (glide - what) * np.exp(-t / np.float32(0.035))
            hz = hertz(what) * 2 ** (semitones / 12)
        note = self._voices(hz, n, self.cutoff_hz)
        if self.settle_hz != self.cutoff_hz:
            # The closing filter is a cross-fade between an open and a closed table.
            opened = np.exp(seconds_axis(n) / np.float32(-self.closing_s))
            closed = self._voices(hz, n, self.settle_hz)
            note = closed + (note - closed) * opened
        if self.sub:
            note += self.sub * oscillate("sine", 0.5 * hz, n)
        note *= envelope(n, self.attack_s, self.decay_s, self.sustain, self.release_s)
        if self.knock:
            length = min(n, samples(0.03))
            thump = low_pass(white(generator(0, "knock"), length), 2500)
            note[:length] += self.knock * thump * decay(length, 0.006)
        return drive(note, self.drive)


@dataclass(frozen=True)
class Bell:
    """A struck bell: inharmonic partials, the higher ones die first (notebook 01)."""

    ratios: tuple[float, ...] = (1.0, 2.0, 2.76, 4.1, 5.4)  # Partials relative to the note
    decay_s: float = 0.7  # Time constant of the lowest
    brightness: float = 0.6  # Level of each partial relative to the one below

    def play(self, what: float, seconds: float, glide: float | None = None) -> Waveform:
        """Render a stroke on the MIDI pitch `what`; it rings on after `seconds`."""
        n = samples(max(seconds, 0.3) + min(2 * self.decay_s, 1.5))
        out = np.zeros(n, np.float32)
        for number, ratio in enumerate(self.ratios):
            hz = hertz(what) * ratio
            if hz < 0.95 * NYQUIST_HZ:
                out += (
                    self.brightness**number
                    * oscillate("sine", hz, n, phase=_GOLDEN * number)
                    * decay(n, self.decay_s / ratio**0.7)
                )
        return fade(out, 0.002, 0.1)


@dataclass(frozen=True)
class ElectricPiano:
    """A tine piano by frequency modulation: a soft tone and a short tine (notebook 01)."""

    bark: float = 1.2  # Depth of the modulation at the stroke; 0.5 is soft, 3 is hard
    tine: float = 0.15  # Level of the tine, two octaves up
    tremolo: float = 0.2  # Depth of the tremolo, 0 to 1

    def play(self, what: float, seconds: float, glide: float | None = None) -> Waveform:
        """Render a note of the MIDI pitch `what`."""
        n = samples(seconds + 0.15)
        t = seconds_axis(n)
        turns = np.float32(2 * np.pi * hertz(what)) * t
        depth = self.bark * np.exp(-t / np.float32(0.35)) + 0.15
        note = np.sin(turns + depth * np.sin(turns))
        tine = np.sin(14 * turns) if 14 * hertz(what) < 9000 else np.sin(7 * turns)
        note += self.tine * tine * np.exp(-t / np.float32(0.12))
        note *= 1 - self.tremolo * (0.5 - 0.5 * np.cos(np.float32(2 * np.pi * 5.1) * t))
        return note * envelope(n, 0.004, 1.3, 0.05, 0.15)


@dataclass(frozen=True)
class Bass808:
    """The decaying sine of a drum machine's bass drum, tuned and driven (notebook 01)."""

    decay_s: float = 0.7  # Time constant
    drive: float = 2.0  # Overdrive, which makes it audible on small speakers
    punch: float = 1.0  # Depth of the fall in pitch at the start, in octaves

    def play(self, what: float, seconds: float, glide: float | None = None) -> Waveform:
        """Render a note that starts on the MIDI pitch `what` and slides to `glide`."""
        n = samples(seconds)
        t = seconds_axis(n)
        octaves = self.punch * np.exp(-t / np.float32(0.012))
        if glide is not None:
            # The slide takes 0.12 s in the middle of the note.
            octaves = octaves + (glide - what) / 12 * np.clip((t - 0.45 * seconds) / 0.12, 0, 1)
        note = oscillate("sine", hertz(what) * 2**octaves, n) * decay(n, self.decay_s)
        return fade(drive(note, self.drive), 0.002, 0.02)


@dataclass(frozen=True)
class Swell:
    """A bass note that swells and is cut off, between hardstyle's kicks (notebook 01)."""

    cutoff_hz: float = 900.0
    drive: float = 2.5

    def play(self, what: float, seconds: float, glide: float | None = None) -> Waveform:
        """Render a swelling note of the MIDI pitch `what`."""
        n = samples(seconds)
        note = oscillate("saw", hertz(what), n, self.cutoff_hz, 0.5)
        note += oscillate("saw", hertz(what + 0.09), n, self.cutoff_hz, 0.5, 0.4)
        rise = np.linspace(0, 1, n, dtype=np.float32) ** 0.7
        return fade(drive(note, self.drive) * rise, 0.005, 0.012)


@dataclass(frozen=True)
class Screech:
    """Hardstyle's screech: a driven square wave through a moving formant (notebook 01)."""

    formant_hz: float = 2200.0
    drive: float = 6.0

    def play(self, what: float, seconds: float, glide: float | None = None) -> Waveform:
        """Render a note of the MIDI pitch `what` that yelps upwards and falls back."""
        n = samples(seconds)
        t = seconds_axis(n)
        yelp = 1.5 * np.exp(-(((t - 0.06) / 0.05) ** 2)) - 0.4 * t
        source = oscillate("square", hertz(what) * 2 ** (yelp / 12), n, 6000)
        source = np.tanh(self.drive * source)
        low = band_pass(source, 0.7 * self.formant_hz, 0.95 * self.formant_hz)
        high = band_pass(source, 1.2 * self.formant_hz, 1.7 * self.formant_hz)
        sweep = np.clip(t / np.float32(max(seconds, 0.05)), 0, 1)
        return fade(np.tanh(3 * (low * sweep + high * (1 - sweep))), 0.004, 0.02)
