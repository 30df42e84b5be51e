"""Hardstyle and house: a kick on every beat."""

import numpy as np

from lildata_utils.crate import palettes as draw
from lildata_utils.crate.artists import Instrument
from lildata_utils.crate.palettes import chance, one_of, pick
from lildata_utils.crate.patterns import BEATS_PER_BAR, Event, melody, rolling_hats, thinned
from lildata_utils.crate.recipes.recipe import CLUB_PLAN, MINOR, WARM, Palette, Recipe
from lildata_utils.crate.sketch import HELD, Sketch, last_bar


def _hardstyle_palette(rng: np.random.Generator) -> Palette:
    patches: dict[str, Instrument] = {
        "kit": draw.machine_kit(rng),
        "hard_kick": draw.hard_kick(rng),
        "reverse": draw.swell(rng),
        "screech": draw.screech(rng),
        "anthem": draw.anthem(rng),
        "pad": draw.pad(rng),
        "saw": draw.supersaw(rng),
        "chop": draw.chopped_voice(rng),
    }
    traits = {"riser_tone": rng.uniform(0.1, 0.5), "density": rng.uniform(0.9, 1.5)}
    loud = draw.desk(rng, loudness_lufs=rng.uniform(-14, -8), drive=rng.uniform(0.0, 1.5))
    habits = chance(rng, screech=0.5, offbeat_hat=0.7, claps=0.5, chops=0.2, gallop=0.3)
    return Palette(patches, traits, habits, loud)


def _write_hardstyle(s: Sketch) -> None:
    kicked = s.named("intro", "verse", "drop", "outro")
    steps = "x---x---x---x---"
    pitch = s.key.pitch(0, 0) + 12 * (s.key.root < 5)
    hits = [event._replace(what=pitch, velocity=1.0) for event in s.bass_line(kicked, steps, 0)]
    if s.has("gallop"):
        hits += [
            Event((section.bar + bar) * BEATS_PER_BAR + 3.5, 0.5, pitch)
            for section in s.named("drop")
            for bar in range(1, section.bars, 2)
        ]
    s.add("drums", "hard_kick", hits, -3, reverb=0.03)
    tops = {"open_hat" if s.has("offbeat_hat") else "hat": "..x...x...x...x."}
    if s.has("claps"):
        tops["clap"] = "....x.......x..."
    s.drum(tops, s.named("verse", "drop"))
    s.drum({"hat": "..x...x...x...x."}, s.named("intro", "outro"))
    for section in s.named("build"):
        s.drum({"snare": "x...x...x...x..."}, [section])
        s.drum({"snare": "x.x.x.x.xxxx2222"}, [last_bar(section)])
    s.crashes(s.named("drop"))
    s.play_kit(level_db=-8)
    s.add("bass", "reverse", s.bass_line(kicked, "..x-..x-..x-..x-", 1), -13, reverb=0.02)
    phrase = melody(s.rng, s.key, s.progression, 5, s.trait("density"))
    sung = (
        [*s.named("drop")[-1:], *s.named("break")] if s.has("screech") else s.named("drop", "break")
    )
    s.add("lead", "anthem", s.tune(sung, phrase), -14, reverb=0.3, echo=0.2, duck=0.5)
    if s.has("screech"):
        riff = melody(s.rng, s.key, s.progression, 4, 0.7)
        s.add("lead", "screech", s.tune(s.named("drop")[:1], riff), -15, reverb=0.15)
    quiet = s.named("break", "build")
    s.add(
        "chords",
        "pad",
        s.chords(quiet, HELD, 4, 60),
        -18,
        reverb=0.4,
        sweeps=s.opening(s.named("build"), 600, 7000),
    )
    s.add("chords", "saw", s.chords(s.named("drop"), HELD, 3, 62), -19, duck=0.8, low_cut_hz=200)
    if s.has("chops"):
        s.chopped(quiet, -18)
    s.risers(-18)


HARDSTYLE = Recipe(
    (145, 155), ("minor", "harmonic_minor"), MINOR, CLUB_PLAN, _hardstyle_palette, _write_hardstyle
)


