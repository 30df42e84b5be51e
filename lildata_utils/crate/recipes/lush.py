"""Future bass and liquid drum and bass: wide chords; many artists swap the second drop."""

import numpy as np

from lildata_utils.crate import palettes as draw
from lildata_utils.crate.artists import Instrument
from lildata_utils.crate.palettes import chance, one_of, pick
from lildata_utils.crate.patterns import BEATS_PER_BAR, Section, melody, rolling_hats
from lildata_utils.crate.recipes.recipe import CLUB_PLAN, MINOR, WARM, Palette, Recipe
from lildata_utils.crate.sketch import HELD, Sketch, last_bar


def _lush_traits(rng: np.random.Generator) -> dict[str, float]:
    return {
        "centre": rng.uniform(60, 67),
        "density": rng.uniform(0.4, 0.9),
        "busy": rng.uniform(0.1, 0.4),
        "depth": rng.uniform(0.6, 0.95),
        "riser_tone": rng.uniform(0, 0.4),
    }


def _lush_patches(rng: np.random.Generator) -> dict[str, Instrument]:
    return {
        "kit": draw.machine_kit(rng),
        "pad": draw.pad(rng),
        "saw": draw.supersaw(rng),
        "keys": draw.piano(rng),
        "pluck": one_of(rng, draw.pluck, draw.bell),
        "chop": draw.chopped_voice(rng),
        "sub": draw.sub_bass(rng),
        "reese": draw.reese(rng),
        "lead": draw.anthem(rng),
    }


def _future_bass_palette(rng: np.random.Generator) -> Palette:
    habits = chance(
        rng,
        piano=0.5,
        chops=0.6,
        lead=0.4,
        two_step=0.6,
        steady=0.2,
        four_on_floor=0.1,
        saws=0.75,
        wobble=0.5,
        ride=0.3,
        reese=0.5,
    )
    bright = draw.desk(rng, high_db=rng.normal(5, 2.5), low_db=rng.normal(-1, 2.5))
    patches = {
        **_lush_patches(rng),
        "saw": draw.supersaw(rng, cutoff_hz=10_000.0, settle_hz=rng.uniform(6000, 10_000)),
        "pad": draw.pad(rng, cutoff_hz=rng.uniform(1500, 6000), settle_hz=rng.uniform(1200, 4000)),
    }
    return Palette(patches, _lush_traits(rng), habits, bright)


def _wobble(s: Sketch, sections: list[Section]) -> tuple[tuple[float, float, float, float], ...]:
    """Draw the swells of the chords: a rate for each bar, two bars a pattern."""
    rates = pick(s.rng, ((2, 4), (2, 3), (4, 4), (3, 2), (2, 2), (4, 3), (1, 2), (2, 6)))
    return tuple(
        (bar * BEATS_PER_BAR, (bar + 1) * BEATS_PER_BAR, rates[bar % 2], s.trait("depth"))
        for section in sections
        for bar in range(section.bar, section.bar + section.bars)
    )


def _wobbling_drop(s: Sketch, drops: list[Section]) -> None:
    """Write the drop of future bass: half time, wide wobbling chords, a lead."""
    kick = pick(
        s.rng, ("x.....x...x.....", "x.........x..x..", "x.......x.x.....", "x.........x.x...")
    )
    groove = {"kick": kick, "snare": "........X.......", "clap": "........x......."}
    if s.has("four_on_floor"):
        groove = {"kick": "x...x...x...x...", "clap": "....x.......x...", "open_hat": "..x." * 4}
    hats = rolling_hats(s.rng, s.trait("busy"))
    s.drum({**groove, "hat": hats, "shaker": "x.x.x.x.x.x.x.x."}, drops)
    steps = pick(
        s.rng,
        (HELD, "x-------x-x-----", "x---x-x-x-------", "x-----x-x---x---", "x-x-x---x---x-x-"),
    )
    events = s.chords(drops, steps, 5, s.trait("centre"))
    wobbles = () if s.has("steady") else _wobble(s, drops)
    s.add("chords", "saw", events, -12, duck=0.8, low_cut_hz=150, wobbles=wobbles, reverb=0.25)
    # The same chords an octave up, without their body: the air of a future bass drop.
    air = [event._replace(what=event.what + 12) for event in events]
    s.add("chords", "saw", air, -15, duck=0.8, low_cut_hz=3000, wobbles=wobbles, reverb=0.25)
    s.add("bass", "sub", s.bass_line(drops, steps, 1), -15, duck=0.8, wobbles=wobbles, reverb=0)
    if s.has("lead"):
        phrase = melody(s.rng, s.key, s.progression, 5, s.trait("density"))
        s.add("lead", "lead", s.tune(drops, phrase), -18, duck=0.4, echo=0.3)
    if s.has("chops"):
        s.chopped(drops, -17)


