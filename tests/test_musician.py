"""A musician from its first lesson to files: trained, stopped, kept, asked for music."""

import json

import numpy as np
import pytest

from lildata_utils.backend import tf
from lildata_utils.cli.main import main
from lildata_utils.crate.settings import Collection
from lildata_utils.errors import LilDataError
from lildata_utils.generation import music
from lildata_utils.generation.settings import Piece, Sampling
from lildata_utils.learning import musician as folder_of
from lildata_utils.learning import practice
from lildata_utils.learning.codec import CodecLearner, picture_loss
from lildata_utils.learning.musician import Musician, load_musician, save
from lildata_utils.learning.practice import practise
from lildata_utils.learning.songbook import Songbook, read_songbook, write_songbook
from lildata_utils.networks.codec import Codec
from lildata_utils.networks.composer import Composer
from lildata_utils.networks.settings import CodecSettings, ComposerSettings
from lildata_utils.sound import audio
from lildata_utils.sound.bands import BANDS
from lildata_utils.sound.spectrogram import SAMPLE_RATE

CODEC = CodecSettings(tokens=3, levels=(4, 4), widths=(8, 12, 16), blocks=1)
COMPOSER = ComposerSettings(layers=1, width=16, heads=2, context=16)
GENRES = ("lofi", "noise")


@pytest.fixture(scope="module")
def musician():
    composer = Composer(len(GENRES), CODEC.tokens, CODEC.codes, COMPOSER, 0)
    about = {"settings": {"codec": vars(CODEC), "composer": vars(COMPOSER)}}
    return Musician(GENRES, Codec(CODEC), composer, about)


@pytest.fixture(scope="module")
def folder(musician, tmp_path_factory):
    path = tmp_path_factory.mktemp("musician")
    save(musician, path)
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    audio.write(path, 0.1 * np.random.default_rng(0).standard_normal(6 * SAMPLE_RATE))
    return path


def songbook(columns=400):
    rng = np.random.default_rng(0)
    songs = tuple(rng.integers(0, 256, (columns, BANDS), np.uint8) for _ in range(4))
    return Songbook(GENRES, songs, np.array([0, 0, 1, 1]))


def test_a_songbook_is_completed_and_read(tmp_path):
    collection = Collection(tracks=1, duration_s=2.0, genres=GENRES, seed=5)
    assert list(write_songbook(tmp_path, collection)) == [(0, 2), (1, 2), (2, 2)]
    (tmp_path / "noise" / "0.npy").unlink()
    assert list(write_songbook(tmp_path, collection)) == [(1, 2), (2, 2)]
    book = read_songbook(tmp_path, collection)
    assert [song.shape for song in book.songs] == [(127, BANDS)] * 2
    (tmp_path / "noise" / "0.npy").write_bytes(b"no array")
    with pytest.raises(LilDataError, match=r"noise/0.npy .*rendered anew"):
        read_songbook(tmp_path, collection)


def test_stretches_are_parts_of_their_genre():
    book = songbook()
    pictures, labels = book.stretches(50, 8, np.random.default_rng(0), whole=8)
    assert set(labels) == {0, 1}
    for picture, label in zip(pictures[:8], labels[:8], strict=True):
        own = [book.songs[song] for song in np.flatnonzero(book.labels == label)]
        windows = [song[k : k + 8] for song in own for k in range(0, 393, 8)]
        assert any((picture == window).all() for window in windows)


def test_the_loss_of_a_picture_counts_errors_and_their_changes():
    real = np.zeros((1, 16, 16), np.float32)
    assert float(picture_loss(real, real)) == 0
    # A constant error has no flux, and is the same at every resolution.
    np.testing.assert_allclose(picture_loss(real + 0.5, real), 0.5, rtol=1e-6)
    # One that changes its sign each column is seen at the finest one only.
    stripes = real + np.where(np.arange(16) % 2, 1, -1)[None, :, None].astype(np.float32)
    np.testing.assert_allclose(picture_loss(stripes, real), (1 + 0.5 * 2) / 4, rtol=1e-6)


class Counter:
    """A learner that adds lots up."""

    def __init__(self):
        self.sum = tf.Variable(0.0)

    @property
    def state(self):
        return [self.sum]

    def step(self, number):
        self.sum.assign_add(np.random.default_rng(number).random())
        return {"sum": float(self.sum)}


def test_a_stopped_training_goes_on_where_it_was(tmp_path, monkeypatch):
    def trained(path, stops, every):
        monkeypatch.setattr(practice, "CHECKPOINT_S", every)
        for stop in stops:
            learner, seen = Counter(), []
            for step in practise(tmp_path / path, learner, 120):
                seen.append(step.step)
                if step.step == stop:
                    break
        return float(learner.sum), seen

    whole, _ = trained("whole.npz", (120,), 60.0)
    parts, seen = trained("parts.npz", (1, 30, 77, 120), 0.0)
    assert parts == whole
    assert seen == list(range(78, 121))
    rows = json.loads((tmp_path / "whole.json").read_text())
    assert [row["step"] for row in rows] == [50, 100, 120]
    assert not trained("whole.npz", (120,), 60.0)[1]  # it is finished


def test_a_loss_that_is_no_number_is_told(tmp_path):
    learner = Counter()
    learner.sum.assign(float("nan"))
    with pytest.raises(LilDataError, match="diverged in step 1"):
        next(practise(tmp_path / "a.npz", learner, 4))


