"""The command line: what it offers, prints and writes, and what it says when something is wrong."""

import json
import shutil
import subprocess
import sys
from dataclasses import MISSING, fields
from functools import cache

import numpy as np
import pytest

from lildata_utils.cli.main import main, make_parser
from lildata_utils.cli.options import chosen
from lildata_utils.crate.settings import Collection
from lildata_utils.generation import drawing
from lildata_utils.generation.settings import Drawing, Piece, Sampling
from lildata_utils.learning import runs
from lildata_utils.learning.settings import Apprenticeship, Training
from lildata_utils.networks.settings import SETTINGS, CodecSettings, ComposerSettings
from lildata_utils.sound import audio
from lildata_utils.sound.pictures import read_picture
from lildata_utils.sound.settings import Inversion
from lildata_utils.transfer.settings import Transfer


def add_genre(folder, genre, tilt, tracks=3, seconds=20):
    """Tracks of noise that is louder towards low or high frequencies: easy to tell apart."""
    (folder / genre).mkdir(parents=True)
    for number in range(tracks):
        noise = np.random.default_rng([number, 1 + tilt]).standard_normal(seconds * 22_050)
        spectrum = np.fft.rfft(noise)
        spectrum *= np.linspace(0.01, 1, len(spectrum)) ** (2 if tilt > 0 else -1)
        sound = np.fft.irfft(spectrum)
        audio.write(folder / genre / f"{genre} {number}.flac", 0.5 * sound / sound.max())


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "music"
    add_genre(folder, "low", tilt=0)
    add_genre(folder, "high", tilt=1)
    return folder


@pytest.fixture(scope="module")
def data(music):
    out = music.parent / "data"
    assert main(["prepare", str(music), str(out), "--workers", "1"]) == 0
    return out


@pytest.fixture(scope="module")
def run(data):
    out = data.parent / "run"
    command = ["train", "softmax", str(data), "--out", str(out), "--epochs", "8"]
    assert main([*command, "--batch-size", "4"]) == 0
    return out


@pytest.mark.parametrize("command", [["--help"], ["--version"], ["prepare", "--help"]])
def test_help_exits_with_0(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 0
    assert "lildata" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["polka"],
        ["train", "polka", "a", "--out", "b"],
        ["prepare", "a", "b", "--workers", "0"],
        ["train", "cnn", "a", "--out", "b", "--dropout", "1.5"],
        ["train", "cnn", "a", "--out", "b", "--filters", "8,x"],
        ["train", "cnn", "a", "--out", "b", "--learning-rate", "0"],
        # Options of other networks.
        ["train", "softmax", "a", "--out", "b", "--filters", "8,8,8,8"],
        ["train", "cnn", "a", "--out", "b", "--momentum", "0.9"],
        ["train", "lstm", "a", "--out", "b", "--weights", "random"],
        ["crate", "a", "--seconds", "1"],
        ["generate", "a", "b", "--temperature", "11"],
        ["invert", "a", "b", "--peak-db", "nan"],
        ["--completion", "polka"],
    ],
)
def test_wrong_arguments_exit_with_2(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert "usage:" in error
    wrong = [word for word in command if word.startswith("--") and word != "--out"]
    assert all(word in error for word in wrong)


COMMANDS = {
    "crate OUT": Collection,
    "transfer CONTENT STYLE OUT": Transfer,
    "generate RUN OUT": Drawing,
    "generate OUT": Sampling,
    "generate MUSICIAN OUT": Piece,
    "musician OUT": Apprenticeship,
    "musician FOLDER": CodecSettings,
    "musician THERE": ComposerSettings,
    "invert IN OUT": Inversion,
    **{f"train {name} DATASET --out RUN": kind for name, kind in SETTINGS.items()},
    "train softmax DATA --out RUN": Training,
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_setting_is_an_option_and_its_default_the_settings(command):
    kind = COMMANDS[command]
    needed = {f.name: "x" for f in fields(kind) if f.default is MISSING}
    parser, words = make_parser(), command.split()
    options = parser.parse_args(words)
    if command.startswith("train resnet50"):
        del options.weights  # left open: ImageNet's where they can be had
    assert chosen(options, kind, **needed) == kind(**needed)
    for one in fields(kind):
        if not one.metadata:
            continue
        name = one.metadata["option"] or one.name.replace("_", "-")
        if one.type is bool:
            assert getattr(chosen(parser.parse_args([*words, f"--{name}"]), kind), one.name)
            continue
        value = one.default if one.default is not None else 2.0
        text = ",".join(map(str, value if isinstance(value, tuple) else (value,)))
        options = parser.parse_args([*words, f"--{name}", text.removesuffix(".0")])
        assert getattr(options, one.name) == (value if one.type != str | None else "2")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_commands_options_and_choices(shell, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--completion", shell])
    assert stop.value.code == 0
    script = capsys.readouterr().out
    for word in ("transfer", "resnet50", "--content-start", "fast_griffin_lim"):
        assert word in script
    if shutil.which(shell):
        assert not subprocess.run([shell, "-n"], input=script, text=True, check=True).stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tra"], ["train", "transfer"]),
        (["train", ""], ["cnn", "listener", "lstm", "resnet50", "softmax"]),
        (["train", "cnn", "--fil"], ["--filters"]),
        (["train", "lstm", "--reading", "f"], ["fed_back"]),
        (["train", "cnn", "mus"], ["music"]),
        (["crate", "out", "--format", "w"], ["wav"]),
    ],
)
def test_bash_completes(words, expected, tmp_path, capsys):
    (tmp_path / "music").mkdir()
    with pytest.raises(SystemExit):
        main(["--completion", "bash"])
    ask = 'COMP_WORDS=("$0" "$@"); COMP_CWORD=$#; _shtab_lildata; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "-c", f"{capsys.readouterr().out}\n{ask}", "lildata", *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert sorted(done.stdout.split()) == expected, done.stderr


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["prepare", "{}/nowhere", "{}/out"], "is no folder"),
        (["train", "softmax", "{}/nowhere", "--out", "{}/run"], "no finished data set"),
        (["test", "{}/nowhere", "{}/data"], "is no run folder"),
        (["classify", "x.mp3", "--run", "{}/nowhere"], "is no run folder"),
        (["crate", "{}/out", "--genres", "polka"], "polka"),
        (["course", "--only", "99"], "99"),
    ],
)
def test_what_fails_is_one_line_and_status_1(tmp_path, capsys, command, words):
    assert main([part.format(tmp_path) for part in command]) == 1
    error = capsys.readouterr().err
    assert error.startswith("lildata: ")
    assert error.count("\n") == 1
    assert words in error