def _house_palette(rng: np.random.Generator) -> Palette:
    patches: dict[str, Instrument] = {
        "kit": draw.machine_kit(rng)
        if rng.random() < 0.75
        else draw.dusty_kit(rng, dust_hz=9000.0),
        "stab": one_of(rng, draw.pluck, draw.keys, draw.brass, draw.piano, draw.supersaw),
        "bass": draw.house_bass(rng),
        "pad": draw.pad(rng),
        "lead": one_of(rng, draw.pluck, draw.bell, draw.flute),
        "chop": draw.chopped_voice(rng),
    }
    traits = {
        "swing": rng.uniform(0, 0.3),
        "duck": rng.uniform(0.3, 0.85),
        "density": rng.uniform(0.3, 0.7),
        "riser_tone": rng.uniform(0, 0.2),
    }
    habits = chance(
        rng, trap_hats=0.12, shaker=0.5, chops=0.35, pad=0.5, lead=0.4, congas=0.3, filtered=0.4
    )
    return Palette(patches, traits, habits, draw.desk(rng))


def _write_house(s: Sketch) -> None:
    groove = {
        "kick": "x...x...x...x...",
        pick(s.rng, ("clap", "clap", "snare", "snap")): "....x.......x...",
        "open_hat": "..x...x...x...x.",
        "hat": thinned("xx.xxx.xxx.xxx.x", s.rng, 0.7),
    }
    if s.has("trap_hats"):
        groove["hat"] = rolling_hats(s.rng, 0.5)
    if s.has("shaker"):
        groove["shaker"] = "oxoxoxoxoxoxoxox"
    if s.has("congas"):
        groove["conga"] = thinned("..x..x.x..x..x.x", s.rng, 0.7)
    full = s.named("drop", "verse")
    s.drum(groove, full)
    s.drum({"kick": groove["kick"], "hat": groove["hat"]}, s.named("intro", "outro"))
    for section in s.named("build"):
        s.drum({"clap": "x...x...x...x..."}, [section])
        s.drum({"clap": "x.x.x.x.xxxxxxxx"}, [last_bar(section)])
    s.crashes(s.named("drop"))
    s.play_kit()
    duck = s.trait("duck")
    low = s.bass_line(
        [*full, *s.named("outro")],
        pick(
            s.rng,
            (
                "..x...x...x...x-",
                "..x-.x..x-.x..8-",
                "..x-..8...x-..5-",
                "x..x..x...x.8...",
                "..xx..x...xx..8.",
            ),
        ),
        1,
    )
    s.add("bass", "bass", low, -13, duck=duck, reverb=0.02)
    stabs = pick(
        s.rng,
        (
            "..x..x....x..x..",
            "x..x..x.....x...",
            "..x-....x..x-...",
            "...x..x...x..x..",
            "x--x--x---x--x--",
        ),
    )
    heard = list(s.sections) if s.has("filtered") else s.named("verse", "build", "drop", "break")
    sweeps = s.opening(s.named("intro", "build"), 350, 6000)
    sweeps += s.opening(s.named("outro"), 5000, 400)
    s.add(
        "chords",
        "stab",
        s.chords(heard, stabs, pick(s.rng, (3, 4, 5)), 62),
        -15,
        duck=0.5 * duck,
        reverb=0.2,
        low_cut_hz=160,
        sweeps=sweeps,
        echo=0.15,
    )
    if s.has("pad"):
        s.add(
            "chords",
            "pad",
            s.chords(s.named("break", "drop", "build"), HELD, 4, 60),
            -21,
            duck=duck,
            reverb=0.4,
        )
    if s.has("lead"):
        phrase = melody(s.rng, s.key, s.progression, 5, s.trait("density"))
        s.add("lead", "lead", s.tune(s.named("drop", "break"), phrase), -20, reverb=0.3, echo=0.3)
    if s.has("chops"):
        s.chopped(s.named("drop", "break")[-2:], -17)
    s.risers(-23)


HOUSE = Recipe(
    (120, 128),
    ("minor", "dorian", "major"),
    (*MINOR, *WARM),
    CLUB_PLAN,
    _house_palette,
    _write_house,
)
