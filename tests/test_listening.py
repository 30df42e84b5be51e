"""Listening to files: in batches across them, in bounded memory, with tables, pictures and tags."""

import csv
import json
import re
import shutil
import threading
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lildata_utils
from lildata_utils.cli.main import main
from lildata_utils.clips.sources import find_music
from lildata_utils.errors import LilDataError
from lildata_utils.files import PROJECT_FOLDER
from lildata_utils.genre import listening
from lildata_utils.genre.doubt import Heard
from lildata_utils.genre.listening import classify_file, classify_files, describe
from lildata_utils.genre.predict import predict
from lildata_utils.learning.runs import Run
from lildata_utils.sound import audio, tags
from lildata_utils.sound.audio import AudioError
from lildata_utils.sound.spectrogram import to_image

CLIP = 110_250


def hear_level(run, images, batch_size):
    """Low tones are "low", high ones "high"; the highest are strange."""
    heights = np.array([image.mean(axis=1).argmax() / 631 for image in images], np.float32)
    return Heard(np.stack([1 - heights, heights], axis=1).reshape(-1, 2), heights / 0.7)


@pytest.fixture
def run(monkeypatch, tmp_path):
    made = Run(tmp_path, "cnn", ("low", "high"), {}, {}, {}, pd.DataFrame())
    monkeypatch.setattr(listening, "load_listener", lambda: made)
    monkeypatch.setattr(listening, "hear", hear_level)
    return made


def write_tones(path, *heights):
    """A clip for each tone, at this share of the highest frequency."""
    time = np.arange(CLIP)
    path.parent.mkdir(parents=True, exist_ok=True)
    audio.write(path, np.concatenate([0.3 * np.sin(np.pi * h * time) for h in heights]))
    return path


def verdicts(paths, **how):
    return {step.file: step.ended for step in classify_files(paths, **how) if step.file}


