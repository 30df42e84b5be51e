"""The judges: what they hear, what they learn, how they are kept, and what they refuse."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lildata_utils.cli.main import main
from lildata_utils.crate.composing import compose
from lildata_utils.crate.rendering import render
from lildata_utils.errors import LilDataError
from lildata_utils.genre.judges import bench
from lildata_utils.genre.judges.bench import JUDGES, VERDICT, two_of_three
from lildata_utils.genre.judges.conditions import CODEC, CONDITIONS, NOISE, PICTURE, SOUND
from lildata_utils.genre.judges.features import BANDS, LAGS_S, REGIONS, STEPS, Heard, hear
from lildata_utils.genre.judges.lessons import Lessons, listen
from lildata_utils.genre.judges.settings import Growth, Learning
from lildata_utils.genre.judges.trees import Trees
from lildata_utils.sound import audio
from lildata_utils.sound.spectrogram import CLIP_SAMPLES, SAMPLE_RATE

SOON = Growth(rounds=5, leaves=4)


def clicks(every_s, seed=0):
    """Bursts of noise, 20 ms each."""
    rng = np.random.default_rng(seed)
    sound = 1e-4 * rng.standard_normal(CLIP_SAMPLES)
    for start in np.arange(0.1, 4.9, every_s):
        at = int(start * SAMPLE_RATE)
        sound[at : at + 441] += 0.5 * rng.standard_normal(441)
    return sound.astype(np.float32)


def music(genre, number):
    return render(compose(genre, number, 12345, 10.0))[CLIP_SAMPLES : 2 * CLIP_SAMPLES]


def tilted(sound, db_an_octave):
    spectrum = np.fft.rfft(sound)
    hz = np.maximum(np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE), 30)
    return np.fft.irfft(spectrum * 10 ** (db_an_octave * np.log2(hz / 1000) / 20), len(sound))


def examples(genres=("a", "b", "c"), each=24, seed=0):
    """Lessons of features that tell their genre."""
    rng = np.random.default_rng(seed)
    silence = hear(np.zeros((1, CLIP_SAMPLES)))
    n = each * len(genres)
    labels = np.repeat(np.arange(len(genres)), each)

    def drawn(shape):
        numbers = rng.normal(0, 0.3, (n, *shape)).astype(np.float32)
        numbers[np.arange(n), ..., 20 * labels] += 2
        return numbers

    heard = Heard(
        drawn((STEPS, BANDS)) / 8 - 0.5,
        drawn(silence.statistics.shape[1:]),
        drawn(silence.rhythm.shape[1:]),
    )
    conditions = np.resize([SOUND, PICTURE, NOISE, CODEC], n)
    return Lessons(genres, heard, labels, np.arange(n) // 4, conditions)


@pytest.fixture(scope="module")
def judges():
    *_, last = bench.teach(examples(), Learning(epochs=20), source="numbers")
    return last.finished


@pytest.fixture(scope="module")
def folder(judges, tmp_path_factory):
    folder = tmp_path_factory.mktemp("judges")
    bench.save(judges, folder)
    return folder


# --- what they hear ------------------------------------------------------------------------------


def test_the_level_says_nothing():
    sound = np.stack([music("trap", 0), music("house", 1)])
    loud, soft = hear(sound), hear(0.003 * sound)
    np.testing.assert_allclose(loud.bands, soft.bands, atol=2e-3)
    np.testing.assert_allclose(loud.statistics, soft.statistics, rtol=1e-3, atol=2e-3)
    np.testing.assert_allclose(loud.rhythm, soft.rhythm, rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize("every_s", [0.35, 0.5])
def test_rhythm_is_when_a_clock_clicks(every_s):
    rhythm = hear(clicks(every_s)[None]).rhythm[0]
    repeats = rhythm[: (len(LAGS_S) - 1) * (REGIONS + 1)].reshape(-1, REGIONS + 1)[:, -1]
    place = int(np.searchsorted(LAGS_S, every_s)) - 1
    assert repeats[place] > 0.6
    between = int(np.searchsorted(LAGS_S, 0.75 * every_s)) - 1
    assert repeats[between] < 0.3


def test_rhythm_is_blind_to_timbre_and_statistics_are_not():
    song, other = music("trap", 0), music("house", 1)
    heard = hear(np.stack([song, tilted(song, 3), other]))

    def change(numbers):
        """How far the filtered song is, in parts of how far the other one is."""
        same, far = (np.linalg.norm(numbers[at] - numbers[0]) for at in (1, 2))
        return same / far

    assert change(heard.rhythm) < 0.2
    assert change(heard.statistics) > 2 * change(heard.rhythm)


@pytest.mark.parametrize("sound", [np.zeros(CLIP_SAMPLES), 1e-30 * np.ones(CLIP_SAMPLES)])
def test_silence_has_numbers_too(sound):
    heard = hear(sound[None])
    assert all(np.isfinite(part).all() for part in vars(heard).values())


def test_nothing_is_heard_of_nothing():
    assert len(hear(np.empty((0, CLIP_SAMPLES)))) == 0


@pytest.mark.parametrize(
    ("waveforms", "words"),
    [
        (np.zeros(CLIP_SAMPLES), "expect \\(clips, 110250\\)"),
        (np.zeros((1, 1000)), "expect \\(clips, 110250\\)"),
        (np.full((1, CLIP_SAMPLES), np.nan), "NaN"),
    ],
)
def test_what_is_no_clip_is_one_line(waveforms, words):
    with pytest.raises(LilDataError, match=words):
        hear(waveforms)


def test_conditions_leave_the_music_recognisable():
    sound = music("trap", 0)
    for name, change in CONDITIONS.items():
        worn = change(sound, np.random.default_rng(0))
        assert worn.shape == sound.shape
        bands = hear(np.stack([sound, worn])).bands.astype(float)
        likeness = np.corrcoef(bands[0].ravel(), bands[1].ravel())[0, 1]
        assert likeness > 0.999 if name == SOUND else 0.6 < likeness < 1, name


# --- trees ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("genres", [2, 3])
def test_trees_say_what_scikit_learn_says(genres, monkeypatch):
    import sklearn.ensemble

    kept = []
    real = sklearn.ensemble.HistGradientBoostingClassifier.fit

    def fit(self, *arguments):
        kept.append(real(self, *arguments))
        return kept[-1]

    monkeypatch.setattr(sklearn.ensemble.HistGradientBoostingClassifier, "fit", fit)
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(300, 6)).astype(np.float32)
    labels = (numbers[:, :genres] + rng.normal(0, 0.3, (300, genres))).argmax(axis=1)
    trees = Trees.grow(numbers, labels, SOON, seed=1)
    trees.check(genres, 6)
    np.testing.assert_allclose(
        trees.probabilities(numbers), kept[0].predict_proba(numbers), atol=1e-6
    )
    assert trees.probabilities(numbers[:0]).shape == (0, genres)


@pytest.mark.parametrize("change", ["loop", "outside", "feature", "short", "nan", "root"])
def test_trees_that_were_tampered_with_are_refused(judges, change):
    trees = judges.statistics
    there = np.arange(len(trees.left))
    broken = {
        "loop": {"left": np.zeros_like(trees.left)},
        "outside": {"right": np.where(trees.right > there, 10**6, trees.right).astype(np.int32)},
        "feature": {"feature": trees.feature + 1000},
        "short": {"value": trees.value[:-1]},
        "nan": {"value": trees.value * np.nan},
        "root": {"roots": trees.roots - 1},
    }[change]
    with pytest.raises(LilDataError, match="no trees for 3 genres"):
        replace(trees, **broken).check(3, 10_000 if change != "feature" else 205)


# --- three of them -------------------------------------------------------------------------------


def test_they_learn_what_there_is_to_learn(judges):
    lessons = examples(seed=5)
    rows = {(row["judge"], row["condition"]): row for row in bench.examine(judges, lessons)}
    assert set(rows) == {(name, c) for name in (*JUDGES, VERDICT) for c in CONDITIONS}
    for name in ("statistics", "rhythm", VERDICT):
        assert rows[name, SOUND]["accuracy"] > 0.8
    assert rows["network", SOUND]["accuracy"] > 0.5
    assert rows[VERDICT, NOISE]["clips"] == 18


def test_labels_count_as_the_judges_do(judges):
    lessons = examples(seed=5)
    turned = replace(lessons, genres=("c", "b", "a"), labels=2 - lessons.labels)
    assert bench.examine(judges, turned) == bench.examine(judges, lessons)
    with pytest.raises(LilDataError, match="know nothing of d: they know a, b, c"):
        bench.examine(judges, replace(lessons, genres=("a", "b", "d")))


def test_two_of_three_must_agree():
    def say(*labels):
        return np.eye(3)[list(labels)]

    said = dict(zip(JUDGES, (say(0, 0, 1, 0), say(0, 1, 1, 1), say(0, 0, 2, 2)), strict=True))
    assert two_of_three(said).tolist() == [0, 0, 1, -1]


def test_the_same_seed_teaches_the_same():
    lessons = examples()
    first, again = (list(bench.teach(lessons, Learning(epochs=1)))[-1].finished for _ in range(2))
    for name, said in first.judge(lessons.heard).items():
        np.testing.assert_array_equal(again.judge(lessons.heard)[name], said, err_msg=name)


# --- in a folder ---------------------------------------------------------------------------------


def test_what_is_kept_judges_as_before(judges, folder):
    kept = bench.load_judges(folder)
    assert kept.genres == judges.genres
    assert kept.about["source"] == "numbers"
    heard = examples(seed=3).heard
    for name, said in judges.judge(heard).items():
        np.testing.assert_array_equal(kept.judge(heard)[name], said, err_msg=name)
    sound = np.stack([clicks(0.5), music("trap", 0)])
    said = kept.probabilities(sound)
    assert all(one.shape == (2, 3) for one in said.values())
    assert set(kept.verdict(sound)) <= {"a", "b", "c", None}


@pytest.mark.parametrize("name", ["network", "statistics", "rhythm"])
def test_a_broken_file_is_one_line(folder, tmp_path, name):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path = tmp_path / f"{name}.npz"
    whole = path.read_bytes()
    objects = np.empty(1, object)
    for content in (whole[: len(whole) // 2], b"", None, objects):
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:  # arrays of something else, and what numpy would unpickle
            np.savez(path, start=np.zeros(3) if content is None else content)
        with pytest.raises(LilDataError, match=rf"{name}\.npz: .*let the judges learn again"):
            bench.load_judges(tmp_path)


def test_a_folder_without_judges_is_one_line(tmp_path, folder):
    with pytest.raises(LilDataError, match="no folder of judges"):
        bench.load_judges(tmp_path)
    (tmp_path / "judges.json").write_text('{"version": 9, "genres": ["a", "b"]}')
    with pytest.raises(LilDataError, match="not of version 1"):
        bench.load_judges(tmp_path)
    (tmp_path / "judges.json").write_text('{"genres": ["a", "b"]}')
    with pytest.raises(LilDataError, match="version"):
        bench.load_judges(tmp_path)


# --- music ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    """Two genres, a clock's and noise, two tracks of two clips each, and a file that is none."""
    folder = tmp_path_factory.mktemp("songs")
    for name in ("clock", "hiss"):
        (folder / name).mkdir()
        for number in range(2):
            rng = np.random.default_rng(number)
            sound = (
                clicks(0.4 + 0.1 * number) if name == "clock" else rng.normal(0, 0.1, CLIP_SAMPLES)
            )
            audio.write(folder / name / f"{number}.flac", np.tile(sound, 2).clip(-1, 1))
    (folder / "clock" / "cover.jpg").write_bytes(b"no sound")
    return folder


