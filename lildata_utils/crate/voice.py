"""A voice without a speaker: a glottal pulse train through the resonances of the vocal tract.

Formant frequencies of the vowels are rounded means for adult men from G. Peterson and H. Barney,
"Control methods used in a study of the vowels" (1952); a shorter tract scales them up.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lildata_utils.crate.waves import (
    Waveform,
    band_pass,
    decay,
    fade,
    generator,
    hertz,
    high_pass,
    oscillate,
    samples,
    seconds_axis,
    white,
)

# The first three formants in Hz.
VOWELS = {
    "i": (270, 2290, 3010),
    "e": (530, 1840, 2480),
    "a": (730, 1090, 2440),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
    "er": (490, 1350, 1690),
    "ae": (660, 1720, 2410),
}
FRICATIVES = {"s": (4500.0, 9000.0), "sh": (2200.0, 6000.0), "f": (1500.0, 8000.0)}
PLOSIVES = {"p": 900.0, "t": 4000.0, "k": 2000.0}
CONSONANTS = (*FRICATIVES, *PLOSIVES, "m", "")


class Syllable(NamedTuple):
    """A consonant, a vowel that turns into another, a pitch that moves (notebook 01)."""

    consonant: str
    vowel: str
    end_vowel: str
    pitch: float
    end_pitch: float


BREATH = Syllable("f", "", "", 0.0, 0.0)


@dataclass(frozen=True)
class Voice:
    """A speaker, rapper or singer (notebook 01)."""

    # Scale of the formants: 1 is a man's tract, 1.17 a woman's, 1.5 a chopped sample played too
    # fast.
    tract: float = 1.0
    breathiness: float = 0.08  # Share of noise in the voiced source (0 to 1)
    vibrato_cents: float = 10.0  # Depth of the vibrato
    sharpness: float = 7.0  # Quality factor of the formants

    def _formants(self, source: Waveform, vowel: str) -> Waveform:
        out = np.zeros(len(source), np.float32)
        for hz, level in zip(VOWELS[vowel], (1.0, 0.5, 0.25), strict=True):
            centre = hz * self.tract
            half = max(centre / (2 * self.sharpness), 80.0)
            out += level * band_pass(source, centre - half, centre + half)
        return out + 0.08 * band_pass(source, 3000 * self.tract, 4200 * self.tract)

    def _vowel(self, syllable: Syllable, n: int) -> Waveform:
        t = seconds_axis(n)
        line = np.linspace(syllable.pitch, syllable.end_pitch, n, dtype=np.float32)
        line += (
            self.vibrato_cents
            / 100
            * np.sin(np.float32(2 * np.pi * 5.3) * t)
            * np.minimum(t / 0.3, 1)
        )
        hz = 440 * 2 ** ((line - 69) / 12)
        source = oscillate("saw", hz, n, 3800)
        source += self.breathiness * white(generator(0, "breath"), n)
        start = self._formants(source, syllable.vowel)
        if syllable.end_vowel == syllable.vowel:
            return start
        turn = np.linspace(0, 1, n, dtype=np.float32)
        return start + (self._formants(source, syllable.end_vowel) - start) * turn

    def play(self, what: Syllable, seconds: float, glide: float | None = None) -> Waveform:
        """Render a syllable, which has its own glide; one without a vowel is a breath."""
        n = samples(seconds)
        rng = generator(0, what.consonant)
        if not what.vowel:
            return fade(band_pass(white(rng, n), 800, 4500) * 0.12, 0.6 * seconds, 0.3 * seconds)
        out = fade(self._vowel(what, n), 0.02, min(0.06, 0.4 * seconds))
        if what.consonant in FRICATIVES:
            length = min(n, samples(0.075))
            out[:length] *= np.linspace(0, 1, length, dtype=np.float32)
            hiss = band_pass(white(rng, length), *FRICATIVES[what.consonant])
            out[:length] += 0.35 * fade(hiss, 0.02, 0.03)
        elif what.consonant in PLOSIVES:
            gap = min(n, samples(0.028))
            out[:gap] = 0
            burst = min(n, samples(0.022))
            hiss = high_pass(white(rng, burst), PLOSIVES[what.consonant]) * decay(burst, 0.006)
            out[:burst] += 0.5 * hiss
        elif what.consonant == "m":
            length = min(n, samples(0.06))
            hum = oscillate("soft", hertz(what.pitch), length, 500)
            blend = np.linspace(0, 1, length, dtype=np.float32)
            out[:length] = out[:length] * blend + 0.3 * hum * (1 - blend)
        return out
