"""Transfers from file to file: the same result everywhere, resumed batches, bad input."""

import json
from dataclasses import replace

import numpy as np
import pytest

from lildata_utils.cli.main import main
from lildata_utils.errors import LilDataError
from lildata_utils.files import LIL_DATA_RUN, shown, write_json
from lildata_utils.sound import audio
from lildata_utils.sound import spectrogram as sg
from lildata_utils.sound.clip import read_clip
from lildata_utils.sound.pictures import read_picture
from lildata_utils.transfer import files
from lildata_utils.transfer.painting import paint
from lildata_utils.transfer.settings import PHASES, Transfer


def music(seconds, tilt, seed=0):
    time_s = np.arange(int(seconds * sg.SAMPLE_RATE)) / sg.SAMPLE_RATE
    tones = sum(np.sin(2 * np.pi * f * time_s) / 6 for f in (220, 440, 1760))
    hiss = np.random.default_rng(seed).standard_normal(len(time_s))
    return (0.3 * tones + tilt * hiss).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("transfers")
    audio.write(folder / "calm.wav", music(8, 0.001))
    audio.write(folder / "dense.wav", music(8, 0.1))
    (folder / "broken.mp3").write_text("no music " * 100)
    return folder


@pytest.fixture(scope="module")
def network():
    return files.load_network("lil_data")


def test_an_unchanged_picture_sounds_like_the_content(folder):
    content = read_clip(folder / "calm.wav", 1.0)
    sounds = {phase: files.painting_to_sound(content.image, content, phase) for phase in PHASES}
    assert np.corrcoef(sounds["content"], content.waveform)[0, 1] > 0.95
    for sound in sounds.values():
        assert np.std(sound) == pytest.approx(np.std(content.waveform), rel=0.05)
    with pytest.raises(LilDataError, match="phase must be one of content, picture, got 'magic'"):
        files.painting_to_sound(content.image, content, "magic")


def test_weights_belong_to_vgg(folder):
    with pytest.raises(LilDataError, match="is for vgg19, not for lil_data"):
        files.load_network("lil_data", folder / "weights.h5")
    with pytest.raises(LilDataError, match="nowhere"):
        files.load_network(str(folder / "nowhere"))


def test_the_folder_of_a_run_is_a_network(network):
    of_folder = files.load_network(str(LIL_DATA_RUN))
    assert of_folder.weights == network.weights == f"Lil Data, run {shown(LIL_DATA_RUN)}"


def test_the_command_gives_what_the_function_gives_and_its_record_reproduces_it(
    folder, network, monkeypatch, capsys
):
    monkeypatch.setattr(files, "INVERSION_ITERATIONS", 10)
    out = folder / "out" / "mine.wav"
    command = ["transfer", str(folder / "calm.wav"), str(folder / "dense.wav"), str(out)]
    assert main([*command, "--content-start", "1.5", "--iterations", "3", "--beta", "900"]) == 0
    assert "network: Lil Data" in capsys.readouterr().out

    settings = files.read_settings(out.with_suffix(".json"))
    assert (settings.content_start_s, settings.beta, settings.iterations) == (1.5, 900.0, 3)
    clips = [read_clip(folder / f"{name}.wav", s) for name, s in (("calm", 1.5), ("dense", 0.0))]
    *_, step = paint(*(clip.image for clip in clips), network, settings)
    np.testing.assert_array_equal(read_picture(out.with_suffix(".png")), np.rint(step.image))
    sound = files.painting_to_sound(step.image, clips[0], settings.phase)
    np.testing.assert_allclose(audio.read(out), sound, atol=1e-4)

    record = json.loads(out.with_suffix(".json").read_text())
    assert record["weights"] == network.weights
    assert record["end"]["total_cost"] < record["start"]["total_cost"]
    assert record["copy of the content"]["onsets of content"] == pytest.approx(1)
    assert record["measures"]["centroid (Hz)"] > 0
    assert sum(record["lil_data_says"].values()) == pytest.approx(1, abs=0.01)