def _two_step_drop(s: Sketch, drops: list[Section], tails: list[Section]) -> None:
    """Write the drop of liquid: a two-step break, moving bass, pads; `tails` have no full kick."""
    groove = {
        "kick": pick(s.rng, ("x.........x.....", "x.........x..o..", "x.o.......x.....")),
        "snare": pick(s.rng, ("....X..o.o..X...", "....X..o....X..o", "....X.......X.o.")),
        "ride" if s.has("ride") else "hat": pick(s.rng, ("x.x.x.x.x.x.x.x.", "x.xox.xox.xox.xo")),
        "shaker": "xxxxxxxxxxxxxxxx",
    }
    s.drum(groove, drops)
    s.drum({**groove, "kick": "x...............", "shaker": "."}, tails)
    s.fills(drops, {"snare": "..........o.xxoX"})
    steps = pick(
        s.rng, ("x---x---x---5---", "x-------x---5-8-", "x---8---x---x-5-", "x-x-----x-x---8-")
    )
    low = s.bass_line([*drops, *tails], steps, 1)
    s.add("bass", "reese" if s.has("reese") else "sub", low, -14, duck=0.3, reverb=0)
    if s.has("saws"):
        held = pick(s.rng, (HELD, "x-------x-------"))
        events = s.chords(drops, held, 5, s.trait("centre"))
        wobbles = _wobble(s, drops) if s.has("wobble") else ()
        s.add("chords", "saw", events, -15, duck=0.6, low_cut_hz=150, reverb=0.3, wobbles=wobbles)
    comping = pick(s.rng, ("x---x---x---x---", "x-------x-------", "x-x-..x-x-x-..x-"))
    _lush(s, drops, comping)


def _lush_builds(s: Sketch) -> None:
    """Write the builds of future bass and liquid: chords behind an opening filter, snares."""
    builds = s.named("build")
    s.drum({"snare": "x...x...x...x..."}, builds)
    s.drum({"snare": "xxxxxxxx22223333"}, [last_bar(section) for section in builds])
    s.add(
        "chords",
        "saw",
        s.chords(builds, pick(s.rng, (HELD, "x.x.x.x.x.x.x.x.")), 4, s.trait("centre")),
        -18,
        low_cut_hz=150,
        sweeps=s.opening(builds, 450, 8000),
    )
    s.risers(-21)


def _write_future_bass(s: Sketch) -> None:
    drops, verses = s.named("drop"), s.named("verse")
    # Many artists borrow the second drop from the neighbours.
    borrowed = drops[1:] if s.has("two_step") else []
    _wobbling_drop(s, [drop for drop in drops if drop not in borrowed])
    _two_step_drop(s, borrowed, [])
    calm = {"kick": "x.........x.....", "snare": "........X.......", "hat": "x.x.x.x.x.x.x.x."}
    s.drum(calm, verses)
    s.add("bass", "sub", s.bass_line(verses, "x---------x-----", 1), -17, reverb=0)
    comping = pick(s.rng, ("x-------x-x-----", "x---x---x---x---", "x-x---x-x---x---"))
    _lush(s, [*s.named("intro", "break", "outro"), *verses], comping)
    _lush_builds(s)
    s.crashes(drops)
    s.play_kit()


FUTURE_BASS = Recipe(
    (140, 160), ("major", "minor"), WARM, CLUB_PLAN, _future_bass_palette, _write_future_bass
)


def _lush(s: Sketch, sections: list[Section], steps: str, level_db: float = -18) -> None:
    """Write pad, keys and chopped voice without drums: breaks of future bass and liquid."""
    centre = s.trait("centre")
    s.add(
        "chords", "pad", s.chords(sections, HELD, 5, centre), level_db, reverb=0.4, low_cut_hz=140
    )
    if s.has("piano"):
        s.add("chords", "keys", s.chords(sections, steps, 4, centre + 6), level_db - 1, reverb=0.3)
    phrase = melody(s.rng, s.key, s.progression, 5, s.trait("density"))
    s.add("lead", "pluck", s.tune(sections, phrase), level_db - 4, reverb=0.4, echo=0.4)
    if s.has("chops"):
        s.chopped(sections, level_db - 1)


def _liquid_palette(rng: np.random.Generator) -> Palette:
    habits = chance(
        rng,
        piano=0.6,
        chops=0.6,
        lead=0.4,
        saws=0.75,
        wobble=0.5,
        half_time=0.6,
        ride=0.4,
        reese=0.5,
    )
    kit = draw.machine_kit(
        rng,
        kick_decay_s=rng.uniform(0.07, 0.13),
        snare_hz=rng.uniform(190, 260),
        cymbals_db=rng.uniform(-8, 3),
    )
    return Palette(
        {**_lush_patches(rng), "kit": kit},
        {**_lush_traits(rng), "swing": rng.uniform(0, 0.12)},
        habits,
        draw.desk(rng, high_db=rng.normal(0, 2.5)),
    )


def _write_liquid(s: Sketch) -> None:
    drops, verses = s.named("drop"), s.named("verse")
    borrowed = drops[1:] if s.has("half_time") else []
    _two_step_drop(
        s, [drop for drop in drops if drop not in borrowed], [*verses, *s.named("outro")]
    )
    _wobbling_drop(s, borrowed)
    comping = pick(s.rng, ("x-------x-x-----", "x---x---x---x---", "x-x---x-x---x---"))
    _lush(s, [*s.named("intro", "break"), *verses], comping)
    _lush_builds(s)
    s.crashes(drops)
    s.play_kit(level_db=-2)


LIQUID_DNB = Recipe(
    (170, 178),
    ("minor", "major", "dorian"),
    (*WARM, *MINOR),
    CLUB_PLAN,
    _liquid_palette,
    _write_liquid,
)