def test_batches_are_filled_across_files_and_every_clip_finds_its_own(run, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    tones = {
        write_tones(tmp_path / f"{clips}.flac", *rng.uniform(0.1, 0.6, clips)): clips
        for clips in (1, 7, 40, 2, 33)
    }
    sizes = []

    def hear(run, images, batch_size):
        sizes.append(len(images))
        return hear_level(run, images, batch_size)

    monkeypatch.setattr(listening, "hear", hear)
    found = verdicts(tones)
    assert sizes == [32, 32, 19]
    for path, clips in tones.items():
        images = to_image(audio.read(path).reshape(clips, CLIP))[0]
        heard = hear_level(run, images, 32)
        np.testing.assert_array_equal(found[path].probabilities, heard.probabilities)
        np.testing.assert_array_equal(found[path].strangeness, heard.strangeness)
        assert found[path].seconds == 5 * clips


def test_a_file_that_cannot_be_heard_costs_no_other(run, tmp_path):
    good = write_tones(tmp_path / "good.flac", 0.2, 0.2)
    audio.write(tmp_path / "short.wav", np.zeros(1000))
    (tmp_path / "broken.mp3").write_text("not music")
    names = ("short.wav", "good.flac", "broken.mp3", "missing.ogg", "good.flac")
    found = verdicts([tmp_path / name for name in names])
    assert found[good].genre == "low"
    reasons = [str(found[tmp_path / name]) for name in ("short.wav", "broken.mp3", "missing.ogg")]
    assert all(re.search(r"too short|corrupt|No such file", reason) for reason in reasons)
    with pytest.raises(AudioError, match="too short"):
        classify_file(str(tmp_path / "short.wav"))
    assert verdicts([tmp_path / "short.wav"]).keys() == {tmp_path / "short.wav"}
    assert list(classify_files([])) == []


def test_steps_tell_how_far_it_has_come(run, tmp_path):
    paths = [write_tones(tmp_path / f"{n}.flac", *[0.2] * 20) for n in range(5)]
    steps = list(classify_files(paths))
    assert [step.clips for step in steps] == sorted(step.clips for step in steps)
    assert all(step.clips <= step.clips_in_all for step in steps)
    assert {step.clips_in_all for step in steps} == {100}  # from the first on
    assert steps[-1].clips == 100


def test_little_waits_for_the_network_and_nothing_goes_on_after_a_stop(run, tmp_path, monkeypatch):
    path = write_tones(tmp_path / "long.flac", *[0.2] * 400)
    drawn, heard, most = [0], [0], [0]

    def draw(clips):
        drawn[0] += len(clips)
        return np.zeros((len(clips), 631, 631), np.uint8), None

    def hear(run, images, batch_size):
        most[0] = max(most[0], drawn[0] - heard[0])
        heard[0] += len(images)
        return hear_level(run, images, batch_size)

    monkeypatch.setattr(listening, "to_image", draw)
    monkeypatch.setattr(listening, "hear", hear)
    monkeypatch.setattr(listening, "usable_cores", lambda: 1)
    steps = classify_files([path])
    next(steps)
    assert any(thread.name.startswith("reader") for thread in threading.enumerate())
    steps.close()
    assert not any(thread.name.startswith("reader") for thread in threading.enumerate())
    drawn[0] = heard[0] = 0
    assert len(classify_file(path).probabilities) == 400
    assert most[0] <= 3 * 36  # what waits for a full batch, what was read, and what is being read


def test_what_is_unlike_all_that_was_learned_is_said_to_be(run, tmp_path):
    verdict = classify_file(write_tones(tmp_path / "a.flac", 0.2, 0.9, 0.8))
    assert verdict.strange
    assert list(describe(verdict))[-1] == "  verdict: unlike anything it learned (nearest: high)"
    assert listening.as_row(verdict)["strange"] == "yes"
    assert [row["strange"] for row in verdict.clip_rows()] == ["no", "yes", "yes"]
    assert verdict.as_json()["strange"] is True
    known = classify_file(write_tones(tmp_path / "b.flac", 0.2, 0.2))
    assert list(describe(known))[-1] == "  verdict: low 80%, then high 20%"
    assert listening.as_row(known)["second"] == "high"


def test_the_network_that_comes_with_it_answers_as_predict_does(tmp_path):
    path = write_tones(tmp_path / "a.wav", 0.1, 0.3)
    run = lildata_utils.load_listener()
    images = to_image(audio.read(path).reshape(2, CLIP))[0]
    verdict = lildata_utils.classify_file(str(path))
    expected = predict(run.model, images)
    if verdict.strangeness is None:
        np.testing.assert_allclose(verdict.probabilities, expected, atol=1e-5)
    np.testing.assert_array_equal(verdict.probabilities.argmax(1), expected.argmax(1))
    assert lildata_utils.load_run(str(run.folder)).genres == run.genres


def test_a_network_that_tells_no_genres_is_refused(run, tmp_path):
    lstm = Run(tmp_path, "lstm", ("lofi",), {}, {}, {}, pd.DataFrame())
    with pytest.raises(LilDataError, match="is a run of lstm: expected one of"):
        classify_file(tmp_path / "a.wav", lstm)


def test_music_is_found_below_folders(tmp_path):
    names = ["b/2.MP3", "b/1.flac", "b/.hidden.mp3", "b/.trash/3.mp3", "b/cover.jpg", "odd.dat"]
    names += ["empty/list.m3u", "b/1.tracks.csv"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b" / "round").symlink_to(tmp_path / "b")
    given = [tmp_path / name for name in ("odd.dat", "b", "empty", "b/2.MP3")]
    found, skipped = find_music(given)
    assert found == [tmp_path / name for name in ("odd.dat", "b/1.flac", "b/2.MP3")]
    assert [(one.file, one.reason) for one in skipped] == [(str(given[2]), "holds no music")]


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def library(run, tmp_path):
    folder = tmp_path / "library"
    write_tones(folder / "b" / "low.flac", 0.2, 0.2)
    write_tones(folder / "a" / "strange.wav", 0.9)
    (folder / "a" / "cover.jpg").touch()
    (folder / "broken, really.mp3").write_text("not music")
    return folder


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_library_becomes_tables(library, tmp_path, capsys):
    tables = [tmp_path / "new" / "files.csv", tmp_path / "clips.csv"]
    command = ["classify", str(library), "--csv", str(tables[0]), "--clips", str(tables[1])]
    assert main(command) == 1
    printed = capsys.readouterr()
    assert "verdict: low 80%, then high 20%" in printed.out
    assert printed.err.startswith(f"lildata: {library}/broken, really.mp3: corrupt")
    strange, low, broken = rows_of(tables[0])
    assert Path(low["file"]) == library / "b" / "low.flac"
    assert (low["seconds"], low["genre"], low["second"], low["strange"]) == (
        "10.0",
        "low",
        "high",
        "no",
    )
    assert float(low["probability"]) + float(low["second_probability"]) == pytest.approx(1)
    assert strange["strange"] == "yes"
    assert (broken["genre"], broken["damage"][:7]) == ("", "corrupt")
    clips = rows_of(tables[1])
    assert [(Path(row["file"]).name, row["start_s"]) for row in clips] == [
        ("strange.wav", "0.0"),
        ("low.flac", "0.0"),
        ("low.flac", "5.0"),
    ]
    assert main(command) == 1  # an earlier result is replaced
    assert len(rows_of(tables[0])) == 3


def test_nothing_of_a_users_is_written_over(library, tmp_path, capsys):
    own = tmp_path / "mine.csv"
    own.write_text("a,b\n1,2\n")
    picture = tmp_path / "pictures" / "low.flac.png"
    picture.parent.mkdir()
    picture.write_bytes(b"\x89PNG my own")
    song = str(library / "b" / "low.flac")
    for how in (["--csv", str(own)], ["--clips", str(own)], ["--out", str(picture.parent)]):
        assert main(["classify", song, *how]) == 1
        printed = capsys.readouterr()
        assert "is there and no result of `lildata classify`" in printed.err
        assert printed.out == ""  # before any work
    assert main(["classify", song, "--csv", song]) == 1
    assert "is also an input" in capsys.readouterr().err
    assert own.read_text() == "a,b\n1,2\n"
    assert picture.read_bytes() == b"\x89PNG my own"
    picture.unlink()
    for _ in range(2):
        assert main(["classify", song, "--out", str(picture.parent)]) == 0
    assert picture.stat().st_size > 5000


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (["{}/run", "x.mp3"], "is a run, not music: name it as --run"),
        (["x.mp3", "--dry-run"], "give both"),
        (["x.mp3", "--csv", "{}/a", "--clips", "{}/a"], "give each its own"),
        (["{}/empty"], "holds no music"),
        (["{}/nowhere"], "No such file"),
    ],
)
def test_what_is_wrong_with_the_command_is_one_line(run, tmp_path, capsys, how, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").touch()
    assert main(["classify", *(part.format(tmp_path) for part in how)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_tags_are_written_when_asked_and_not_where_a_file_is_strange(library, capsys):
    low, strange = library / "b" / "low.flac", library / "a" / "strange.wav"
    tags.write_genre(low, "Rock")
    before = low.read_bytes(), strange.read_bytes()
    command = ["classify", str(low), str(strange), "--write-tags"]
    assert main([*command, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert f"{low}: its tag would become low (was: Rock)" in told
    assert f"{strange}: no tag, since it is unlike anything that was learned" in told
    assert (low.read_bytes(), strange.read_bytes()) == before
    assert main(command) == 0
    assert f"{low}: its tag is now low (was: Rock)" in capsys.readouterr().out
    assert tags.read_genre(low) == "low"
    assert strange.read_bytes() == before[1]
    assert main([*command, "--json"]) == 0
    printed = capsys.readouterr()
    assert "its tag is low already" in printed.err
    assert len(json.loads(printed.out)) == 2


def test_what_has_no_tags_is_told_in_a_line(library, tmp_path, capsys):
    odd = tmp_path / "odd.au"
    shutil.copy(library / "b" / "low.flac", odd)
    odd.with_suffix(".tracks.csv").write_text("no table of tracks\n")
    assert main(["classify", str(odd), "--out", str(tmp_path), "--json"]) == 1
    printed = capsys.readouterr()
    assert "odd.tracks.csv lacks the column(s)" in printed.err
    assert len(json.loads(printed.out)) == 1


# --- from Python ----------------------------------------------------------------------------------


def test_every_name_of_the_api_page_exists():
    page = (PROJECT_FOLDER / "docs" / "api.md").read_text()
    names = set(re.findall(r"`(lildata_utils[\w.]*\.\w+)`", page))
    assert {f"lildata_utils.{name}" for name in lildata_utils.__all__} <= names
    for name in names:
        module, _, last = name.rpartition(".")
        try:
            found = getattr(import_module(module), last)
        except AttributeError:
            found = import_module(name)
        assert found.__doc__ or isinstance(found, dict), name
    for module, used in re.findall(r"from (lildata_utils[\w.]*) import (.+)", page):
        for name in used.split(", "):
            try:
                getattr(import_module(module), name)
            except AttributeError:
                import_module(f"{module}.{name}")


def test_what_the_package_does_not_offer_is_an_attribute_error():
    with pytest.raises(AttributeError, match="polka"):
        lildata_utils.polka  # noqa: B018
    assert set(lildata_utils.__all__) <= set(dir(lildata_utils))
