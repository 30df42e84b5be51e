"""Transfers from file to file: the same result everywhere, resumed batches, bad input."""

import json

import numpy as np
import pytest
import soundfile

from lildata_utils.cli import main as cli
from lildata_utils.cli.main import main
from lildata_utils.errors import LilDataError
from lildata_utils.sound import audio
from lildata_utils.sound import spectrogram as sg
from lildata_utils.sound.clip import read_clip
from lildata_utils.sound.pictures import read_picture
from lildata_utils.transfer import style_transfer, transfers
from lildata_utils.transfer.transfers import Settings


def music(seconds, tilt, seed=0):
    time_s = np.arange(int(seconds * sg.SAMPLE_RATE)) / sg.SAMPLE_RATE
    tones = sum(np.sin(2 * np.pi * f * time_s) / 6 for f in (220, 440, 1760))
    hiss = np.random.default_rng(seed).standard_normal(len(time_s))
    return (0.3 * tones + tilt * hiss).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("transfers")
    soundfile.write(folder / "calm.wav", music(8, 0.001), sg.SAMPLE_RATE)
    soundfile.write(folder / "dense.wav", music(8, 0.1), sg.SAMPLE_RATE)
    soundfile.write(folder / "short.wav", music(3, 0.01), sg.SAMPLE_RATE)
    soundfile.write(folder / "silent.wav", np.zeros(8 * sg.SAMPLE_RATE), sg.SAMPLE_RATE)
    (folder / "broken.mp3").write_text("no music " * 100)
    return folder


def test_the_command_line_offers_what_there_is():
    assert tuple(style_transfer.OPTIMIZERS) == cli.OPTIMIZERS


@pytest.mark.parametrize(
    ("name", "start_s", "words"),
    [
        ("short.wav", 0.0, "3.0 s long; 5 s are needed from 0 s on"),
        ("calm.wav", 4.0, "8.0 s long; 5 s are needed from 4 s on"),
        ("silent.wav", 0.0, "silent from 0 s on"),
        ("broken.mp3", 0.0, "broken.mp3"),
        ("gone.wav", 0.0, "gone.wav"),
        ("calm.wav", -3.0, "a start of -3.0 s; expected 0 or more"),
        ("calm.wav", float("nan"), "a start of nan s"),
    ],
)
def test_a_clip_that_can_not_be_used_gets_a_clear_line(folder, name, start_s, words):
    with pytest.raises(LilDataError, match=words):
        read_clip(folder / name, start_s)


def test_an_unchanged_picture_sounds_like_the_content(folder):
    content = read_clip(folder / "calm.wav", 1.0)
    sounds = {
        phase: transfers.to_sound(content.image, content, phase) for phase in transfers.PHASES
    }
    assert np.corrcoef(sounds["content"], content.waveform)[0, 1] > 0.95
    for sound in sounds.values():
        assert np.std(sound) == pytest.approx(np.std(content.waveform), rel=0.05)
    with pytest.raises(LilDataError, match="'magic' is unknown"):
        transfers.to_sound(content.image, content, "magic")


def test_weights_belong_to_vgg(folder):
    with pytest.raises(LilDataError, match="is for vgg19, not for lil_data"):
        transfers.load_network("lil_data", folder / "weights.h5")
    with pytest.raises(LilDataError, match="nowhere"):
        transfers.load_network(str(folder / "nowhere"))


def test_the_command_gives_what_the_function_gives_and_its_record_reproduces_it(folder, capsys):
    out = folder / "out" / "mine.wav"
    command = ["transfer", str(folder / "calm.wav"), str(folder / "dense.wav"), str(out)]
    assert main([*command, "--content-start", "1.5", "--iterations", "3", "--beta", "900"]) == 0
    assert "network: Lil Data" in capsys.readouterr().out

    settings = transfers.read_settings(out.with_suffix(".json"))
    assert (settings.content_start_s, settings.beta, settings.iterations) == (1.5, 900.0, 3)
    clips = [read_clip(folder / f"{name}.wav", s) for name, s in (("calm", 1.5), ("dense", 0.0))]
    network = transfers.load_network(settings.network)
    *_, step = transfers.transfer_clips(*clips, network, settings)
    np.testing.assert_array_equal(read_picture(out.with_suffix(".png")), np.rint(step.image))
    sound = transfers.to_sound(step.image, clips[0], settings.phase)
    np.testing.assert_allclose(audio.read(out), sound, atol=1e-4)

    record = json.loads(out.with_suffix(".json").read_text())
    assert record["weights"] == network.weights
    assert record["end"]["total_cost"] < record["start"]["total_cost"]
    assert record["copy of the content"]["onsets of content"] == pytest.approx(1)
    assert record["measures"]["centroid (Hz)"] > 0
    assert sum(record["lil_data_says"].values()) == pytest.approx(1, abs=0.01)