def test_a_full_disk_is_one_line(music, tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["prepare", str(music), str(tmp_path / "file"), "--workers", "1"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_check_prints_ok_or_fail_on_each_line(capsys):
    assert main(["check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 5
    assert all(line.startswith("[ok] ") for line in lines)
    assert main(["check", "--json"]) == 0
    assert all(result["ok"] for result in json.loads(capsys.readouterr().out))


def test_prepare_says_what_it_did(music, tmp_path, capsys):
    assert main(["prepare", str(music), str(tmp_path), "--limit", "4", "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert "8 clips" in out
    assert main(["prepare", str(music), str(tmp_path), "--limit", "4", "--workers", "1"]) == 0
    assert "6 files were there from an earlier run" in capsys.readouterr().out


def test_train_needs_two_genres(data, tmp_path, capsys):
    command = ["train", "softmax", str(data), "--out", str(tmp_path / "r"), "--genres", "low"]
    assert main(command) == 1
    assert "2 genres" in capsys.readouterr().err


def test_test_writes_a_report_for_machines(run, data, tmp_path, capsys):
    assert main(["test", str(run), str(data), "--out", str(tmp_path)]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    names = [
        "accuracy",
        "track_accuracy",
        "interval95",
        "genres",
        "per_genre",
        "confusion",
        "clips",
        "tracks",
    ]
    assert set(names) <= set(report)
    assert report["accuracy"] > 0.9
    assert report["tracks"] == 2
    assert np.sum(report["confusion"]) == report["clips"] == 8
    assert (tmp_path / "confusion.png").stat().st_size > 5000
    assert (tmp_path / "mistakes.csv").is_file()
    assert "clips" in capsys.readouterr().out


def test_test_replaces_only_what_it_wrote(run, data, tmp_path, capsys):
    command = ["test", str(run), str(data), "--out", str(tmp_path)]
    (tmp_path / "report.json").write_text("mine")
    assert main(command) == 1
    assert "report.json is there and no result of `lildata test`" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    (tmp_path / "report.json").unlink()
    assert main(command) == main(command) == 0


def test_classify_tells_what_plays_when(run, music, tmp_path, capsys):
    low = audio.read(music / "low/low 0.flac")
    high = audio.read(music / "high/high 0.flac")
    audio.write(tmp_path / "mix 🎧.flac", np.concatenate([low, high]))
    (tmp_path / "broken.mp3").write_text("not music")
    files = [str(tmp_path / name) for name in ("mix 🎧.flac", "broken.mp3")]
    assert main(["classify", *files, "--run", str(run), "--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    assert "broken.mp3" in printed.err
    assert "   0:00 -    0:20  low" in printed.out
    assert "   0:20 -    0:40  high" in printed.out
    assert (tmp_path / "out" / "mix 🎧.flac.png").stat().st_size > 5000
    assert main(["classify", files[0], "--run", str(run), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert [clip["genre"] for clip in result["clips"]] == ["low"] * 4 + ["high"] * 4
    assert sum(result["probabilities"].values()) == pytest.approx(1, abs=1e-3)


@pytest.fixture(scope="module")
def drawer(data):
    out = data.parent / "drawer"
    command = ["train", "lstm", str(data), "--out", str(out), "--genres", "low"]
    assert main([*command, "--layers", "1", "--units", "4", "--epochs", "1"]) == 0
    return out


@pytest.mark.slow
def test_generate_starts_from_a_file_a_clip_or_silence(
    drawer, data, music, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(runs, "load_run", cache(runs.load_run))  # compiled once, not three times
    track = str(music / "low/low 0.flac")
    starts = {
        "file": ["--start", track, "--at", "5"],
        "clip": ["--start", "low/low 0@5s", "--dataset", str(data)],
        "silence": [],
    }
    pictures = {}
    for name, start in starts.items():
        out = tmp_path / f"{name}.wav"
        assert main(["generate", str(drawer), str(out), *start]) == 0
        assert "layers of units: 1 x 4; epochs: 1" in capsys.readouterr().out
        assert len(audio.read(out)) == 110_250
        pictures[name] = read_picture(out.with_suffix(".png"))
        assert pictures[name].shape == (631, 631)
        # Heard once, they take the same way to the sound.
        monkeypatch.setattr(drawing, "drawing_to_sound", lambda _: np.zeros(110_250))
    np.testing.assert_array_equal(pictures["file"], pictures["clip"])
    assert not pictures["silence"][:, 0].any()
    assert pictures["file"][:, 0].any()


@pytest.mark.slow
def test_generate_says_what_is_wrong(drawer, run, data, tmp_path, capsys):
    out = str(tmp_path / "out.wav")

    def error_of(*command):
        assert main(list(command)) == 1
        return capsys.readouterr().err

    assert "is a run of softmax: expected one of lstm" in error_of("generate", str(run), out)
    assert "is a run of lstm" in error_of("test", str(drawer), str(data))
    assert "No such file" in error_of("generate", str(drawer), out, "--start", "nowhere.mp3")
    error = error_of("generate", str(drawer), out, "--start", "x", "--dataset", str(data))
    assert "has no clip 'x'" in error
    assert not (tmp_path / "out.wav").exists()


def test_reading_only_the_first_lines_is_no_error():
    command = f"{sys.executable} -m lildata_utils check | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stdout.startswith("[ok] Python")
    assert done.stderr == ""


@pytest.mark.slow
def test_resnet50_is_trained_and_tested(data, tmp_path, capsys):
    out = tmp_path / "run"
    command = ["train", "resnet50", str(data), "--out", str(out), "--epochs", "1"]
    assert main([*command, "--side", "32", "--learn", "head", "--weights", "random"]) == 0
    assert "first weights: random" in capsys.readouterr().out
    assert main(["test", str(out), str(data)]) == 0
    report = json.loads((out / "reports/test/report.json").read_text())
    assert report["network"] == "resnet50"
    assert report["settings"]["weights"] == "random"
    assert report["settings"]["side"] == 32


def test_resnet50s_broken_weights_are_one_line(data, tmp_path, capsys):
    broken = tmp_path / "broken.h5"
    broken.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    command = ["train", "resnet50", str(data), "--out", str(tmp_path / "run")]
    assert main([*command, "--weights", str(broken)]) == 1
    error = capsys.readouterr().err
    assert "broken.h5 can't be read as ResNet-50's weights" in error
    assert error.count("\n") == 1