@pytest.fixture
def quick(network, monkeypatch):
    """What is painted and written, not how it sounds."""
    monkeypatch.setattr(files, "load_network", lambda *_: network)
    monkeypatch.setattr(files, "INVERSION_ITERATIONS", 0)


def test_a_batch_resumes_and_a_bad_pair_stops_no_other(folder, quick, capsys):
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
    names = sorted(path.name for path in out.iterdir())
    assert names == [f"{n}.{s}" for n in ("dense as calm", "first") for s in ("json", "png", "wav")]
    before = (out / "first.json").stat().st_mtime_ns

    pairs.write_text(pairs.read_text().replace("broken.mp3", "dense.wav"))
    assert main(command) == 0
    assert "2 of 3 were there" in capsys.readouterr().out
    assert (out / "first.json").stat().st_mtime_ns == before
    assert (out / "second.wav").exists()
    # Other settings are other results.
    pairs.write_text("".join(pairs.read_text().splitlines(keepends=True)[:2]))
    assert main([*command, "--alpha", "1"]) == 0
    assert (out / "first.json").stat().st_mtime_ns > before


def test_a_stop_while_measuring_leaves_nothing_behind(folder, quick, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.measures, "describe_transfer", stop)
    clips, out = (str(folder / "calm.wav"), str(folder / "dense.wav")), folder / "stopped"
    assert main(["transfer", *clips, str(out / "a.wav"), "--iterations", "0"]) == 1
    assert "stopped; nothing half done was written" in capsys.readouterr().err
    assert not out.exists()


def earlier_record(path, optimizer):
    """Write what a version with several optimizers left, with a sound and a picture beside it."""
    settings = {"content": "a.wav", "style": "b.wav", "content_start_s": 0.0, "style_start_s": 1.0}
    settings |= {"network": "lil_data", "weights": None, "alpha": None, "beta": 900.0}
    settings |= {"iterations": 3, "optimizer": optimizer, "step_size": None, "start": "content"}
    settings |= {"phase": "content", "seed": 0}
    write_json(path, {"settings": settings, "weights": "Lil Data"})
    for suffix in (".wav", ".png"):
        path.with_suffix(suffix).write_text("there")


def test_an_earlier_versions_record_is_read_and_its_work_not_done_again(tmp_path):
    earlier_record(tmp_path / "old.json", "adam")
    settings = files.read_settings(tmp_path / "old.json")
    assert settings == Transfer(
        content="a.wav", style="b.wav", style_start_s=1.0, beta=900.0, iterations=3
    )
    assert settings.step_size == 2.0
    out = tmp_path / "old.wav"
    files.check_out(out, [])
    assert files.is_done(out, settings, "Lil Data")
    assert not files.is_done(out, settings, "VGG-19")
    assert not files.is_done(out, replace(settings, seed=1), "Lil Data")
    assert not files.is_done(tmp_path / "new.wav", settings, "Lil Data")
    out.write_text("")
    assert not files.is_done(out, settings, "Lil Data")


