import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from lildata_utils.errors import LilDataError
from lildata_utils.sound import audio

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None,
    reason="ffmpeg is not installed",
)


def tone(frequency_hz=440, seconds=2.0, rate=22_050, amplitude=0.5):
    time_s = np.arange(round(seconds * rate)) / rate
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def frequency_of(waveform, rate=22_050):
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return spectrum.argmax() * rate / len(waveform)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_channels_become_mono_at_22050(tmp_path, rate, channels):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.tile(tone(rate=rate)[:, None], channels), rate)
    waveform = audio.read(path)
    assert waveform.dtype == np.float32
    assert len(waveform) == pytest.approx(2 * 22_050, abs=2)
    assert frequency_of(waveform) == pytest.approx(440, abs=1)
    assert np.abs(waveform).max() == pytest.approx(0.5, abs=0.02)
    assert audio.info(path) == audio.AudioInfo(2.0, rate, channels)


def test_channels_are_averaged(tmp_path):
    left, right = tone(440), tone(1000)
    soundfile.write(tmp_path / "a.wav", np.stack([left, right], axis=1), 22_050, "FLOAT")
    np.testing.assert_allclose(audio.read(tmp_path / "a.wav"), (left + right) / 2, atol=1e-6)


def test_blocks_join_to_what_one_resampling_gives(tmp_path, monkeypatch):
    waveform = np.random.default_rng(0).standard_normal(44_100 * 3).astype(np.float32) / 10
    soundfile.write(tmp_path / "a.wav", waveform, 44_100, "FLOAT")
    whole = audio.read(tmp_path / "a.wav")
    monkeypatch.setattr(audio, "BLOCK_S", 0.37)
    blocks = list(audio.read_blocks(tmp_path / "a.wav"))
    assert len(blocks) > 8
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-6)


def test_a_section_is_the_same_as_the_slice(tmp_path):
    waveform = tone(seconds=6)
    audio.write(tmp_path / "a.flac", waveform)
    section = audio.read(tmp_path / "a.flac", start_s=2, duration_s=3)
    np.testing.assert_allclose(section, waveform[44_100 : 5 * 22_050], atol=1e-4)
    assert len(audio.read(tmp_path / "a.flac", start_s=99)) == 0


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_write_and_encode_keep_length_pitch_and_level(tmp_path, kind):
    waveform = tone(seconds=3)
    path = tmp_path / f"a.{kind}"
    audio.write(path, waveform)
    (tmp_path / f"b.{kind}").write_bytes(audio.encode(waveform, kind))
    for name in (f"a.{kind}", f"b.{kind}"):
        back = audio.read(tmp_path / name)
        assert len(back) == pytest.approx(len(waveform), abs=1200)
        assert frequency_of(back) == pytest.approx(440, abs=1)
        middle = back[22_050:44_100]
        assert np.sqrt((middle**2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)
    assert not list(tmp_path.glob(".*"))


def test_minutes_of_ogg_do_not_crash(tmp_path):
    audio.write(tmp_path / "a.ogg", np.zeros(22_050 * 150, np.float32))
    assert audio.info(tmp_path / "a.ogg").duration_s == pytest.approx(150, abs=0.1)


def test_above_full_scale_is_clipped_not_wrapped(tmp_path):
    audio.write(tmp_path / "a.wav", np.full(100, 1.5))
    assert audio.read(tmp_path / "a.wav").min() > 0.99


def test_a_player_is_a_tenth_of_a_wav():
    waveform = np.random.default_rng(0).standard_normal(110_250) / 10
    assert len(audio.encode(waveform)) < len(audio.encode(waveform, "wav")) / 5


def test_writing_an_unknown_format_names_the_known_ones(tmp_path):
    with pytest.raises(LilDataError, match="flac"):
        audio.write(tmp_path / "a.xyz", tone())


def make_bad(folder, name):
    path = folder / name
    if name == "text.mp3":
        path.write_text("not music " * 500)
    elif name == "notes.txt":
        path.write_text("not music")
    elif name == "empty.wav":
        path.touch()
    elif name == "folder.wav":
        path.mkdir()
    elif name == "gone.flac":
        path.symlink_to(folder / "nowhere")
    elif name == "nan.wav":
        waveform = tone()
        waveform[22_050] = np.nan
        soundfile.write(path, waveform, 22_050, "FLOAT")
    elif name == "huge.wav":
        soundfile.write(path, tone() * np.float32(1e30), 22_050, "FLOAT")
    return path


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("text.mp3", "corrupt: named as audio/mpeg"),
        ("notes.txt", "not audio"),
        ("empty.wav", "0 bytes"),
        ("folder.wav", "a folder"),
        ("gone.flac", "unreadable"),
        ("nan.wav", r"not numbers.* at 1\.00 s"),
        ("huge.wav", "far above full scale"),
    ],
)
def test_bad_files_say_why_in_one_line(tmp_path, capfd, name, reason):
    path = make_bad(tmp_path, name)
    with pytest.raises(audio.AudioError, match=reason) as caught:
        audio.info(path)
        audio.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_truncated_mp3_gives_what_is_there_and_says_so_in_one_line(tmp_path, capfd):
    data = audio.encode(tone(seconds=20))
    (tmp_path / "a.mp3").write_bytes(data[: len(data) // 2])
    waveform = audio.read(tmp_path / "a.mp3")
    assert 8 < len(waveform) / 22_050 < 12
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].endswith("a.mp3: ends early: 9.8 s of 20.0 s; what was there is used")


@needs_ffmpeg
def test_ffmpeg_reads_what_libsndfile_does_not(tmp_path):
    audio.write(tmp_path / "a.wav", tone(seconds=3))
    path = tmp_path / "a:b 🎵.m4a"
    command = ["ffmpeg", "-v", "error", "-i", str(tmp_path / "a.wav"), f"file:{path}"]
    subprocess.run(command, check=True)
    assert audio.info(path).duration_s == pytest.approx(3, abs=0.1)
    waveform = audio.read(path)
    assert frequency_of(waveform[: 2 * 22_050]) == pytest.approx(440, abs=1)
    assert len(audio.read(path, start_s=1, duration_s=1)) == pytest.approx(22_050, abs=1100)


def test_without_ffmpeg_the_error_names_it(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(audio.AudioError, match="install ffmpeg"):
        audio.info(make_bad(tmp_path, "text.mp3"))
