"""The crate: the same bytes everywhere, clean sound, and what makes each genre measurable."""

import csv
import itertools
import warnings
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from librosa.feature.rhythm import tempo as estimate_tempo

from lildata_utils.crate.artists import PARTS, Layer, Track, artist_number, pair_of_words
from lildata_utils.crate.collection import write_collection
from lildata_utils.crate.composing import compose, meet, title
from lildata_utils.crate.drums import DRUMS, Kit
from lildata_utils.crate.genres import RECIPES
from lildata_utils.crate.mixes import plan_mix, render_mix
from lildata_utils.crate.mixing import bell, limit, loudness, mp3_round_trip, pump, shelf
from lildata_utils.crate.noise import SCENES, Scene
from lildata_utils.crate.patterns import SCALES, Key, Section, beat, form
from lildata_utils.crate.rendering import dry_mix, render
from lildata_utils.crate.settings import Collection
from lildata_utils.crate.sketch import spans
from lildata_utils.crate.synths import Bass808, ElectricPiano, Synth
from lildata_utils.crate.waves import hertz, oscillate
from lildata_utils.errors import LilDataError
from lildata_utils.genres import GENRES
from lildata_utils.parallel import map_unordered
from lildata_utils.sound.spectrogram import SAMPLE_RATE

MUSIC = tuple(genre for genre in GENRES if genre != "noise")


