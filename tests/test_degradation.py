"""Music through a room, noise and a codec: what each of them must leave behind."""

import numpy as np
import pytest

from lildata_utils.clips.degraded import degrade_collection
from lildata_utils.crate.degradation import degrade
from lildata_utils.errors import LilDataError
from lildata_utils.sound import audio
from lildata_utils.sound.spectrogram import SAMPLE_RATE, magnitude

TIME_S = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
TONE = (0.3 * np.sin(2 * np.pi * 1050 * TIME_S)).astype(np.float32)
TONE_BIN = 60


def level_db(waveform):
    return 20 * np.log10(np.sqrt(np.mean(np.square(waveform))))


def test_music_stays_and_noise_comes():
    worn = degrade(TONE, seed=1)
    assert worn.shape == TONE.shape
    assert worn.dtype == np.float32
    assert np.abs(worn).max() <= 1
    assert level_db(worn) == pytest.approx(level_db(TONE), abs=0.1)
    before, after = (magnitude(x).mean(axis=1) for x in (TONE, worn))
    assert after.argmax() == TONE_BIN
    # The rest of the spectrum is far below the tone before, and within the noise's range after.
    rest = np.r_[100:400]
    assert 20 * np.log10(np.median(after[rest]) / np.median(before[rest])) > 20


def test_a_room_rings_on():
    burst = np.where(TIME_S < 0.5, TONE, 0)
    worn = degrade(burst, seed=3)
    decay = [level_db(worn[int(s * SAMPLE_RATE) :][:2205]) for s in (0.3, 0.55, 1.5)]
    assert decay[0] > decay[1] > decay[2]
    tone = magnitude(worn)[TONE_BIN]
    frames_a_second = len(tone) / 2
    assert tone[int(0.6 * frames_a_second)] > 5 * tone[int(1.8 * frames_a_second)]


def test_the_seed_decides():
    np.testing.assert_array_equal(degrade(TONE, 5), degrade(TONE, 5))
    assert not np.allclose(degrade(TONE, 5), degrade(TONE, 6), atol=1e-3)


def test_silence_stays_silent():
    np.testing.assert_array_equal(degrade(np.zeros(1000)), 0)


@pytest.mark.parametrize("waveform", [np.zeros(0), np.zeros((2, 1000))])
def test_what_is_no_waveform_is_refused(waveform):
    with pytest.raises(LilDataError, match=r"expected mono, \(samples,\)"):
        degrade(waveform)


def test_a_collection_is_degraded_once_and_keeps_its_names(tmp_path):
    source, out = tmp_path / "music", tmp_path / "worn"
    (source / "house").mkdir(parents=True)
    for name in ("one", "two"):
        audio.write(source / "house" / f"{name}.flac", TONE)
    (source / "house" / "tracks.csv").write_text("file,artist\none.flac,A\ntwo.flac,B\n")
    assert list(degrade_collection(source, out))[-1] == (2, 2)
    files = sorted(out.rglob("*.flac"))
    assert [path.name for path in files] == ["one.flac", "two.flac"]
    assert (out / "house/tracks.csv").read_text() == (source / "house/tracks.csv").read_text()
    first, second = (audio.read(path) for path in files)
    assert not np.allclose(first, second, atol=1e-3)  # each track has a room of its own
    times = [path.stat().st_mtime_ns for path in files]
    assert list(degrade_collection(source, out)) == [(2, 2)]
    assert [path.stat().st_mtime_ns for path in files] == times


def test_no_tracks_is_one_line(tmp_path):
    with pytest.raises(LilDataError, match="has no tracks: expected"):
        next(degrade_collection(tmp_path, tmp_path / "out"))
