"""Sound from strangers: what is damaged is named, and what is made to harm costs one file."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import psutil
import pytest
import soundfile

from lildata_utils.clips.prepare import prepare
from lildata_utils.errors import LilDataError
from lildata_utils.sound import audio, decoding

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None,
    reason="ffmpeg is not installed",
)
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of POSIX")


def music(seconds, rate=22_050):
    time_s = np.arange(round(seconds * rate)) / rate
    hiss = np.random.default_rng(0).standard_normal(len(time_s))
    return (0.3 * np.sin(2 * np.pi * 220 * time_s) + 0.02 * hiss).astype(np.float32)


@pytest.fixture(scope="module")
def good():
    """The bytes of 20 s of music, by format."""
    return {kind: audio.encode(music(20), kind) for kind in ("wav", "aiff", "flac", "ogg", "mp3")}


def overwritten(data, filling):
    """Overwrite a tenth in the middle."""
    middle = len(data) // 2
    return data[:middle] + filling + data[middle + len(filling) :]


DAMAGE = {
    "cut": lambda data: data[: len(data) * 85 // 100],
    "noise": lambda data: overwritten(data, np.random.default_rng(1).bytes(len(data) // 10)),
    "zeros": lambda data: overwritten(data, bytes(len(data) // 10)),
    "a tenth is gone": lambda data: data[: len(data) // 2] + data[len(data) * 6 // 10 :],
}


def read(path):
    """Read a file; give its seconds and what is told of damage."""
    told = []
    samples = sum(len(block) for block in audio.read_blocks(path, tell=told.append))
    return samples / 22_050, told


@pytest.mark.parametrize("kind", ["wav", "aiff", "flac", "ogg", "mp3"])
def test_nothing_is_told_of_good_files_and_of_tags_behind_them(tmp_path, good, kind):
    path = tmp_path / f"a.{kind}"
    for tag in (b"", b"TAG" + b"x" * 125):
        path.write_bytes(good[kind] + tag)
        seconds, told = read(path)
        assert seconds == pytest.approx(20, abs=0.1)
        assert told == []


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("kind", ["wav", "aiff", "flac", "ogg", "mp3"])
def test_damage_is_named_and_what_is_before_it_is_kept(tmp_path, good, kind, damage):
    if kind in ("wav", "aiff") and damage in ("noise", "zeros"):
        pytest.skip("samples like any others")
    path = tmp_path / f"a.{kind}"
    path.write_bytes(DAMAGE[damage](good[kind]))
    seconds, told = read(path)
    assert seconds > 9
    assert len(told) == 1
    assert told[0].startswith(("ends early: ", "damaged: "))
    if damage == "cut":
        assert told[0].startswith("ends early")
        assert seconds == pytest.approx(17, abs=1)


def test_a_section_before_the_damage_is_read_without_a_word(tmp_path, good, capfd):
    path = tmp_path / "a.wav"
    path.write_bytes(DAMAGE["cut"](good["wav"]))
    assert len(audio.read(path, 5, 5)) == 110_250
    assert capfd.readouterr().err == ""
    assert len(audio.read(path, 15, 5)) < 110_250
    assert "ends early: 17.0 s of 20.0 s" in capfd.readouterr().err


@needs_ffmpeg
@pytest.mark.parametrize("kind", ["m4a", "mkv"])
def test_damage_that_ffmpeg_meets_is_named(tmp_path, good, kind):
    (tmp_path / "a.wav").write_bytes(good["wav"])
    path = tmp_path / f"a.{kind}"
    command = ["ffmpeg", "-v", "error", "-i", str(tmp_path / "a.wav"), "-movflags", "faststart"]
    subprocess.run([*command, str(path)], check=True)
    data = path.read_bytes()
    assert read(path)[1] == []
    for damage in DAMAGE.values():
        path.write_bytes(damage(data))
        seconds, told = read(path)
        assert seconds > 5
        assert len(told) == 1


def claiming(data, samples):
    """Let a FLAC's header claim a number of samples."""
    number = (int.from_bytes(data[21:26]) & ~(2**36 - 1)) | samples
    return data[:21] + number.to_bytes(5) + data[26:]