def dominant_hz(waveform: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return float(np.argmax(spectrum) * SAMPLE_RATE / len(waveform))


def tempo_fits(track: Track, waveform: np.ndarray) -> bool:
    """Whether librosa's tempo is in the recipe's range, octaves and half a lag step allowed.

    The estimate is a whole number of frames of 23 ms between beats, so at 125 BPM its step is 6.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tempo = float(estimate_tempo(y=waveform, sr=SAMPLE_RATE)[0])
    recipe_tempo = RECIPES[track.genre].tempo_bpm
    assert recipe_tempo is not None
    frames = 60 * SAMPLE_RATE / 512 / tempo
    slowest, fastest = (60 * SAMPLE_RATE / 512 / (frames + half) for half in (0.5, -0.5))
    return any(
        octave * slowest <= recipe_tempo[1] and octave * fastest >= recipe_tempo[0]
        for octave in (0.25, 0.5, 1, 2, 4)
    )


def measure(job: tuple[str, int]) -> dict[str, float | str | bool | None]:
    """Render a track of 20 s and measure what the recipes promise."""
    genre, number = job
    track = compose(genre, number, duration_s=20.0)
    waveform = render(track)
    magnitude = np.abs(librosa.stft(waveform, n_fft=1024))
    # The separation is slow: 5 s from the middle.
    _, percussive = librosa.decompose.hpss(magnitude[:, 430:645])
    drums = any(layer.part == "drums" for layer in track.layers) and genre != "noise"
    return {
        "genre": genre,
        "artist": track.artist.name,
        "centroid_hz": float(librosa.feature.spectral_centroid(S=magnitude).mean()),
        "percussive": float(np.mean(percussive**2)),
        "lufs": loudness(waveform),
        "peak": float(np.max(np.abs(waveform))),
        "offset": float(np.mean(waveform)),
        "finite": bool(np.isfinite(waveform).all()),
        "tempo_fits": tempo_fits(track, waveform) if drums else None,
    }


def mean_of(rows: list[dict], genre: str, name: str) -> float:
    return float(np.mean([row[name] for row in rows if row["genre"] == genre]))


# --- determinism ------------------------------------------------------------------------------


def test_a_track_does_not_depend_on_what_was_made_before() -> None:
    alone = render(compose("liquid_dnb", 5, duration_s=8.0))
    for genre in ("house", "liquid_dnb"):
        render(compose(genre, 4, duration_s=5.0))
    again = render(compose("liquid_dnb", 5, duration_s=8.0))
    np.testing.assert_array_equal(alone, again)


def test_tracks_and_seeds_differ() -> None:
    one, other = compose("house", 0, duration_s=5.0), compose("house", 1, duration_s=5.0)
    reseeded = compose("house", 0, seed=1, duration_s=5.0)
    assert not np.array_equal(render(one), render(other))
    assert not np.array_equal(render(one), render(reseeded))
    assert one.artist.name != reseeded.artist.name


def test_same_bytes_from_one_process_and_from_two(tmp_path: Path) -> None:
    contents = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        list(write_collection(folder, Collection(2, 3.0, ("trap", "noise")), workers))
        contents.append(
            {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}
        )
    assert len(contents[0]) == 6
    assert contents[0] == contents[1]


def test_a_track_is_the_same_in_a_small_and_in_a_large_collection(tmp_path: Path) -> None:
    small = list(write_collection(tmp_path / "small", Collection(1, 3.0, ("lofi",))))
    list(write_collection(tmp_path / "large", Collection(3, 3.0, ("lofi",))))
    twin = tmp_path / "large" / "lofi" / small[0].path.name
    assert twin.read_bytes() == small[0].path.read_bytes()


# --- artists and names ------------------------------------------------------------------------


@pytest.mark.parametrize("tracks", [6, 16, 80])
def test_even_small_collections_have_many_artists(tracks: int) -> None:
    artists = [artist_number(number) for number in range(tracks)]
    assert len(set(artists)) >= max(6, tracks // 2)
    assert max(artists.count(artist) for artist in artists) <= 2


def test_names_do_not_repeat() -> None:
    assert len({pair_of_words(number) for number in range(5000)}) == 5000
    artists = {meet(genre, number).name for genre in GENRES for number in range(40)}
    assert len(artists) == 8 * 40
    titles = {title(genre, number) for genre in GENRES for number in range(80)}
    assert len(titles) == 8 * 80


def test_two_tracks_of_an_artist_share_the_palette() -> None:
    first, second = compose("trap", 0), compose("trap", 8)
    assert first.artist == second.artist
    assert first.title != second.title
    assert first.layers != second.layers


# --- clean sound ------------------------------------------------------------------------------


@pytest.mark.parametrize("genre", GENRES)
def test_sound_is_clean(genre: str) -> None:
    for number in (0, 3):
        track = compose(genre, number, duration_s=20.0)
        waveform = render(track)
        assert waveform.dtype == np.float32
        assert waveform.shape == (20 * SAMPLE_RATE,)
        assert np.isfinite(waveform).all()
        assert 0.05 < np.max(np.abs(waveform)) < 1.0
        assert abs(np.mean(waveform)) < 2e-3
        # No stretch of silence: something sounds in every tenth of a second.
        tenths = waveform.reshape(-1, SAMPLE_RATE // 10)[:-3]
        assert np.min(np.max(np.abs(tenths), axis=1)) > 1e-4


@pytest.mark.parametrize("genre", MUSIC)
def test_no_clicks_where_sections_meet(genre: str) -> None:
    """At the edge of a section the chords bend no more than they do when they are struck."""
    track = compose(genre, 1, duration_s=40.0)
    bends = np.abs(np.diff(dry_mix(track, ("chords",)), 2))
    blocks = bends[: len(bends) // 440 * 440].reshape(-1, 440).max(axis=1)
    usual = np.quantile(blocks[blocks > 0], 0.98)
    edges = [round(s.bar * 4 / track.beats_per_second * SAMPLE_RATE) for s in track.sections[1:]]
    assert len(edges) >= 5
    for edge in edges:
        assert np.max(bends[edge - 20 : edge + 20]) < 1.3 * usual


def test_a_track_fades_out() -> None:
    waveform = render(compose("trap", 2, duration_s=6.0))
    assert np.max(np.abs(waveform[-20:])) < 1e-3


def test_own_length_is_a_minute_to_four() -> None:
    lengths = [compose(genre, number).duration_s for genre in GENRES for number in range(12)]
    assert min(lengths) >= 60
    assert max(lengths) <= 240
    assert np.ptp(lengths) > 60


# --- parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("genre", ["house", "yung_gravy"])
def test_parts_sum_to_the_whole(genre: str) -> None:
    track = compose(genre, 2, duration_s=15.0)
    whole = dry_mix(track)
    parts = sum(dry_mix(track, (part,)) for part in PARTS)
    np.testing.assert_allclose(parts, whole, atol=1e-4)


def test_a_part_is_softer_than_the_whole() -> None:
    track = compose("house", 0, duration_s=10.0)
    for part in ("drums", "bass", "chords"):
        solo = render(track, parts=(part,))
        assert 1e-4 < np.mean(solo**2) < np.mean(render(track) ** 2)


def test_each_genre_has_its_parts() -> None:
    def parts(genre: str) -> set[str]:
        return {layer.part for number in range(8) for layer in compose(genre, number).layers}

    for genre in MUSIC:
        assert {"drums", "bass", "chords"} <= parts(genre)
    assert "voice" in parts("yung_gravy")
    assert "noise" in parts("noise")


# --- what makes a genre -----------------------------------------------------------------------


def drum_beats(track: Track, drum: str, section: Section) -> set[float]:
    start, end = 4 * section.bar, 4 * (section.bar + section.bars)
    return {
        event.beat - start
        for layer in track.layers
        for event in layer.events
        if event.what == drum and start <= event.beat < end
    }


def test_house_has_a_kick_on_every_beat() -> None:
    track = compose("house", 0)
    drop = next(section for section in track.sections if section.name == "drop")
    assert drum_beats(track, "kick", drop) == {float(n) for n in range(4 * drop.bars)}


def test_intro_and_break_of_future_bass_have_no_drums() -> None:
    track = compose("future_bass", 0)
    for section in track.sections:
        if section.name in ("intro", "break"):
            assert not drum_beats(track, "kick", section)


def test_tempo_of_a_rendered_kick() -> None:
    """The kicks of a house track are one beat apart in the sound, not only on paper."""
    track = compose("house", 0)
    kit = next(layer for layer in track.layers if layer.part == "drums")
    kicks = tuple(event for event in kit.events if event.what == "kick")[:64]
    only = Track(**{**vars(track), "layers": (Layer("drums", kit.instrument, kicks, 0, 0),)})
    power = dry_mix(only)[: 30 * SAMPLE_RATE] ** 2
    steps = power[: len(power) // 100 * 100].reshape(-1, 100).sum(axis=1)
    # The first kick is found by its energy, then the period by the autocorrelation.
    spectrum = np.abs(np.fft.rfft(steps, 2 * len(steps))) ** 2
    correlation = np.fft.irfft(spectrum)[: len(steps)]
    shortest = round(0.3 * SAMPLE_RATE / 100)
    period_s = (np.argmax(correlation[shortest : 2 * shortest + 20]) + shortest) * 100 / SAMPLE_RATE
    assert 60 / period_s == pytest.approx(track.tempo_bpm, rel=0.01)


@pytest.fixture(scope="module")
def measured() -> list[dict]:
    jobs = [(genre, number) for genre in MUSIC for number in range(3)]
    return [measure(job) for job in jobs]


def test_lofi_is_the_darkest(measured: list[dict]) -> None:
    centroids = {genre: mean_of(measured, genre, "centroid_hz") for genre in MUSIC}
    assert min(centroids, key=centroids.__getitem__) == "lofi"


def test_tempo_of_a_few_tracks(measured: list[dict]) -> None:
    fits = [row["tempo_fits"] for row in measured if row["tempo_fits"] is not None]
    assert np.mean(fits) >= 0.7


@pytest.mark.slow
def test_two_hundred_tracks() -> None:
    jobs = [(genre, number) for genre in GENRES for number in range(26)]
    ended = map_unordered(measure, jobs, workers=2)
    rows = [result for pair in ended if pair is not None for result in pair[1:]]
    assert len(rows) == 208
    fits = [row["tempo_fits"] for row in rows if row["tempo_fits"] is not None]
    assert len(fits) > 150
    assert np.mean(fits) >= 0.85
    centroids = {genre: mean_of(rows, genre, "centroid_hz") for genre in MUSIC}
    assert min(centroids, key=centroids.__getitem__) == "lofi"
    assert max(centroids, key=centroids.__getitem__) == "future_bass"
    # Mean power of the percussive part of librosa's harmonic-percussive separation.
    percussive = {genre: mean_of(rows, genre, "percussive") for genre in MUSIC}
    assert max(percussive, key=percussive.__getitem__) == "hardstyle"
    assert all(row["finite"] for row in rows)
    assert max(row["peak"] for row in rows) < 1.0
    assert max(abs(row["offset"]) for row in rows) < 2e-3
    artists = {row["artist"] for row in rows if row["genre"] != "noise"}
    lufs = [np.mean([row["lufs"] for row in rows if row["artist"] == artist]) for artist in artists]
    assert np.ptp(lufs) >= 6


# --- instruments and patterns -----------------------------------------------------------------


@pytest.mark.parametrize("shape", ["saw", "square", "pulse", "triangle", "soft", "piano", "sine"])
def test_oscillators_are_in_tune_and_do_not_alias(shape: str) -> None:
    waveform = oscillate(shape, 441.0, SAMPLE_RATE)
    assert dominant_hz(waveform) == pytest.approx(441.0, abs=1.0)
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(SAMPLE_RATE)))
    # Everything lies on the harmonics of 441 Hz.
    between = spectrum[441 // 2 :: 441]
    assert np.max(between) < 2e-3 * np.max(spectrum)


@pytest.mark.parametrize("instrument", [Synth(), Synth(voices=5, detune_cents=10), ElectricPiano()])
def test_instruments_play_the_pitch_that_is_written(instrument: Synth | ElectricPiano) -> None:
    note = instrument.play(69, 1.0)
    assert dominant_hz(note) == pytest.approx(440.0, rel=0.008)


def test_a_bass_glides() -> None:
    note = Bass808(decay_s=5.0, drive=0.0, punch=0.0).play(33, 2.0, glide=45)
    assert dominant_hz(note[: SAMPLE_RATE // 2]) == pytest.approx(hertz(33), abs=3)
    assert dominant_hz(note[-SAMPLE_RATE // 2 :]) == pytest.approx(hertz(45), abs=3)


@pytest.mark.parametrize("drum", DRUMS)
def test_drums_start_and_end_without_clicks(drum: str) -> None:
    waveform = Kit().play(drum)
    assert np.isfinite(waveform).all()
    assert 0.05 < np.max(np.abs(waveform)) <= 1.0 + 1e-6
    assert abs(waveform[-1]) < 1e-2


@pytest.mark.parametrize("kind", SCENES)
def test_scenes_differ_by_take_and_repeat_by_seed(kind: str) -> None:
    one, same, other = (
        Scene(kind, seed).play(take, 3.0) for seed, take in ((1, 0), (1, 0), (1, 1))
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert np.isfinite(one).all()


def test_grooves_are_read_step_by_step() -> None:
    hits = beat({"kick": "x...", "hat": "..3."}, bar=1, bars=1, swing=0.0)
    kicks = [hit.beat for hit in hits if hit.what == "kick"]
    hats = [hit.beat for hit in hits if hit.what == "hat"]
    assert kicks == [4.0, 5.0, 6.0, 7.0]
    np.testing.assert_allclose(hats[:3], [4.5, 4.5 + 1 / 12, 4.5 + 2 / 12])
    swung = beat({"hat": ".x.............."}, bar=0, bars=1, swing=0.4)
    assert [hit.beat for hit in swung] == [pytest.approx(0.35)]
    assert spans("x---x-..") == [(0.0, "x", 1.0), (1.0, "x", 0.5)]


@pytest.mark.parametrize("scale", SCALES)
def test_chords_stay_in_the_scale(scale: str) -> None:
    key = Key(2, scale)
    allowed = {(2 + step) % 12 for step in SCALES[scale]}
    for degree in range(7):
        chord = key.chord(degree, 5)
        assert len(set(chord)) == 5
        assert {pitch % 12 for pitch in chord} <= allowed


@pytest.mark.parametrize("bars", [1, 2, 5, 12, 24, 80, 170])
def test_forms_cover_every_bar(bars: int) -> None:
    sections = form(RECIPES["house"].plan, bars)
    assert sections[0].bar == 0
    assert sum(section.bars for section in sections) == bars
    for before, after in itertools.pairwise(sections):
        assert after.bar == before.bar + before.bars


# --- desk -------------------------------------------------------------------------------------


def test_loudness_of_the_reference_tone() -> None:
    """ITU-R BS.1770: a full-scale sine of 997 Hz in one channel has -3.01 LUFS."""
    tone = np.sin(2 * np.pi * 997 / SAMPLE_RATE * np.arange(5 * SAMPLE_RATE)).astype(np.float32)
    assert loudness(tone) == pytest.approx(-3.01, abs=0.1)
    assert loudness(0.1 * tone) == pytest.approx(-23.01, abs=0.1)
    padded = np.concatenate([tone, np.zeros_like(tone)])
    assert loudness(padded) == pytest.approx(-3.01, abs=0.2)


def test_equaliser_gains() -> None:
    from scipy.signal import sosfreqz

    for section, hz, expected_db in (
        (shelf(150, 6.0, high=False), 10, 6.0),
        (shelf(150, 6.0, high=False), 5000, 0.0),
        (shelf(4000, -5.0, high=True), 10_500, -5.0),
        (bell(1000, 4.0), 1000, 4.0),
    ):
        _, response = sosfreqz(section[np.newaxis], worN=[hz], fs=SAMPLE_RATE)
        assert 20 * np.log10(abs(response[0])) == pytest.approx(expected_db, abs=0.1)


def test_limiter_keeps_what_is_below_the_ceiling() -> None:
    rng = np.random.default_rng(0)
    quiet = rng.uniform(-0.5, 0.5, 10_000).astype(np.float32)
    np.testing.assert_array_equal(limit(quiet), quiet)
    assert np.max(np.abs(limit(4 * quiet))) <= 0.951


def test_sidechain_curve() -> None:
    curve = pump(SAMPLE_RATE, np.array([1000, 9000]), 0.2)
    assert curve[900] == 0
    assert curve[1150] > 0.9
    assert curve[8000] < 0.01
    assert curve.max() <= 1


def test_mp3_round_trip_keeps_length_and_sound() -> None:
    waveform = render(compose("lofi", 0, duration_s=5.0))
    coded = mp3_round_trip(waveform, 0.5)
    assert coded.shape == waveform.shape
    error = np.mean((coded - waveform) ** 2) / np.mean(waveform**2)
    assert 1e-6 < error < 0.05


# --- mixes and collections --------------------------------------------------------------------


def test_track_list_of_a_mix_agrees_with_its_sound(tmp_path: Path) -> None:
    steps = list(write_collection(tmp_path, Collection(4, 12.0, ("house",), mixes=True)))
    assert len(steps) == 1
    with (tmp_path / "house" / "Mix 01.tracks.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["artist"] for row in rows}) == 4
    assert len({row["tempo_bpm"] for row in rows}) == 1
    starts, ends = ([float(row[name]) for row in rows] for name in ("start_s", "end_s"))
    assert starts[0] == 0
    # Neighbours overlap, others do not.
    for number in range(3):
        assert starts[number] < starts[number + 1] < ends[number] < ends[number + 1]
    sound = soundfile.info(steps[0].path)
    assert sound.samplerate == SAMPLE_RATE
    assert sound.channels == 1
    assert sound.duration == pytest.approx(ends[-1], abs=0.01)


def test_tracks_of_a_mix_begin_on_a_bar() -> None:
    mix = plan_mix("liquid_dnb", (0, 1, 2), duration_s=20.0)
    bar_s = 4 / mix.tracks[0].beats_per_second
    for start in mix.starts_s:
        assert start / bar_s == pytest.approx(round(start / bar_s), abs=1e-6)


@pytest.mark.parametrize("genre", ["trap", "noise"])
def test_a_mix_stays_below_full_scale_and_never_stops(genre: str) -> None:
    mix = plan_mix(genre, (0, 1), duration_s=12.0)
    sound = np.concatenate(list(render_mix(mix)))
    assert len(sound) == pytest.approx(mix.duration_s * SAMPLE_RATE, abs=4)
    assert np.max(np.abs(sound)) < 1
    tenths = sound[: len(sound) // 2205 * 2205].reshape(-1, 2205)[:-3]
    assert np.min(np.max(np.abs(tenths), axis=1)) > 1e-4


def test_a_collection_is_completed_and_not_made_again(tmp_path: Path) -> None:
    collection = Collection(2, 3.0, ("house",))
    first = list(write_collection(tmp_path, collection))
    assert [step.rendered for step in first] == [True, True]
    assert [step.done for step in first] == [1, 2]
    before = first[0].path.read_bytes()
    first[0].path.unlink()
    # A file of other arguments and half a file are made anew.
    first[1].path.write_bytes(first[1].path.read_bytes()[:1000])
    again = list(write_collection(tmp_path, collection))
    assert [step.rendered for step in again] == [True, True]
    assert first[0].path.read_bytes() == before
    assert not any(step.rendered for step in write_collection(tmp_path, collection))
    assert all(step.rendered for step in write_collection(tmp_path, Collection(2, 4.0, ("house",))))


def test_the_table_of_a_genre(tmp_path: Path) -> None:
    list(write_collection(tmp_path, Collection(2, 3.0, ("lofi",))))
    with (tmp_path / "lofi" / "tracks.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "artist", "title", "tempo_bpm", "key", "seed"]
    for row in rows:
        assert (tmp_path / "lofi" / row["file"]).is_file()
        assert row["file"] == f"{row['artist']} - {row['title']}.flac"
        assert 70 <= float(row["tempo_bpm"]) <= 90


def test_sound_of_another_collection_is_refused(tmp_path: Path) -> None:
    list(write_collection(tmp_path, Collection(1, 3.0, ("house",))))
    with pytest.raises(LilDataError, match="not part of this collection"):
        list(write_collection(tmp_path, Collection(1, 3.0, ("house",), seed=1)))


@pytest.mark.parametrize("format", ["wav", "ogg", "mp3"])
def test_other_formats_resume_too(tmp_path: Path, format: str) -> None:
    collection = Collection(1, 3.0, ("trap",), format=format)
    first = list(write_collection(tmp_path, collection))
    assert soundfile.info(first[0].path).duration == pytest.approx(3.0, abs=0.06)
    assert [step.rendered for step in write_collection(tmp_path, collection)] == [False]


# --- bad arguments ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"genre": "polka", "number": 0}, "polka"),
        ({"genre": "house", "number": -1}, "-1"),
        ({"genre": "house", "number": 0, "seed": -3}, "-3"),
        ({"genre": "house", "number": 0, "duration_s": 0.5}, "0.5 s"),
        ({"genre": "house", "number": 0, "duration_s": float("nan")}, "nan"),
        ({"genre": "house", "number": 0, "tempo_bpm": 999.0}, "999"),
    ],
)
def test_wrong_arguments_of_compose(arguments: dict, says: str) -> None:
    with pytest.raises(LilDataError, match=says) as raised:
        compose(**arguments)
    assert "expected" in str(raised.value)


def test_unknown_part() -> None:
    with pytest.raises(LilDataError, match="cowbell"):
        render(compose("house", 0, duration_s=4.0), parts=("cowbell",))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"genres": ("polka",)}, "polka"),
        ({"genres": ()}, "must not be empty"),
        ({"genres": ("house", "house")}, "each once"),
        ({"tracks": 0}, "tracks must be from 1 to 100000, got 0"),
        ({"duration_s": 1.0}, "duration_s must be from 2 to 1800, got 1.0"),
        ({"format": "midi"}, "midi"),
        ({"seed": -1}, "-1"),
    ],
)
def test_wrong_settings_of_a_collection(arguments: dict, says: str) -> None:
    with pytest.raises(LilDataError, match=says):
        Collection(**arguments)


def test_no_workers(tmp_path: Path) -> None:
    with pytest.raises(LilDataError, match="0 workers"):
        list(write_collection(tmp_path, Collection(1, 3.0), workers=0))
    assert not list(tmp_path.iterdir())
