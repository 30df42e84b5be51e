"""The page that listens: what it hears and shows, how far it is to be believed, what it keeps."""

import io
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import soundfile
from uploads import flac, upload, wait

from lildata_utils.genre import listening
from lildata_utils.genre.listening import Verdict
from lildata_utils.show.listening_panel import CHOOSE, ListeningPanel, _clip_words, _verdict_words
from lildata_utils.sound import audio

NOISE = np.clip(0.1 * np.random.default_rng(0).standard_normal(12 * 22_050), -1, 1)
ADDRESS = "blob:http://127.0.0.1/1"
SURE = Verdict(
    Path("a.mp3"),
    15.0,
    ("future_bass", "house"),
    np.float32([[0.1, 0.9], [0.2, 0.8], [0.6, 0.4]]),
    np.float32([0.3, 0.7]),
    np.float32([0.5, 0.7, 1.2]),
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    for name, sound in (("one", NOISE), ("two", NOISE[::-1])):
        audio.write(folder / f"{name}.flac", sound)
    return {path.stem: path for path in sorted(folder.glob("*.flac"))}


@pytest.fixture
def panel(files, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return ListeningPanel(files)


def heard(panel, clips):
    wait(lambda: f"Heard {clips} clips" in panel.message.value)


def test_it_hears_nothing_until_somebody_looks_and_then_the_first(panel, files):
    assert panel.verdict is None
    assert panel.timeline.shown == 0
    panel.upload._take(None, "shown", [])
    heard(panel, 2)
    assert panel.verdict.file == files["one"]
    timeline = panel.timeline
    assert (timeline.title, timeline.shown) == ("one", 1)
    assert (timeline.axis["end_s"], len(timeline.axis["words"])) == (10, 2)
    samples, rate = soundfile.read(io.BytesIO(timeline.sound))
    assert len(samples) / rate == pytest.approx(12, abs=0.1)
    # The axis of the time ends where the picture turns from a genre's colour to white.
    row = np.asarray(PIL.Image.open(io.BytesIO(timeline.picture)).convert("RGB"))[250].astype(int)
    left, right = (round(timeline.axis[side] * len(row)) for side in ("left", "right"))
    assert (row[left + 4 : right - 4].min(axis=1) < 250).all()
    assert (row[[left - 4, right + 4]] > 250).all()


def test_an_upload_is_heard_from_the_browser_s_own_copy_and_not_kept(panel, tmp_path):
    upload(panel, "my song.flac", flac(NOISE), address=ADDRESS)
    heard(panel, 2)
    timeline = panel.timeline
    assert (timeline.title, timeline.sound, timeline.address) == ("my song.flac", b"", ADDRESS)
    assert panel.picker.label == CHOOSE
    assert list(tmp_path.iterdir()) == []
    panel.picker.label = "two"
    wait(lambda: timeline.title == "two")
    assert timeline.address == ""
    assert timeline.sound


def test_an_address_elsewhere_is_not_believed(panel):
    upload(panel, "a.flac", flac(NOISE), address="https://elsewhere.example/a.mp3")
    heard(panel, 2)
    assert panel.timeline.address == ""
    assert panel.timeline.sound


@pytest.mark.parametrize(
    ("data", "words"), [(b"fLaC and no more", "broken.flac: corrupt"), (b"", "broken.flac: empty")]
)
def test_what_can_not_be_heard_is_one_line_and_changes_nothing(panel, tmp_path, data, words):
    upload(panel, "song.flac", flac(NOISE))
    heard(panel, 2)
    before = panel.verdict
    upload(panel, "broken.flac", data)
    wait(lambda: words in panel.message.value)
    assert panel.verdict is before
    assert panel.timeline.title == "song.flac"
    assert list(tmp_path.iterdir()) == []


def test_of_two_wishes_the_newer_one_is_granted(panel):
    with panel._computing:  # somebody else computes
        panel.picker.label = "one"
        panel.picker.label = "two"
    heard(panel, 2)
    assert panel.timeline.title == "two"
    assert panel.timeline.shown == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_is_seen(panel, monkeypatch):
    monkeypatch.setattr(listening, "classify_files", lambda paths: iter([1 / 0]))
    panel.picker.label = "one"
    wait(lambda: "division" in panel.message.value)


def test_it_says_winner_runner_up_and_how_far_to_believe_them():
    words = _verdict_words(SURE)
    assert ">House<" in words
    assert "house 70%, then future bass 30%" in words
    assert "1 of 3 clips are unlike anything it learned" in words
    assert list(_clip_words(SURE)) == [
        "0:00 house 90%, then future bass 10%",
        "0:05 house 80%, then future bass 20%",
        "0:10 future bass 60%, then house 40%, unlike anything it learned",
    ]
    assert "can't tell what is strange" in _verdict_words(replace(SURE, strangeness=None))
    unsure = replace(SURE, overall=np.float32([0.45, 0.40]))
    assert "It is not sure" in _verdict_words(unsure)


def test_what_is_unlike_anything_it_learned_is_no_genre():
    words = _verdict_words(replace(SURE, strangeness=np.float32([1.5, 1.1, 0.9])))
    assert ">Unlike anything it learned<" in words
    assert "nearest: house 70%" in words
    assert "believe" in words