def make_strange(folder, name, good):
    path = folder / name
    if name == "1 Hz.wav":
        soundfile.write(path, np.zeros(6000), 1)
    elif name == "fast.wav":
        soundfile.write(path, np.zeros(6000), 2_000_000)
    elif name == "wide.wav":
        soundfile.write(path, np.zeros((6000, 65)), 22_050)
    elif name == "endless.flac":
        path.write_bytes(claiming(good["flac"], 2**36 - 1))
    elif name == "pipe.wav":
        os.mkfifo(path)
    elif name == "device.wav":
        path.symlink_to("/dev/zero")
    elif name.startswith("list"):
        sound = folder / "other.wav"
        sound.write_bytes(good["wav"])
        path.write_text(
            f"ffconcat version 1.0\nfile '{sound}'\n"
            if name == "list.m4a"
            else f"#EXTM3U\n#EXTINF:20,\n{sound}\n#EXT-X-ENDLIST\n"
        )
    else:
        path.write_bytes(np.random.default_rng(2).bytes(9999))
    return path


@posix_only
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("1 Hz.wav", "a sample rate of 1 Hz: expected 2000 to 768000"),
        ("fast.wav", "a sample rate of 2000000 Hz"),
        ("wide.wav", "65 channels: expected 1 to 64"),
        ("endless.flac", "866 hours long by its header"),
        ("pipe.wav", "a device or a pipe"),
        ("device.wav", "a device or a pipe"),
        ("list.m4a", "corrupt|not audio"),
        ("list.mp4", "corrupt|not audio"),
        *((f"noise.{kind}", "corrupt|not audio") for kind in ("raw", "vox", "gsm", "au", "snd")),
    ],
)
def test_what_is_no_music_is_refused_in_one_line(tmp_path, capfd, good, name, reason):
    path = make_strange(tmp_path, name, good)
    for reading in (audio.info, audio.read):
        with pytest.raises(audio.AudioError, match=reason) as caught:
            reading(path)
        assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_flac_from_a_pipe_does_not_know_its_length(tmp_path, good):
    path = tmp_path / "a.flac"
    path.write_bytes(claiming(good["flac"], 0))
    assert audio.info(path).duration_s == 0
    assert read(path) == (20, [])


def decoders():
    children = psutil.Process().children(recursive=True)
    return [child for child in children if str(decoding.DECODER) in child.cmdline()]


@posix_only
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_crash_of_the_decoder_costs_one_file(tmp_path, monkeypatch, number):
    monkeypatch.setattr(audio, "BLOCK_S", 1.0)
    audio.write(tmp_path / "a.wav", music(60))
    blocks = audio.read_blocks(tmp_path / "a.wav")
    assert len(next(blocks)) > 0
    killed = decoders()
    for decoder in killed:
        decoder.send_signal(number)
    # An idle one that is still dying could be asked next.
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in killed):
        time.sleep(0.01)
    with pytest.raises(audio.AudioError, match=rf"decoder crashed \({number.name}\)"):
        list(blocks)
    assert audio.info(tmp_path / "a.wav").duration_s == 60


@posix_only
def test_a_decoder_that_hangs_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "BLOCK_S", 1.0)
    audio.write(tmp_path / "a.wav", music(60))
    blocks = audio.read_blocks(tmp_path / "a.wav")
    next(blocks)
    monkeypatch.setattr(decoding, "WAIT_S", 0.3)
    for decoder in decoders():
        decoder.suspend()
    with pytest.raises(audio.AudioError, match="decoder hung"):
        list(blocks)
    monkeypatch.undo()
    assert audio.info(tmp_path / "a.wav").duration_s == 60