def test_a_record_of_an_optimizer_that_is_no_more_is_refused_in_a_line(tmp_path, capsys):
    earlier_record(tmp_path / "old.json", "lbfgs")
    with pytest.raises(LilDataError, match=r"old.json: painted by lbfgs, which is no more"):
        files.read_settings(tmp_path / "old.json")
    before = (tmp_path / "old.json").read_text()
    assert main(["transfer", "a.wav", "b.wav", str(tmp_path / "old.wav")]) == 1
    error = capsys.readouterr().err
    assert "choose another name" in error
    assert "painted by lbfgs" in error
    assert error.count("\n") == 1
    assert (tmp_path / "old.json").read_text() == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", "no settings of a transfer; expected alpha, .*, content, style"),
        ("[1]", "no settings of a transfer"),
        ('{"settings": 3}', "no settings of a transfer"),
        ('{"settings": {"content": "a.wav"}}', "no settings of a transfer"),
        ('{"settings": {"content": "a", "style": "b", "alpha": -1}}', "alpha must be at least 0"),
        ('{"settings": {"content": "a", "style": "b", "phase": "magic"}}', "phase must be one of"),
        ("{", "can't be read as JSON"),
    ],
)
def test_what_is_no_record_gets_a_clear_line(tmp_path, content, words):
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(LilDataError, match=f"other.json.*{words}"):
        files.read_settings(tmp_path / "other.json")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("content\ncalm.wav\n", "lacks the column"),
        ("content,style\ncalm.wav,\n", "line 2: content and style must name a file each"),
        ("content,style,content_start_s\na.wav,b.wav,soon\n", "line 2: a start must be a number"),
        (
            "content,style,style_start_s\na.wav,b.wav,-1\n",
            "line 2: style_start_s must be from 0 to 1000000",
        ),
        ("content,style,style_start_s\na.wav,b.wav,nan\n", "line 2: style_start_s must be from"),
        ("content,style\na.wav,b.wav\na.wav,b.wav\n", "line 3: a second result 'a as b'"),
        ("content,style,name\na.wav,b.wav,../c\n", "line 2: '../c' must be a plain, short"),
        (
            f"content,style,name\na.wav,b.wav,{'c' * 300}\n",
            "line 2: 'ccc.*' must be a plain, short",
        ),
        ("content,style\na\0.wav,b.wav\n", "line 2: content and style must name a file"),
        ("content,style\n", "names no pairs"),
        ("", "lacks the column"),
    ],
)
def test_a_bad_table_gets_a_clear_line(tmp_path, rows, words):
    (tmp_path / "pairs.csv").write_text(rows)
    with pytest.raises(LilDataError, match=words):
        files.read_pairs(tmp_path / "pairs.csv", Transfer(content="", style=""))


def test_a_table_of_pairs_shares_the_other_settings(tmp_path):
    (tmp_path / "pairs.csv").write_text("content,style,content_start_s\na.wav,b.wav,1.5\n")
    common = Transfer(content="", style="", alpha=3.0)
    assert files.read_pairs(tmp_path / "pairs.csv", common) == {
        "a as b": Transfer(
            content=str(tmp_path / "a.wav"),
            style=str(tmp_path / "b.wav"),
            content_start_s=1.5,
            alpha=3.0,
        )
    }


def status_of(*command):
    try:
        return main(["transfer", *map(str, command)])
    except SystemExit as stop:
        return stop.code


def test_wrong_arguments(folder, quick, capsys):
    calm, dense, out = (folder / name for name in ("calm.wav", "dense.wav", "o.wav"))
    assert status_of(calm, dense) == 2
    assert "expected CONTENT STYLE OUT" in capsys.readouterr().err
    assert status_of("--pairs", folder / "pairs.csv", calm, dense) == 2
    assert "expected OUT with --pairs" in capsys.readouterr().err
    assert status_of(calm, dense, folder / "out.xyz") == 1
    for option, value in (
        ("--alpha", "-1"),
        ("--beta", "1e12"),
        ("--step-size", "0"),
        ("--iterations", "1.5"),
        ("--content-start", "nan"),
        ("--start", "middle"),
        ("--optimizer", "adam"),
    ):
        assert status_of(calm, dense, out, option, value) == 2
        assert option in capsys.readouterr().err
    assert status_of(calm, dense, out, "--alpha", "0", "--beta", "0") == 1
    assert "both 0" in capsys.readouterr().err
    assert not out.exists()


def test_a_network_that_is_not_there(folder, capsys):
    calm, dense, out = (folder / name for name in ("calm.wav", "dense.wav", "o.wav"))
    assert status_of(calm, dense, out, "--network", "gone") == 1
    assert "gone" in capsys.readouterr().err


def test_nothing_else_is_written_over(folder, capsys):
    calm, dense = folder / "calm.wav", folder / "dense.wav"
    before = dense.read_bytes()
    assert status_of(calm, dense, dense) == 1
    assert "is also an input" in capsys.readouterr().err
    assert dense.read_bytes() == before
    for taken in ("taken.png", "taken.json", "taken.wav"):
        (folder / taken).write_text("mine")
        assert status_of(calm, dense, folder / "taken.wav") == 1
        assert f"{taken} is there and no result" in capsys.readouterr().err
        assert (folder / taken).read_text() == "mine"
        (folder / taken).unlink()