def test_lessons_are_heard_as_they_are_and_worn(songs):
    *_, last = listen(songs, learning=True)
    lessons = last.finished
    assert lessons.genres == ("clock", "hiss")
    assert lessons.labels.tolist() == [0] * 8 + [1] * 8
    assert lessons.tracks.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
    assert lessons.conditions[::2].tolist() == [SOUND] * 8
    assert set(lessons.conditions[1::2]) == {PICTURE, NOISE, CODEC}
    assert "cover.jpg" in lessons.left_out[0]
    *_, last = listen(songs, learning=False, clips=1)
    assert last.finished.conditions.tolist() == list(CONDITIONS) * 4


def test_a_data_set_becomes_sound_first(own_dataset):
    *_, last = listen(own_dataset.folder, learning=True, clips=1, splits=("test",))
    assert last.finished.genres == ("lofi", "noise")
    assert last.finished.labels.tolist() == [0, 0, 1, 1]


def test_music_that_is_not_there_is_one_line(songs, tmp_path):
    (tmp_path / "clock").symlink_to(songs / "clock")
    with pytest.raises(LilDataError, match="need two or more"):
        list(listen(tmp_path, learning=True))
    (tmp_path / "short").mkdir()
    audio.write(tmp_path / "short" / "a.flac", clicks(0.5)[:1000])
    with pytest.raises(LilDataError, match="no clip of 5 s of short"):
        list(listen(tmp_path, learning=True, clips=1))