@pytest.mark.slow
def test_a_codec_that_was_stopped_goes_on_exactly(tmp_path, monkeypatch):
    monkeypatch.setattr(practice, "CHECKPOINT_S", 0.0)

    def trained(path, stops):
        for stop in stops:
            codec = Codec(CODEC)
            learner = CodecLearner(codec, songbook(), 4)
            for step in practise(tmp_path / path, learner, 4):
                if step.step == stop:
                    break
        learner.averaged()
        return codec.get_weights()

    whole, parts = trained("whole.npz", (4,)), trained("parts.npz", (3, 4))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)
    rows = json.loads((tmp_path / "parts.json").read_text())
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    assert "critic" in rows[-1]


def test_a_broken_checkpoint_is_told(tmp_path):
    (tmp_path / "codec.npz").write_bytes(b"nothing")
    with pytest.raises(LilDataError, match="delete it to begin anew"):
        next(practise(tmp_path / "codec.npz", Counter(), 4))


def test_a_musician_is_kept_with_half_the_bytes(musician, folder):
    loaded = load_musician(folder)
    assert loaded.genres == GENRES
    for name in ("codec", "composer"):
        pairs = zip(
            getattr(loaded, name).trainable_variables,
            getattr(musician, name).trainable_variables,
            strict=True,
        )
        for one, other in pairs:
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)


def test_broken_folders_are_told(folder, tmp_path):
    with pytest.raises(LilDataError, match="no musician"):
        load_musician(tmp_path)
    (tmp_path / "musician.json").write_bytes((folder / "musician.json").read_bytes())
    (tmp_path / "codec.npz").write_bytes((folder / "composer.npz").read_bytes())
    with pytest.raises(LilDataError, match=r"codec.npz .*another network.*train"):
        load_musician(tmp_path)
    with pytest.raises(LilDataError, match="choose another folder"):
        folder_of.check_folder(folder.parent)


def test_unknown_genres_and_impossible_holes_are_told(musician):
    second = np.zeros(SAMPLE_RATE, np.float32)
    with pytest.raises(LilDataError, match="knows lofi, noise"):
        next(music.compose(musician, Piece(genre="house")))
    with pytest.raises(LilDataError, match=r"within the 1\.0 s"):
        next(music.compose(musician, Piece(), start=second, hole=(0.5, 2)))
    with pytest.raises(LilDataError, match="2 s are needed"):
        next(music.compose(musician, Piece(keep_s=2), start=second))


def test_any_length_and_any_number_of_pieces(musician):
    piece = Piece(genre="lofi", seconds=7.0)
    *_, written = music.compose(musician, piece, Sampling(seed=3), count=18)
    assert written.finished.shape == (18, music.steps_of(7.0), 3)
    image, sound = music.perform(musician.codec, written.finished[0], 7.0)
    assert image.shape == (631, 883)
    assert len(sound) == 7 * SAMPLE_RATE
    *_, again = music.compose(musician, piece, Sampling(seed=3), count=18)
    np.testing.assert_array_equal(again.finished, written.finished)


def test_the_command_writes_files_from_nothing_on_from_a_file_and_into_it(folder, clip, tmp_path):
    common = ["generate", "--genre", "lofi", str(folder)]
    assert main([*common, str(tmp_path / "a.wav"), "--seconds", "2"]) == 0
    assert audio.info(tmp_path / "a.wav").duration_s == pytest.approx(2, abs=0.01)
    many = ["--count", "2", "--out", str(tmp_path / "many"), "--seconds", "1"]
    assert main([*common, *many]) == 0
    assert sorted(path.name for path in (tmp_path / "many").glob("*.wav")) == [
        "lofi-001.wav",
        "lofi-002.wav",
    ]
    start = ["--start", str(clip)]
    assert main([*common, str(tmp_path / "on.wav"), *start, "--seconds", "3"]) == 0
    assert main([*common, str(tmp_path / "in.wav"), *start, "--fill", "2-4"]) == 0
    assert audio.info(tmp_path / "in.wav").duration_s == pytest.approx(5, abs=0.01)
    record = json.loads((tmp_path / "in.json").read_text())
    assert (record["start"], record["fill"]) == (str(clip), [2, 4])


def test_wrong_requests_are_told(folder, tmp_path, capsys):
    assert main(["generate", str(folder), str(tmp_path / "a.wav"), "--fill", "1-2"]) == 1
    assert "--fill needs --start" in capsys.readouterr().err
    for wrong in (["--fill", "4-2", "a.wav"], [], ["--count", "2", "a.wav"]):
        with pytest.raises(SystemExit):
            main(["generate", *wrong])
    (tmp_path / "other.wav").write_bytes(b"somebody's")
    assert main(["generate", str(folder), str(tmp_path / "other.wav")]) == 1


@pytest.mark.slow
def test_a_musician_learns_by_one_command_and_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("lildata_utils.learning.settings.TRACK_S", 6.0)
    out = tmp_path / "musician"
    command = ["musician", str(out), "--genres", "lofi,noise", "--tracks", "1", "--workers", "1"]
    command += ["--codec-steps", "4", "--tokens", "2", "--levels", "4,4"]
    command += ["--layers", "1", "--width", "16", "--heads", "2", "--context", "16"]
    assert main([*command, "--composer-steps", "2"]) == 0
    about = json.loads((out / "musician.json").read_text())
    assert about["history"]["composer"][-1]["step"] == 2
    assert main([*command, "--composer-steps", "4"]) == 0
    assert main(["generate", str(out), str(tmp_path / "a.wav"), "--seconds", "1"]) == 0
    capsys.readouterr()
    assert main([*command, "--composer-steps", "4", "--seed", "7"]) == 1
    assert "other settings" in capsys.readouterr().err
