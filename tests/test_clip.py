"""Five seconds of a music file, or a clear line."""

import numpy as np
import pytest

from lildata_utils.errors import LilDataError
from lildata_utils.sound import audio
from lildata_utils.sound.clip import read_clip
from lildata_utils.sound.spectrogram import SAMPLE_RATE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    hiss = 0.1 * np.random.default_rng(0).standard_normal(8 * SAMPLE_RATE)
    audio.write(folder / "whole.wav", hiss)
    audio.write(folder / "short.wav", hiss[: 3 * SAMPLE_RATE])
    audio.write(folder / "silent.wav", 0 * hiss)
    (folder / "broken.mp3").write_text("no music " * 100)
    return folder


def test_a_clip_has_its_waveform_picture_and_peak(folder):
    clip = read_clip(folder / "whole.wav", 1.5)
    heard = audio.read(folder / "whole.wav", 1.5, 5.0)
    np.testing.assert_array_equal(clip.waveform, heard)
    assert clip.image.shape == (631, 631)
    assert clip.image.max() == 255
    assert clip.peak > 0


@pytest.mark.parametrize(
    ("name", "start_s", "words"),
    [
        ("short.wav", 0.0, "3.0 s long; 5 s are needed from 0 s on"),
        ("whole.wav", 4.0, "8.0 s long; 5 s are needed from 4 s on"),
        ("silent.wav", 0.0, "silent from 0 s on"),
        ("broken.mp3", 0.0, "broken.mp3"),
        ("gone.wav", 0.0, "gone.wav"),
        ("whole.wav", -3.0, "a start of -3.0 s; expected 0 or more"),
        ("whole.wav", float("nan"), "a start of nan s"),
    ],
)
def test_a_clip_that_can_not_be_used_gets_a_clear_line(folder, name, start_s, words):
    with pytest.raises(LilDataError, match=words):
        read_clip(folder / name, start_s)