def test_the_command_teaches_tests_and_hears(songs, tmp_path, capsys):
    out, report = tmp_path / "judges", tmp_path / "report.json"
    alone = ["--workers", "1"]
    assert main(["judges", "train", str(songs), "--out", str(out), "--epochs", "1", *alone]) == 0
    told = capsys.readouterr()
    assert told.out == f"{out}: 8 clips of 4 tracks were heard\n"
    assert "left out" in told.err
    by = ["--judges", str(out)]
    command = ["judges", "test", str(songs), *by, "--clips", "1", "--report", str(report), *alone]
    assert main(command) == 0
    rows = json.loads(report.read_text())["rows"]
    assert next(row["accuracy"] for row in rows if row["judge"] == "statistics") == 1
    song, cover = songs / "hiss" / "0.flac", songs / "clock" / "cover.jpg"
    capsys.readouterr()
    assert main(["judges", "hear", str(song), str(cover), *by, "--json"]) == 1
    told = capsys.readouterr()
    (heard,) = json.loads(told.out)
    assert heard["statistics"] == "hiss"
    assert len(heard["clips"]) == 2
    assert told.err.count("\n") == 1
    assert "cover.jpg" in told.err


def test_nothing_else_is_written_over(songs, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main(["judges", "train", str(songs), "--out", str(tmp_path)]) == 1
    assert "holds no judges" in capsys.readouterr().err
    assert main(["judges", "train", str(songs), "--out", str(songs / "judges")]) == 1
    assert "which is only read" in capsys.readouterr().err


def test_the_judges_that_come_with_the_course_hear_its_music():
    judges = bench.shipped_judges()
    sound = np.stack([music("house", 0), music("noise", 0), music("hardstyle", 2)])
    right = judges.verdict(sound) == np.array(["house", "noise", "hardstyle"], object)
    assert right.sum() >= 2
