"""Patches drawn from ranges: the shops in which artists of all genres buy their sounds.

Neighbouring genres draw from the same function with the same ranges, which is one of the reasons
why a network confuses them.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from lildata_utils.crate.artists import Instrument
from lildata_utils.crate.drums import HardKick, Kit
from lildata_utils.crate.mixing import Desk
from lildata_utils.crate.synths import Bass808, Bell, ElectricPiano, Screech, Swell, Synth
from lildata_utils.crate.voice import Voice
from lildata_utils.crate.waves import NYQUIST_HZ

Thing = TypeVar("Thing")


def pick(rng: np.random.Generator, things: Sequence[Thing]) -> Thing:
    """Draw one of several things (notebook 01)."""
    return things[int(rng.integers(len(things)))]


def one_of(rng: np.random.Generator, *makers: Callable[..., Instrument]) -> Instrument:
    """Draw an instrument from one of several ranges (notebook 01)."""
    return pick(rng, makers)(rng)


def chance(rng: np.random.Generator, **odds: float) -> frozenset[str]:
    """Draw each habit with its own probability (notebook 01)."""
    return frozenset(name for name, odd in odds.items() if rng.random() < odd)


def machine_kit(rng: np.random.Generator, **fixed: Any) -> Kit:
    """Draw an electronic kit: long kick, crisp hats (notebook 01)."""
    drawn = {
        "kick_hz": rng.uniform(44, 58),
        "kick_decay_s": rng.uniform(0.1, 0.25),
        "kick_click": rng.uniform(0.1, 0.7),
        "kick_drive": rng.uniform(0.5, 3),
        "snare_hz": rng.uniform(165, 240),
        "snare_decay_s": rng.uniform(0.08, 0.18),
        "snare_noise": rng.uniform(0.45, 0.85),
        "clap_hz": rng.uniform(900, 1700),
        "hat_hz": rng.uniform(5500, 8300),
        "hat_decay_s": rng.uniform(0.02, 0.055),
        "metal": rng.uniform(0.1, 0.9),
        "cymbals_db": rng.uniform(-5, 5),
        "seed": int(rng.integers(2**31)),
    }
    return Kit(**{**drawn, **fixed})


def dusty_kit(rng: np.random.Generator, **fixed: Any) -> Kit:
    """Draw a soft kit from an old sampler (notebook 01)."""
    drawn = {
        "kick_hz": rng.uniform(52, 72),
        "kick_decay_s": rng.uniform(0.07, 0.13),
        "kick_click": rng.uniform(0.0, 0.2),
        "snare_hz": rng.uniform(170, 230),
        "snare_decay_s": rng.uniform(0.06, 0.12),
        "snare_noise": rng.uniform(0.3, 0.6),
        "hat_hz": rng.uniform(4200, 6000),
        "hat_decay_s": rng.uniform(0.015, 0.035),
        "metal": rng.uniform(0.0, 0.4),
        "dust_hz": rng.uniform(3500, 8000),
    }
    return machine_kit(rng, **{**drawn, **fixed})


def supersaw(rng: np.random.Generator, **fixed: Any) -> Synth:
    """Draw many detuned saws (notebook 01)."""
    drawn = {
        "shape": "saw",
        "voices": int(rng.integers(5, 8)),
        "detune_cents": rng.uniform(12, 32),
        "sub": rng.uniform(0, 0.3),
        "cutoff_hz": rng.uniform(5000, 10_000),
        "settle_hz": rng.uniform(3500, 8000),
        "attack_s": rng.uniform(0.003, 0.03),
        "sustain": rng.uniform(0.75, 1),
        "release_s": rng.uniform(0.05, 0.2),
    }
    return Synth(**{**drawn, **fixed})


def pad(rng: np.random.Generator, **fixed: Any) -> Synth:
    """Draw a slow, soft chord sound (notebook 01)."""
    drawn = {
        "shape": pick(rng, ("saw", "saw", "pulse", "soft")),
        "voices": int(rng.integers(3, 6)),
        "detune_cents": rng.uniform(8, 22),
        "cutoff_hz": rng.uniform(700, 3500),
        "settle_hz": rng.uniform(600, 2500),
        "closing_s": rng.uniform(0.4, 1.2),
        "attack_s": rng.uniform(0.08, 0.5),
        "release_s": rng.uniform(0.2, 0.5),
    }
    return Synth(**{**drawn, **fixed})


def pluck(rng: np.random.Generator, **fixed: Any) -> Synth:
    """Draw a short sound whose filter closes quickly (notebook 01)."""
    drawn = {
        "shape": pick(rng, ("saw", "square", "pulse", "triangle")),
        "voices": int(rng.integers(1, 4)),
        "detune_cents": rng.uniform(3, 15),
        "cutoff_hz": rng.uniform(2500, 9000),
        "settle_hz": rng.uniform(300, 900),
        "closing_s": rng.uniform(0.05, 0.2),
        "decay_s": rng.uniform(0.12, 0.4),
        "sustain": 0.0,
        "release_s": 0.15,
    }
    return Synth(**{**drawn, **fixed})


def piano(rng: np.random.Generator, **fixed: Any) -> Synth:
    """Draw a piano, more or less felted (notebook 01)."""
    drawn = {
        "shape": "piano",
        "voices": 2,
        "detune_cents": rng.uniform(1, 4),
        "cutoff_hz": rng.uniform(2500, 7000),
        "settle_hz": rng.uniform(500, 1000),
        "closing_s": rng.uniform(0.2, 0.5),
        "decay_s": rng.uniform(0.5, 1.2),
        "sustain": 0.0,
        "release_s": 0.2,
        "knock": rng.uniform(0.05, 0.4),
    }
    return Synth(**{**drawn, **fixed})


def electric_piano(rng: np.random.Generator) -> ElectricPiano:
    """Draw a tine piano (notebook 01)."""
    return ElectricPiano(rng.uniform(0.5, 2.2), rng.uniform(0.03, 0.25), rng.uniform(0, 0.4))


def keys(rng: np.random.Generator) -> Synth | ElectricPiano:
    """Draw some keyboard: piano, electric piano or organ (notebook 01)."""
    kind = rng.random()
    if kind < 0.4:
        return piano(rng)
    if kind < 0.8:
        return electric_piano(rng)
    return Synth("organ", cutoff_hz=rng.uniform(1500, 5000), vibrato_cents=rng.uniform(0, 12))


def strings(rng: np.random.Generator) -> Synth:
    """Draw a small string section from an old record (notebook 01)."""
    return pad(
        rng,
        shape="saw",
        attack_s=rng.uniform(0.05, 0.15),
        cutoff_hz=rng.uniform(2000, 4500),
        vibrato_cents=rng.uniform(8, 20),
    )


def brass(rng: np.random.Generator) -> Synth:
    """Horns: the filter opens hard and closes a little (notebook 01)."""
    return Synth(
        "saw",
        3,
        rng.uniform(5, 12),
        cutoff_hz=rng.uniform(3000, 6000),
        settle_hz=rng.uniform(900, 1800),
        closing_s=0.15,
        attack_s=0.03,
        decay_s=0.4,
        sustain=0.6,
        release_s=0.08,
    )


def bell(rng: np.random.Generator) -> Bell:
    """Draw a bell, a music box or a marimba (notebook 01)."""
    ratios = pick(
        rng,
        (
            (1.0, 2.0, 2.76, 4.1, 5.4),
            (1.0, 3.0, 4.2, 6.3),
            (1.0, 3.93, 9.2),
            (1.0, 2.0, 3.0, 4.0, 6.0),
        ),
    )
    return Bell(ratios, rng.uniform(0.25, 1.0), rng.uniform(0.3, 0.75))


def anthem(rng: np.random.Generator) -> Synth:
    """Draw a big lead (notebook 01)."""
    return supersaw(
        rng,
        shape=pick(rng, ("saw", "saw", "square")),
        detune_cents=rng.uniform(10, 25),
        vibrato_cents=rng.uniform(0, 12),
        drive=rng.uniform(0, 1.5),
    )


def flute(rng: np.random.Generator) -> Synth:
    """Draw a breathy lead (notebook 01)."""
    return Synth(
        pick(rng, ("triangle", "sine")),
        cutoff_hz=3000,
        attack_s=rng.uniform(0.03, 0.08),
        vibrato_cents=rng.uniform(10, 25),
        knock=rng.uniform(0.1, 0.4),
        release_s=0.1,
    )


def bass_808(rng: np.random.Generator) -> Bass808:
    """Draw a tuned bass drum (notebook 01)."""
    return Bass808(rng.uniform(0.4, 1.1), rng.uniform(0.5, 4.0), rng.uniform(0.5, 2.0))


def reese(rng: np.random.Generator, **fixed: Any) -> Synth:
    """Draw two or three detuned saws far down (notebook 01)."""
    drawn = {
        "shape": "saw",
        "voices": int(rng.integers(2, 4)),
        "detune_cents": rng.uniform(10, 30),
        "sub": rng.uniform(0.5, 1.2),
        "cutoff_hz": rng.uniform(250, 900),
        "settle_hz": rng.uniform(180, 500),
        "closing_s": rng.uniform(0.2, 0.6),
        "release_s": 0.06,
    }
    return Synth(**{**drawn, **fixed})


def sub_bass(rng: np.random.Generator) -> Synth:
    """Draw hardly more than a sine (notebook 01)."""
    return Synth(pick(rng, ("sine", "triangle")), cutoff_hz=600, drive=rng.uniform(0, 1.5))


def upright_bass(rng: np.random.Generator) -> Synth:
    """Draw a plucked double bass (notebook 01)."""
    return Synth(
        "soft",
        cutoff_hz=rng.uniform(600, 1200),
        settle_hz=rng.uniform(150, 300),
        closing_s=0.12,
        decay_s=rng.uniform(0.25, 0.5),
        sustain=0.05,
        release_s=0.06,
        knock=rng.uniform(0.1, 0.5),
    )


def house_bass(rng: np.random.Generator) -> Synth:
    """Draw a plucked square, saw or organ (notebook 01)."""
    return Synth(
        pick(rng, ("saw", "square", "organ", "triangle")),
        sub=rng.uniform(0, 0.7),
        cutoff_hz=rng.uniform(500, 2500),
        settle_hz=rng.uniform(180, 450),
        closing_s=rng.uniform(0.06, 0.2),
        resonance=rng.uniform(0, 2),
        decay_s=rng.uniform(0.2, 0.6),
        sustain=rng.uniform(0.1, 0.6),
    )


def rapper(rng: np.random.Generator) -> Voice:
    """Draw a baritone, more or less (notebook 01)."""
    return Voice(
        rng.uniform(0.92, 1.1), rng.uniform(0.03, 0.15), rng.uniform(0, 15), rng.uniform(6, 10)
    )


def chopped_voice(rng: np.random.Generator) -> Voice:
    """Draw a sample of a singer, played faster (notebook 01)."""
    return Voice(
        rng.uniform(1.2, 1.6), rng.uniform(0.03, 0.2), rng.uniform(10, 35), rng.uniform(6, 10)
    )


def hard_kick(rng: np.random.Generator) -> HardKick:
    """Draw a kick for hardstyle (notebook 01)."""
    return HardKick(
        rng.uniform(5, 25), rng.uniform(500, 1600), rng.uniform(0.12, 0.4), rng.uniform(0.2, 0.9)
    )


def screech(rng: np.random.Generator) -> Screech:
    """Draw a screech for hardstyle (notebook 01)."""
    return Screech(rng.uniform(1400, 3200), rng.uniform(3, 10))


def swell(rng: np.random.Generator) -> Swell:
    """Draw a reverse bass (notebook 01)."""
    return Swell(rng.uniform(400, 1600), rng.uniform(1, 4))


def desk(rng: np.random.Generator, **fixed: Any) -> Desk:
    """Draw mixing habits; what belongs to the genre is `fixed` (notebook 01)."""
    drawn = {
        "loudness_lufs": rng.uniform(-20, -9),
        "low_db": rng.normal(0, 2.5),
        "mid_db": rng.normal(0, 3.0),
        "mid_hz": float(np.exp(rng.uniform(np.log(400), np.log(2500)))),
        "high_db": rng.normal(0, 3.0),
        "drive": rng.choice([0.0, rng.uniform(0, 1.5)]),
        "ratio": rng.choice([1.0, rng.uniform(1.5, 4)]),
        "reverb_s": rng.uniform(0.6, 2.6),
        "reverb_db": rng.uniform(-12, -3),
        "hiss_db": rng.uniform(-75, -50),
    }
    fate = rng.random()
    if fate < 0.1:
        drawn["mp3"] = rng.uniform(0.4, 0.95)
    elif fate < 0.16:
        drawn["top_hz"] = rng.uniform(4500, 8000)
    elif fate < 0.19:
        drawn["top_hz"], drawn["bottom_hz"] = rng.uniform(3400, 5500), rng.uniform(120, 280)
    both = {**drawn, **fixed}
    both["top_hz"] = float(min(drawn.get("top_hz", NYQUIST_HZ), both.get("top_hz", NYQUIST_HZ)))
    return Desk(**both)