def test_a_batch_resumes_and_a_bad_pair_stops_no_other(folder, capsys):
    pairs = folder / "pairs.csv"
    pairs.write_text(
        "content,style,style_start_s,name\n"
        "calm.wav,dense.wav,0.5,first\n"
        "calm.wav,broken.mp3,,second\n"
        "dense.wav,calm.wav,,\n"
    )
    out = folder / "batch"
    command = ["transfer", "--pairs", str(pairs), str(out), "--iterations", "1"]
    assert main(command) == 1
    assert "broken.mp3" in capsys.readouterr().err
    files = sorted(path.name for path in out.iterdir())
    assert files == [f"{n}.{s}" for n in ("dense as calm", "first") for s in ("json", "png", "wav")]
    before = (out / "first.json").stat().st_mtime_ns

    pairs.write_text(pairs.read_text().replace("broken.mp3", "dense.wav"))
    assert main(command) == 0
    assert "2 of 3 were there" in capsys.readouterr().out
    assert (out / "first.json").stat().st_mtime_ns == before
    assert (out / "second.wav").exists()
    # Other settings are other results.
    assert main([*command, "--alpha", "1"]) == 0
    assert (out / "first.json").stat().st_mtime_ns > before


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("content\ncalm.wav\n", "lacks the column"),
        ("content,style\ncalm.wav,\n", "line 2: content and style must name a file each"),
        ("content,style,content_start_s\na.wav,b.wav,soon\n", "line 2: a start must be a number"),
        ("content,style\na.wav,b.wav\na.wav,b.wav\n", "line 3: a second result 'a as b'"),
        ("content,style,name\na.wav,b.wav,../c\n", "line 2: '../c' must be a plain file name"),
        ("content,style\n", "names no pairs"),
        ("", "lacks the column"),
    ],
)
def test_a_bad_table_gets_a_clear_line(tmp_path, rows, words):
    (tmp_path / "pairs.csv").write_text(rows)
    with pytest.raises(LilDataError, match=words):
        transfers.read_pairs(tmp_path / "pairs.csv", Settings("", ""))


def test_wrong_arguments(folder, capsys):
    calm, dense = (str(folder / f"{name}.wav") for name in ("calm", "dense"))
    with pytest.raises(SystemExit) as stop:
        main(["transfer", calm, dense])
    assert stop.value.code == 2
    assert "expected CONTENT STYLE OUT" in capsys.readouterr().err
    assert main(["transfer", calm, dense, str(folder / "out.xyz")]) == 1
    assert main(["transfer", calm, dense, str(folder / "o.wav"), "--alpha", "-1"]) == 1
    assert main(["transfer", calm, dense, str(folder / "o.wav"), "--network", "gone"]) == 1
    before = (folder / "dense.wav").read_bytes()
    assert main(["transfer", calm, dense, dense]) == 1
    assert "is also an input" in capsys.readouterr().err
    assert (folder / "dense.wav").read_bytes() == before
    for taken in ("taken.png", "taken.json", "taken.wav"):
        (folder / taken).write_text("mine")
        assert main(["transfer", calm, dense, str(folder / "taken.wav")]) == 1
        assert f"{taken} is there and no result" in capsys.readouterr().err
        assert (folder / taken).read_text() == "mine"
        (folder / taken).unlink()
    assert (
        main(["transfer", calm, dense, str(folder / "o.wav"), "--alpha", "0", "--beta", "0"]) == 1
    )
    (folder / "other.json").write_text("{}")
    with pytest.raises(LilDataError, match="no settings of a transfer"):
        transfers.read_settings(folder / "other.json")
