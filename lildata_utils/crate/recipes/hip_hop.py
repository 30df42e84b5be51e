"""Trap, yung gravy and lo-fi: drums at half time, old records, a voice that raps."""

import numpy as np

from lildata_utils.crate import palettes as draw
from lildata_utils.crate.artists import Instrument
from lildata_utils.crate.noise import Crackle, Scene
from lildata_utils.crate.palettes import chance, one_of, pick
from lildata_utils.crate.patterns import Section, chops, melody, rolling_hats, thinned, verse
from lildata_utils.crate.recipes.recipe import CLUB_PLAN, DARK, SONG_PLAN, WARM, Palette, Recipe
from lildata_utils.crate.sketch import HELD, Sketch, last_bar


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
    s.add("chords", "keys", s.chords(everywhere, HELD, 4, 56), -21, reverb=0.2)


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
        s.add("chords", "pad", s.chords(everywhere, HELD, 3, 55), -22, reverb=0.4)
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


def _trap_palette(rng: np.random.Generator) -> Palette:
    patches: dict[str, Instrument] = {
        "kit": draw.machine_kit(rng),
        "808": draw.bass_808(rng),
        "lead": one_of(rng, draw.bell, draw.bell, draw.pluck, draw.flute),
        "pad": draw.pad(rng, cutoff_hz=rng.uniform(500, 1800)),
        "keys": draw.keys(rng),
        "soul": one_of(rng, draw.strings, draw.brass, draw.electric_piano, draw.piano),
        "rapper": draw.rapper(rng),
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
    return Palette(patches, _rap_traits(rng), habits, draw.desk(rng))


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


TRAP = Recipe(
    (130, 160), ("minor", "harmonic_minor", "phrygian"), DARK, CLUB_PLAN, _trap_palette, _write_trap
)


def _gravy_palette(rng: np.random.Generator) -> Palette:
    patches: dict[str, Instrument] = {
        "kit": draw.machine_kit(rng),
        "808": draw.bass_808(rng),
        "soul": one_of(rng, draw.strings, draw.brass, draw.electric_piano, draw.piano),
        "keys": draw.keys(rng),
        "pad": draw.pad(rng, cutoff_hz=rng.uniform(500, 1800)),
        "lead": one_of(rng, draw.flute, draw.brass, draw.bell, draw.pluck),
        "rapper": draw.rapper(rng),
        "choir": draw.chopped_voice(rng),
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
    return Palette(patches, _rap_traits(rng), habits, draw.desk(rng))


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


YUNG_GRAVY = Recipe(
    (130, 160), ("major", "dorian", "minor"), WARM, SONG_PLAN, _gravy_palette, _write_gravy
)


def _lofi_palette(rng: np.random.Generator) -> Palette:
    patches: dict[str, Instrument] = {
        "kit": draw.dusty_kit(rng),
        "keys": one_of(rng, draw.electric_piano, draw.electric_piano, draw.piano, draw.keys),
        "bass": draw.upright_bass(rng),
        "lead": one_of(rng, draw.bell, draw.pluck, draw.flute, draw.piano),
        "pad": draw.pad(rng, cutoff_hz=rng.uniform(500, 1500), settle_hz=500.0),
        "rapper": draw.rapper(rng),
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
    dark = draw.desk(
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
        s.add("chords", "pad", s.chords(everywhere, HELD, 3, 58), -25, reverb=0.4)
    if s.has("rap"):
        _rap(s, s.named("verse"), -18)
    rate = s.rng.uniform(5, 30)
    s.add("noise", Crackle(rate), s.held(everywhere), s.trait("crackle_db"), reverb=0)
    if s.has("rain"):
        s.add("noise", Scene("rain"), s.held(everywhere), s.rng.uniform(-38, -28), reverb=0)


LOFI = Recipe((70, 90), ("major", "dorian", "minor"), WARM, SONG_PLAN, _lofi_palette, _write_lofi)
