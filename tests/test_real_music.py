"""Real recordings: a folder with a folder per genre, named by the variable LILDATA_MUSIC."""

import json
import os
import shutil
from pathlib import Path

import librosa
import numpy as np
import pytest

from lildata_utils.cli.main import main
from lildata_utils.clips import dataset
from lildata_utils.genre.listening import classify_file, classify_files
from lildata_utils.sound import audio, inversion, spectrogram, tags

MUSIC = os.environ.get("LILDATA_MUSIC")

pytestmark = pytest.mark.skipif(
    not MUSIC, reason="LILDATA_MUSIC names no folder of recordings (a folder per genre)"
)


def files():
    kinds = {".mp3", ".ogg", ".flac", ".wav"}
    return sorted(path for path in Path(MUSIC).rglob("*") if path.suffix in kinds)


def test_recordings_are_read_as_librosa_reads_them():
    for path in files()[::20]:
        ours = audio.read(path, start_s=10, duration_s=5)
        theirs, _ = librosa.load(path, sr=22_050, offset=10, duration=5, mono=True)
        # The resamplers start differently; what follows is the same.
        np.testing.assert_allclose(ours[2000:], theirs[2000 : len(ours)], atol=5e-3)
        expected = librosa.stft(ours, n_fft=1260, hop_length=175)
        np.testing.assert_allclose(spectrogram.stft(ours), expected, atol=1e-4)


def test_images_keep_the_level_of_recordings():
    for path in files()[::8]:
        magnitude = spectrogram.magnitude(audio.read(path, 20, 5))
        image, peak = spectrogram.magnitude_to_image(magnitude)
        back = spectrogram.image_to_magnitude(image, peak)
        change_db = 10 * np.log10((back**2).sum() / (magnitude**2).sum())
        assert abs(change_db) < 0.1


@pytest.mark.slow
def test_the_main_job_on_recordings(tmp_path, capsys):
    """From a folder of recordings to a genre, as a user would type it."""
    data = tmp_path / "data"
    assert main(["prepare", MUSIC, str(data), "--limit", "80"]) == 0
    clips = dataset.load(data).clips
    assert len(clips["track"].unique()) == len(files())
    assert clips.groupby(["genre", "track"])["split"].nunique().max() == 1
    assert (data / "skipped.csv").read_text().splitlines() == ["file,start_s,reason"]

    for network, epochs in {"softmax": "10", "cnn": "8"}.items():
        run = tmp_path / network
        assert main(["train", network, str(data), "--out", str(run), "--epochs", epochs]) == 0
        assert main(["test", str(run), str(data)]) == 0
        report = json.loads((run / "reports/test/report.json").read_text())
        assert report["accuracy"] > report["majority_accuracy"] + 0.1
        low, high = report["interval95"]
        assert low <= report["accuracy"] <= high

    capsys.readouterr()
    assert main(["classify", str(files()[0]), "--run", str(tmp_path / "cnn"), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert result["genre"] in dataset.load(data).genres
    assert len(result["clips"]) == 15


def test_recordings_are_heard_alike_alone_and_in_a_library(tmp_path):
    some = files()[::9]
    together = {step.file: step.ended for step in classify_files(some) if step.file}
    for path in some:
        assert together[path].seconds == pytest.approx(audio.info(path).duration_s, abs=0.1)
        alone = classify_file(path).probabilities
        np.testing.assert_allclose(together[path].probabilities, alone, atol=1e-4)


def test_recordings_get_tags_and_sound_the_same(tmp_path):
    for path in files()[::20]:
        copy = tmp_path / path.name
        shutil.copyfile(path, copy)
        before = tags.read_genre(copy)
        tags.write_genre(copy, "house")
        assert tags.read_genre(copy) == "house" != before
        np.testing.assert_array_equal(audio.read(copy), audio.read(path))


def test_recordings_are_inverted_closer_from_our_start_than_from_random_phases():
    gains_db = []
    for path in files()[3::12]:
        target = spectrogram.magnitude(audio.read(path, 30, 5))
        reached = {}
        for start in ("multiresolution", "random"):
            *_, step = inversion.invert(target, phase=start, iterations=32)
            reached[start] = float(step.convergence_db())
        gains_db.append(reached["random"] - reached["multiresolution"])
    assert np.mean(gains_db) > 5
    assert min(gains_db) > 0
