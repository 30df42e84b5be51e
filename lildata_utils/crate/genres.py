"""The eight genres: what each draws its artists from, and how it writes a track.

Tempo, grooves and sounds are what defines the genre for a listener; the habits are what artists
borrow from elsewhere, with the probabilities that stand in `palette` functions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lildata_utils.crate.artists import Instrument
from lildata_utils.crate.mixing import Desk
from lildata_utils.crate.noise import SCENES, Crackle, Scene
from lildata_utils.crate.palettes import (
    anthem,
    bass_808,
    bell,
    brass,
    chance,
    chopped_voice,
    desk,
    dusty_kit,
    electric_piano,
    flute,
    hard_kick,
    house_bass,
    keys,
    machine_kit,
    one_of,
    pad,
    piano,
    pick,
    pluck,
    rapper,
    reese,
    screech,
    strings,
    sub_bass,
    supersaw,
    swell,
    upright_bass,
)
from lildata_utils.crate.patterns import (
    BEATS_PER_BAR,
    Event,
    Section,
    chops,
    melody,
    rolling_hats,
    thinned,
    verse,
)
from lildata_utils.crate.sketch import Sketch, last_bar


@dataclass(frozen=True)
class Palette:
    """What is drawn for an artist, see `Artist`."""

    patches: dict[str, Instrument]
    traits: dict[str, float]
    habits: frozenset[str]
    desk: Desk


@dataclass(frozen=True)
class Recipe:
    """A genre.

    Attributes
    ----------
    tempo_bpm : (float, float) or None
        Range of tempos; None for noise.
    scales : tuple of str
        Keys of `SCALES`.
    progressions : tuple of tuple of int
        Degrees of the scale, a chord a bar (0 is the root).
    plan : tuple of (section, share)
        The form.
    palette : callable
        Draws an artist.
    write : callable
        Writes a track.
    """

    tempo_bpm: tuple[float, float] | None
    scales: tuple[str, ...]
    progressions: tuple[tuple[int, ...], ...]
    plan: tuple[tuple[str, float], ...]
    palette: Callable[[np.random.Generator], Palette]
    write: Callable[[Sketch], None]


_CLUB_PLAN = (
    ("intro", 0.1),
    ("verse", 0.14),
    ("build", 0.07),
    ("drop", 0.25),
    ("break", 0.13),
    ("build", 0.06),
    ("drop", 0.17),
    ("outro", 0.08),
)
_SONG_PLAN = (
    ("intro", 0.09),
    ("verse", 0.26),
    ("drop", 0.16),
    ("break", 0.08),
    ("verse", 0.2),
    ("drop", 0.13),
    ("outro", 0.08),
)
_MINOR = ((0, 5, 2, 6), (0, 5, 3, 4), (0, 3, 5, 4), (0, 0, 5, 6), (0, 6, 5, 6), (0, 2, 5, 5))
_DARK = (*_MINOR, (0, 0, 1, 0), (0, 0, 5, 5), (0, 1, 0, 6))
_WARM = ((3, 4, 2, 5), (0, 5, 3, 4), (3, 2, 1, 0), (1, 4, 0, 5), (0, 2, 3, 4), (3, 4, 5, 5))


# --- shared by neighbours ---------------------------------------------------------------------


def _trap_drums(s: Sketch) -> None:
    """Kick, clap on three and rolling hats at half time: trap and yung gravy."""
    kick = pick(
        s.rng,
        (
            "x......x..x.....x..x......x.....",
            "x.......x.x.....x.........x.x...",
            "x.x.......x.....x.x...x...x.....",
            "x.........x.....x.....x..x......",
            "x.......x.......x.x.....x.......",
        ),
    )
    backbeat = pick(s.rng, ("clap", "clap", "snare", "snap"))
    hats = rolling_hats(s.rng, s.trait("busy"))
    extra = pick(s.rng, ("rim", "conga", "open_hat", "shaker"))
    spice = thinned("......x.....x.....x.......x...x.", s.rng, 0.6)
    snare = "........X......."
    full = {"kick": kick, backbeat: snare, "hat": hats}
    if s.has("four_on_floor"):
        full["kick"] = "x...x...x...x..."
    s.drum({**full, extra: spice}, s.named("drop"))
    s.drum(full, s.named("verse"))
    s.drum({"hat": "x.x.x.x.x.x.x.x."}, s.named("outro"))
    s.drum({backbeat: snare, "hat": hats}, s.named("build")[:1])
    s.drum({"hat": "x...x...x...x..."}, s.named("intro")[:1] if s.has("early_hats") else [])
    s.fills(s.named("verse", "drop"), {"snare": "............x2x3"})
    s.crashes(s.named("drop"))
    s.play_kit()
    low = s.bass_line(s.named("drop", "verse"), kick.replace("x..", "x--").replace("x.", "x-"), 0)
    octave = 12 * (s.key.root < 4)
    notes = [
        event._replace(
            what=event.what + octave,
            beats=min(event.beats + 0.75, 2.0),
            glide=event.what + octave + 12 if s.rng.random() < s.trait("glides") else None,
        )
        for event in low
    ]
    s.add("bass", "808", notes, -12, reverb=0)


def _soul(s: Sketch) -> None:
    """Write chords as from an old soul record, struck in rhythm, and keys under them."""
    everywhere = list(s.sections)
    steps = pick(
        s.rng, ("x---x---x---x---", "x---x-.x--x-x---", "x.x---..x.x---..", "x-------x-------")
    )
    dull = s.opening(everywhere, s.trait("sample_hz"), s.trait("sample_hz"))
    s.add("chords", "soul", s.chords(everywhere, steps, 5, 62), -18, reverb=0.25, sweeps=dull)
    s.add("chords", "keys", s.chords(everywhere, "x" + "-" * 15, 4, 56), -21, reverb=0.2)


def _dark(s: Sketch) -> None:
    """Write a sparse tune in minor over a low pad or keys."""
    everywhere = list(s.sections)
    phrase = melody(s.rng, s.key, s.progression, 4, s.rng.uniform(0.3, 0.8))
    s.add(
        "lead",
        "lead",
        s.tune(everywhere, phrase),
        -19,
        reverb=0.35,
        echo=0.25,
        sweeps=s.opening(s.named("intro"), 500, 4000),
    )
    if s.has("pad"):
        s.add("chords", "pad", s.chords(everywhere, "x" + "-" * 15, 3, 55), -22, reverb=0.4)
    if s.has("keys"):
        s.add("chords", "keys", s.chords(everywhere, "x-------x---x---", 4, 58), -20, reverb=0.2)


def _rap(s: Sketch, sections: list[Section], level_db: float) -> None:
    pitch = s.trait("voice_pitch")
    events = [
        event for section in sections for event in verse(s.rng, section, pitch, s.trait("flow"))
    ]
    s.add("voice", "rapper", events, level_db, reverb=0.08, low_cut_hz=110)
    if s.has("doubled"):
        # The same lines spoken again, never quite together.
        again = [
            event._replace(beat=event.beat + float(s.rng.normal(0.04, 0.02))) for event in events
        ]
        s.add("voice", "rapper", again, level_db - 6, reverb=0.3, low_cut_hz=300)


def _rap_traits(rng: np.random.Generator) -> dict[str, float]:
    return {
        "busy": rng.uniform(0.15, 0.55),
        "glides": rng.uniform(0.02, 0.25),
        "swing": rng.choice([0.0, rng.uniform(0, 0.2)]),
        "voice_pitch": rng.uniform(44, 53),
        "flow": rng.uniform(0.45, 0.75),
        "sample_hz": rng.uniform(2500, 9000),
    }


def _lush(s: Sketch, sections: list[Section], steps: str, level_db: float = -18) -> None:
    """Write pad, keys and chopped voice without drums: breaks of future bass and liquid."""
    centre = s.trait("centre")
    s.add(
        "chords",
        "pad",
        s.chords(sections, "x" + "-" * 15, 5, centre),
        level_db,
        reverb=0.4,
        low_cut_hz=140,
    )
    if s.has("piano"):
        s.add("chords", "keys", s.chords(sections, steps, 4, centre + 6), level_db - 1, reverb=0.3)
    phrase = melody(s.rng, s.key, s.progression, 5, s.trait("density"))
    s.add("lead", "pluck", s.tune(sections, phrase), level_db - 4, reverb=0.4, echo=0.4)
    if s.has("chops"):
        _chops(s, sections, level_db - 1)


def _chops(s: Sketch, sections: list[Section], level_db: float) -> None:
    phrase = chops(s.rng, s.key, s.progression, 4, s.trait("density"))
    s.add("voice", "chop", s.tune(sections, phrase), level_db, reverb=0.3, echo=0.3)


def calm_palette(rng: np.random.Generator) -> tuple[dict[str, Instrument], frozenset[str]]:
    """Draw what artists of all genres share: sounds for interludes, and whether they have any."""
    patches: dict[str, Instrument] = {
        "calm_pad": pad(rng),
        "calm_keys": one_of(rng, piano, electric_piano, bell, pluck),
        "field": Scene(pick(rng, list(SCENES)), int(rng.integers(2**31))),
    }
    return patches, chance(rng, calm_intro=0.5, calm_break=0.5, field=0.25)


def write_interludes(s: Sketch) -> None:
    """Replace intro, outro or breaks by the interlude that could stand in any genre.

    Pad, keys and perhaps a street or the weather: of five seconds of it nobody can say for
    certain what follows, neither a listener nor a network.
    """
    names = ["intro", "outro"] if s.has("calm_intro") else []
    names += ["break"] if s.has("calm_break") else []
    calm = s.named(*names)
    if not calm:
        return
    s.silence(calm)
    s.add("chords", "calm_pad", s.chords(calm, "x" + "-" * 15, 4, 60), -18, reverb=0.4)
    steps = pick(s.rng, ("x---x---x---x---", "x-------x-------", "x-------x-x-----"))
    if s.rng.random() < 0.5:
        s.add("chords", "calm_keys", s.chords(calm, steps, 4, 64), -19, reverb=0.3)
    else:
        phrase = melody(s.rng, s.key, s.progression, 5, s.rng.uniform(0.3, 0.8))
        s.add("lead", "calm_keys", s.tune(calm, phrase), -20, reverb=0.4, echo=0.3)
    if s.has("field"):
        s.add("noise", "field", s.held(calm), s.rng.uniform(-26, -16), reverb=0.1)


# --- trap -------------------------------------------------------------------------------------


def _trap_palette(rng: np.random.Generator) -> Palette:
    patches: dict[str, Instrument] = {
        "kit": machine_kit(rng),
        "808": bass_808(rng),
        "lead": one_of(rng, bell, bell, pluck, flute),
        "pad": pad(rng, cutoff_hz=rng.uniform(500, 1800)),
        "keys": keys(rng),
        "soul": one_of(rng, strings, brass, electric_piano, piano),
        "rapper": rapper(rng),
    }
    habits = chance(
        rng,
        rap=0.4,
        adlibs=0.4,
        keys=0.3,
        soul=0.3,
        pad=0.6,
        early_hats=0.4,
        vinyl=0.15,
        four_on_floor=0.05,
    )
    return Palette(patches, _rap_traits(rng), habits, desk(rng))


def _write_trap(s: Sketch) -> None:
    _trap_drums(s)
    if s.has("soul"):
        _soul(s)
    else:
        _dark(s)
    if s.has("rap"):
        _rap(s, [*s.named("verse"), *s.named("drop")[:1]], -14)
    elif s.has("adlibs"):
        _rap(s, [last_bar(section) for section in s.named("verse", "drop")], -17)
    if s.has("vinyl"):
        s.add("noise", Crackle(), s.held(s.sections), -38)
    s.risers()


# --- yung gravy -------------------------------------------------------------------------------


def _gravy_palette(rng: np.random.Generator) -> Palette:
    patches: dict[str, Instrument] = {
        "kit": machine_kit(rng),
        "808": bass_808(rng),
        "soul": one_of(rng, strings, brass, electric_piano, piano),
        "keys": keys(rng),
        "pad": pad(rng, cutoff_hz=rng.uniform(500, 1800)),
        "lead": one_of(rng, flute, brass, bell, pluck),
        "rapper": rapper(rng),
        "choir": chopped_voice(rng),
    }
    habits = chance(
        rng,
        instrumental=0.3,
        dark=0.3,
        pad=0.6,
        keys=0.5,
        lead=0.5,
        vinyl=0.4,
        early_hats=0.4,
        choir=0.3,
        doubled=0.5,
    )
    return Palette(patches, _rap_traits(rng), habits, desk(rng))


def _write_gravy(s: Sketch) -> None:
    _trap_drums(s)
    if s.has("dark"):
        _dark(s)
    else:
        _soul(s)
        if s.has("lead"):
            phrase = melody(s.rng, s.key, s.progression, 5, 0.5)
            tuneful = s.named("intro", "drop", "break", "outro")
            s.add("lead", "lead", s.tune(tuneful, phrase), -20, reverb=0.3)
    if s.has("choir"):
        phrase = chops(s.rng, s.key, s.progression, 4, 0.4)
        s.add("voice", "choir", s.tune(s.named("intro", "drop"), phrase), -20, reverb=0.4)
    rapped = s.named("verse") if s.has("instrumental") else s.named("verse", "drop")
    _rap(s, rapped, -14)
    if s.has("vinyl"):
        s.add("noise", Crackle(), s.held(s.sections), -38)


# --- future bass ------------------------------------------------------------------------------


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
        "kit": machine_kit(rng),
        "pad": pad(rng),
        "saw": supersaw(rng),
        "keys": piano(rng),
        "pluck": one_of(rng, pluck, bell),
        "chop": chopped_voice(rng),
        "sub": sub_bass(rng),
        "reese": reese(rng),
        "lead": anthem(rng),
    }


def _future_palette(rng: np.random.Generator) -> Palette:
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
    bright = desk(rng, high_db=rng.normal(5, 2.5), low_db=rng.normal(-1, 2.5))
    patches = {
        **_lush_patches(rng),
        "saw": supersaw(rng, cutoff_hz=10_000.0, settle_hz=rng.uniform(6000, 10_000)),
        "pad": pad(rng, cutoff_hz=rng.uniform(1500, 6000), settle_hz=rng.uniform(1200, 4000)),
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
        (
            "x" + "-" * 15,
            "x-------x-x-----",
            "x---x-x-x-------",
            "x-----x-x---x---",
            "x-x-x---x---x-x-",
        ),
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
        _chops(s, drops, -17)


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
        s.rng,
        ("x---x---x---5---", "x-------x---5-8-", "x---8---x---x-5-", "x-x-----x-x---8-"),
    )
    low = s.bass_line([*drops, *tails], steps, 1)
    s.add("bass", "reese" if s.has("reese") else "sub", low, -14, duck=0.3, reverb=0)
    if s.has("saws"):
        held = pick(s.rng, ("x" + "-" * 15, "x-------x-------"))
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
        s.chords(builds, pick(s.rng, ("x" + "-" * 15, "x.x.x.x.x.x.x.x.")), 4, s.trait("centre")),
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


# --- liquid drum and bass ---------------------------------------------------------------------


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
    kit = machine_kit(
        rng,
        kick_decay_s=rng.uniform(0.07, 0.13),
        snare_hz=rng.uniform(190, 260),
        cymbals_db=rng.uniform(-8, 3),
    )
    return Palette(
        {**_lush_patches(rng), "kit": kit},
        {**_lush_traits(rng), "swing": rng.uniform(0, 0.12)},
        habits,
        desk(rng, high_db=rng.normal(0, 2.5)),
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


# --- lo-fi ------------------------------------------------------------------------------------


def _lofi_palette(rng: np.random.Generator) -> Palette:
    patches: dict[str, Instrument] = {
        "kit": dusty_kit(rng),
        "keys": one_of(rng, electric_piano, electric_piano, piano, keys),
        "bass": upright_bass(rng),
        "lead": one_of(rng, bell, pluck, flute, piano),
        "pad": pad(rng, cutoff_hz=rng.uniform(500, 1500), settle_hz=500.0),
        "rapper": rapper(rng),
    }
    traits = {
        "swing": rng.uniform(0.12, 0.33),
        "late": rng.uniform(0.01, 0.06),
        "drum_db": rng.uniform(-11, -4),
        "crackle_db": rng.uniform(-42, -28),
        "voice_pitch": rng.uniform(44, 52),
        "flow": rng.uniform(0.35, 0.5),
        "busy": 0.25,
    }
    habits = chance(rng, trap_hats=0.15, rain=0.25, lead=0.7, pad=0.3, rap=0.15, no_drums=0.1)
    dark = desk(
        rng,
        high_db=rng.normal(-4, 1.5),
        top_hz=rng.uniform(3500, 8000),
        wow_cents=rng.uniform(4, 22),
        hiss_db=rng.uniform(-62, -46),
    )
    return Palette(patches, traits, habits, dark)


def _write_lofi(s: Sketch) -> None:
    groove = {
        "kick": pick(
            s.rng,
            (
                "x.......x......x",
                "x.x.....x.x.....",
                "x.....x.x.......",
                "x.......o.x.....",
                "x......xx.......",
            ),
        ),
        pick(s.rng, ("snare", "snare", "rim")): "....x.......x...",
        "hat": pick(s.rng, ("x.x.x.x.x.x.x.x.", "xoxoxoxoxoxoxoxo", "..x...x...x...x.")),
    }
    if s.has("trap_hats"):
        groove["hat"] = rolling_hats(s.rng, 0.3)
    played = [] if s.has("no_drums") else s.named("verse", "drop", "build")
    s.drum(groove, played)
    s.drum({"hat": "x...x...x...x..."}, s.named("outro") if played else [])
    s.play_kit(level_db=s.trait("drum_db"))
    everywhere = list(s.sections)
    steps = pick(
        s.rng, ("x-----------o---", "x-------o-------", "x-----o-x-------", "x---o---x---o---")
    )
    chords = [
        # Hands are not machines: each note of a chord comes a little later than it should.
        event._replace(beat=event.beat + float(s.rng.gamma(2, 0.012)))
        for event in s.chords(everywhere, steps, 5, 60)
    ]
    s.add("chords", "keys", chords, -15, reverb=0.25)
    s.add(
        "bass",
        "bass",
        s.bass_line(
            s.named("verse", "drop", "outro"),
            pick(s.rng, ("x-------x-x-----", "x---5---x---3---", "x-----------8---")),
            1,
        ),
        -18,
        reverb=0.05,
    )
    if s.has("lead"):
        phrase = melody(s.rng, s.key, s.progression, 5, s.rng.uniform(0.25, 0.6))
        s.add("lead", "lead", s.tune(s.named("drop", "break"), phrase), -21, reverb=0.4)
    if s.has("pad"):
        s.add("chords", "pad", s.chords(everywhere, "x" + "-" * 15, 3, 58), -25, reverb=0.4)
    if s.has("rap"):
        _rap(s, s.named("verse"), -18)
    rate = s.rng.uniform(5, 30)
    s.add("noise", Crackle(rate), s.held(everywhere), s.trait("crackle_db"), reverb=0)
    if s.has("rain"):
        s.add("noise", Scene("rain"), s.held(everywhere), s.rng.uniform(-38, -28), reverb=0)


# --- hardstyle --------------------------------------------------------------------------------


def _hardstyle_palette(rng: np.random.Generator) -> Palette:
    patches: dict[str, Instrument] = {
        "kit": machine_kit(rng),
        "hard_kick": hard_kick(rng),
        "reverse": swell(rng),
        "screech": screech(rng),
        "anthem": anthem(rng),
        "pad": pad(rng),
        "saw": supersaw(rng),
        "chop": chopped_voice(rng),
    }
    traits = {"riser_tone": rng.uniform(0.1, 0.5), "density": rng.uniform(0.9, 1.5)}
    loud = desk(rng, loudness_lufs=rng.uniform(-14, -8), drive=rng.uniform(0.0, 1.5))
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
        s.chords(quiet, "x" + "-" * 15, 4, 60),
        -18,
        reverb=0.4,
        sweeps=s.opening(s.named("build"), 600, 7000),
    )
    s.add(
        "chords",
        "saw",
        s.chords(s.named("drop"), "x" + "-" * 15, 3, 62),
        -19,
        duck=0.8,
        low_cut_hz=200,
    )
    if s.has("chops"):
        _chops(s, quiet, -18)
    s.risers(-18)


# --- house ------------------------------------------------------------------------------------


def _house_palette(rng: np.random.Generator) -> Palette:
    patches: dict[str, Instrument] = {
        "kit": machine_kit(rng) if rng.random() < 0.75 else dusty_kit(rng, dust_hz=9000.0),
        "stab": one_of(rng, pluck, keys, brass, piano, supersaw),
        "bass": house_bass(rng),
        "pad": pad(rng),
        "lead": one_of(rng, pluck, bell, flute),
        "chop": chopped_voice(rng),
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
    return Palette(patches, traits, habits, desk(rng))


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
            s.chords(s.named("break", "drop", "build"), "x" + "-" * 15, 4, 60),
            -21,
            duck=duck,
            reverb=0.4,
        )
    if s.has("lead"):
        phrase = melody(s.rng, s.key, s.progression, 5, s.trait("density"))
        s.add("lead", "lead", s.tune(s.named("drop", "break"), phrase), -20, reverb=0.3, echo=0.3)
    if s.has("chops"):
        _chops(s, s.named("drop", "break")[-2:], -17)
    s.risers(-23)


# --- noise ------------------------------------------------------------------------------------


def _noise_palette(rng: np.random.Generator) -> Palette:
    kinds = list(SCENES)
    favourites = rng.choice(len(kinds), 5, replace=False)
    patches: dict[str, Instrument] = {
        f"scene{number}": Scene(kinds[kind], int(rng.integers(2**31)))
        for number, kind in enumerate(favourites)
    }
    patches |= {"pad": pad(rng), "kit": dusty_kit(rng, dust_hz=700.0)}
    habits = chance(rng, neighbour=0.25, drone=0.25)
    microphone = desk(
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
        s.add("noise", "pad", s.chords(s.sections, "x" + "-" * 15, 3, 55), -24, reverb=0.8)


RECIPES = {
    "trap": Recipe(
        (130, 160),
        ("minor", "harmonic_minor", "phrygian"),
        _DARK,
        _CLUB_PLAN,
        _trap_palette,
        _write_trap,
    ),
    "future_bass": Recipe(
        (140, 160), ("major", "minor"), _WARM, _CLUB_PLAN, _future_palette, _write_future_bass
    ),
    "lofi": Recipe(
        (70, 90), ("major", "dorian", "minor"), _WARM, _SONG_PLAN, _lofi_palette, _write_lofi
    ),
    "hardstyle": Recipe(
        (145, 155),
        ("minor", "harmonic_minor"),
        _MINOR,
        _CLUB_PLAN,
        _hardstyle_palette,
        _write_hardstyle,
    ),
    "yung_gravy": Recipe(
        (130, 160), ("major", "dorian", "minor"), _WARM, _SONG_PLAN, _gravy_palette, _write_gravy
    ),
    "liquid_dnb": Recipe(
        (170, 178),
        ("minor", "major", "dorian"),
        (*_WARM, *_MINOR),
        _CLUB_PLAN,
        _liquid_palette,
        _write_liquid,
    ),
    "house": Recipe(
        (120, 128),
        ("minor", "dorian", "major"),
        (*_MINOR, *_WARM),
        _CLUB_PLAN,
        _house_palette,
        _write_house,
    ),
    "noise": Recipe(None, ("minor",), ((0,),), (("intro", 1.0),), _noise_palette, _write_noise),
}