def test_on_a_busy_machine_a_decoder_is_waited_for(tmp_path, monkeypatch):
    audio.write(tmp_path / "a.wav", music(5))
    monkeypatch.setattr(decoding, "WAIT_S", 1e-5)
    with pytest.raises(audio.AudioError, match="decoder hung"):
        audio.read(tmp_path / "a.wav")
    monkeypatch.setattr(decoding, "crowd", lambda: 1e7)
    assert len(audio.read(tmp_path / "a.wav")) == 5 * 22_050


def test_readers_work_side_by_side_and_may_stop_early(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "BLOCK_S", 1.0)
    for name in "ab":
        audio.write(tmp_path / f"{name}.wav", music(60))
    first, second = (audio.read_blocks(tmp_path / f"{name}.wav") for name in "ab")
    next(first), next(second)
    np.testing.assert_array_equal(next(first), next(second))
    busy = {decoder.pid for decoder in decoders()}
    first.close()
    second.close()
    assert not busy & {decoder.pid for decoder in decoders()}
    assert len(audio.read(tmp_path / "a.wav")) == 60 * 22_050


@posix_only
def test_a_decoder_has_limits_and_ends_with_its_parent(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.wav")
    audio.write(path, music(60))
    code = (
        "import os, sys, time\n"
        "from lildata_utils.sound import audio\n"
        "audio.BLOCK_S = 1.0\n"
        "blocks = audio.read_blocks(os.fsdecode(bytes.fromhex(sys.argv[1])))\n"
        "print(len(next(blocks)), flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, os.fsencode(path).hex()]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert int(parent.stdout.readline()) > 0
        (decoder,) = psutil.Process(parent.pid).children()
        if sys.platform == "linux":
            assert decoder.rlimit(psutil.RLIMIT_AS)[0] == 2**30
            assert decoder.rlimit(psutil.RLIMIT_CORE)[0] == 0
        parent.kill()
    # In many containers nobody reaps the dead.
    with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        decoder.wait(5)
    assert not decoder.is_running() or decoder.status() == psutil.STATUS_ZOMBIE


def test_a_full_disk_is_one_line_that_names_the_file(tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(LilDataError, match=r"a\.flac can't be written \(No space left") as caught:
        audio.write(tmp_path / "a.flac", music(1))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@posix_only
def test_no_file_stops_prepare(tmp_path, good):
    folder = tmp_path / "music/house"
    folder.mkdir(parents=True)
    strange = ["1 Hz.wav", "wide.wav", "endless.flac", "pipe.wav", "device.wav", "a.raw", "a.vox"]
    strange += ["list.m4a", os.fsdecode(b"noise \xe9.mp3")]
    for name in strange:
        make_strange(folder, name, good)
    (folder / "cut.flac").write_bytes(DAMAGE["cut"](good["flac"]))
    (folder / os.fsdecode(b"good \xe9.ogg")).write_bytes(good["ogg"])
    (folder / "good 🎧.mp3").write_bytes(good["mp3"])
    for workers in (1, 2):
        *_, last = prepare(tmp_path / "music", tmp_path / f"out {workers}", workers=workers)
        assert last.clips == 3 + 4 + 4 + 4  # and other.wav, which the list names
        assert last.left_out == len(strange) + 1
    lines = (tmp_path / "out 1/skipped.csv").read_text(encoding="utf-8").splitlines()
    assert lines == (tmp_path / "out 2/skipped.csv").read_text(encoding="utf-8").splitlines()
    assert sum("noise \\udce9.mp3" in line for line in lines) == 1


@pytest.mark.parametrize("out", ["music", "music/house", "music/new/data", "music/../music"])
def test_prepare_does_not_write_into_its_source(tmp_path, good, out):
    (tmp_path / "music/house").mkdir(parents=True)
    (tmp_path / "music/house/a.ogg").write_bytes(good["ogg"])
    with pytest.raises(LilDataError, match="only read"):
        list(prepare(tmp_path / "music", tmp_path / out))
    assert [path.name for path in tmp_path.rglob("*")] == ["music", "house", "a.ogg"]
