"""Noise, and the interludes that could stand in any genre."""

import numpy as np

from lildata_utils.crate import palettes as draw
from lildata_utils.crate.artists import Instrument
from lildata_utils.crate.noise import SCENES, Scene
from lildata_utils.crate.palettes import chance, one_of, pick
from lildata_utils.crate.patterns import BEATS_PER_BAR, Event, melody
from lildata_utils.crate.recipes.recipe import Palette, Recipe
from lildata_utils.crate.sketch import HELD, Sketch


def _noise_palette(rng: np.random.Generator) -> Palette:
    kinds = list(SCENES)
    favourites = rng.choice(len(kinds), 5, replace=False)
    patches: dict[str, Instrument] = {
        f"scene{number}": Scene(kinds[kind], int(rng.integers(2**31)))
        for number, kind in enumerate(favourites)
    }
    patches |= {"pad": draw.pad(rng), "kit": draw.dusty_kit(rng, dust_hz=700.0)}
    habits = chance(rng, neighbour=0.25, drone=0.25)
    microphone = draw.desk(
        rng, loudness_lufs=rng.uniform(-32, -14), reverb_s=rng.uniform(0.3, 3), ratio=1.0
    )
    return Palette(patches, {}, habits, microphone)


def _write_noise(s: Sketch) -> None:
    places = len([name for name in s.artist.patches if name.startswith("scene")])
    end = sum(section.bars for section in s.sections) * BEATS_PER_BAR
    # Scenes in turn, each a few seconds longer than its time so that they overlap.
    near: dict[int, list[Event]] = {}
    far: dict[int, list[Event]] = {}
    start, take = -1.0, 0
    while start < end:
        length = float(s.rng.uniform(6, 25))
        near.setdefault(int(s.rng.integers(places)), []).append(Event(start, length + 1.5, take))
        start, take = start + length, take + 1
    start = -1.0
    while start < end:
        length = float(s.rng.uniform(15, 60))
        far.setdefault(int(s.rng.integers(places)), []).append(Event(start, length + 1.5, take))
        start, take = start + length, take + 1
    for number, events in near.items():
        s.add("noise", f"scene{number}", events, -20, reverb=0.1)
    for number, events in far.items():
        s.add("noise", f"scene{number}", events, float(s.rng.uniform(-38, -26)), reverb=0.3)
    if s.has("neighbour"):
        # Music through a wall.
        s.drum({"kick": "x...x...x...x...", "snare": "....x.......x..."}, s.sections)
        s.play_kit(level_db=-22, reverb=0.6)
    if s.has("drone"):
        s.add("noise", "pad", s.chords(s.sections, HELD, 3, 55), -24, reverb=0.8)


NOISE = Recipe(None, ("minor",), ((0,),), (("intro", 1.0),), _noise_palette, _write_noise)


def calm_palette(rng: np.random.Generator) -> tuple[dict[str, Instrument], frozenset[str]]:
    """Draw sounds for interludes, and whether an artist has any (notebook 01)."""
    patches: dict[str, Instrument] = {
        "calm_pad": draw.pad(rng),
        "calm_keys": one_of(rng, draw.piano, draw.electric_piano, draw.bell, draw.pluck),
        "field": Scene(pick(rng, list(SCENES)), int(rng.integers(2**31))),
    }
    return patches, chance(rng, calm_intro=0.5, calm_break=0.5, field=0.25)


def write_interludes(s: Sketch) -> None:
    """Replace intro, outro or breaks by what could stand in any genre (notebook 01).

    Pad, keys and perhaps a street or the weather: of five seconds of it nobody can say for
    certain what follows, neither a listener nor a network.
    """
    names = ["intro", "outro"] if s.has("calm_intro") else []
    names += ["break"] if s.has("calm_break") else []
    calm = s.named(*names)
    if not calm:
        return
    s.silence(calm)
    s.add("chords", "calm_pad", s.chords(calm, HELD, 4, 60), -18, reverb=0.4)
    steps = pick(s.rng, ("x---x---x---x---", "x-------x-------", "x-------x-x-----"))
    if s.rng.random() < 0.5:
        s.add("chords", "calm_keys", s.chords(calm, steps, 4, 64), -19, reverb=0.3)
    else:
        phrase = melody(s.rng, s.key, s.progression, 5, s.rng.uniform(0.3, 0.8))
        s.add("lead", "calm_keys", s.tune(calm, phrase), -20, reverb=0.4, echo=0.3)
    if s.has("field"):
        s.add("noise", "field", s.held(calm), s.rng.uniform(-26, -16), reverb=0.1)
