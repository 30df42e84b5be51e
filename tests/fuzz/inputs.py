"""An input: files, and a command that reads them. A kind, a seed and a number name it."""

import base64
import json
import os
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from . import assets as good
from . import mutators as m
from .mutators import Rng, pick

LEAST_LOST = 0.1  # what is cut or overwritten by more must be named
CLI = "lildata"


@dataclass(frozen=True)
class Input:
    """What is read, and by what.

    In the words of the command ``{folder}`` stands for where `files` lie, ``{assets}`` for the good
    files. `links` are names in the folder that point into the good files.
    """

    kind: str
    command: list[str]
    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    subject: str = ""  # the file that was damaged
    must_be_named: bool = False  # its damage is such that silence would be wrong
    note: str = ""

    def write(self, folder: Path, assets: Path) -> None:
        """Write the files below a folder."""
        for name, target in self.links.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(assets / target)
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def with_subject(self, data: bytes) -> "Input":
        """Give the same with other bytes of the damaged file."""
        return replace(self, files=self.files | {self.subject: data})

    def to_json(self) -> str:
        """Write it as a case file."""
        packed = {name: pack(data) for name, data in self.files.items()}
        return json.dumps(asdict(self) | {"files": packed}, indent=1) + "\n"


def from_json(text: str) -> Input:
    """Read a case file."""
    content = json.loads(text)
    files = {name: unpack(data) for name, data in content.pop("files").items()}
    return Input(**content, files=files)


def pack(data: bytes) -> str:
    """Write bytes as text, short."""
    return base64.b85encode(zlib.compress(data, 9)).decode()


def unpack(text: str) -> bytes:
    """Undo `pack`."""
    return zlib.decompress(base64.b85decode(text))


@cache
def asset(folder: Path, name: str) -> bytes:
    """Read a good file once."""
    return (folder / name).read_bytes()


# --- sound ---------------------------------------------------------------------------------------


def sound(kind: str) -> Callable[[Rng, Path], Input]:
    """Make inputs of a format of sound."""

    def make(rng: Rng, assets: Path) -> Input:
        data, named, note = asset(assets, f"music.{kind}"), False, ""
        way = rng.random()
        if way < 0.25:
            data, named, note = m.cut(data, rng, LEAST_LOST), True, "cut"
        elif way < 0.4 and kind in good.ENCODED:
            # The body begins after the heads; a tenth of the whole is more than one of the body.
            share = rng.uniform(LEAST_LOST, 0.4)
            data, named, note = m.overwrite(data, rng, share, 0.1), True, "overwritten"
        elif way < 0.65:
            data, note = m.header(kind)(data, rng), "header"
        else:
            data, note = m.any_bytes(data, rng), "bytes"
        name = (
            f"music.{kind}" if rng.random() < 0.93 else pick(rng, ("music.mp3", "music.m4a", "x"))
        )
        where = rng.random()
        if where < 0.6:
            return prepared(kind, {name: data}, name, named, note)
        if where < 0.97:
            words = ["read", f"{{folder}}/{name}"]
        elif where < 0.99:
            words = [CLI, "classify", f"{{folder}}/{name}", "--run", "{assets}/run"]
        else:
            paths = [f"{{folder}}/{name}", "{assets}/music.wav", "{folder}/out.wav"]
            words = [CLI, "transfer", "--iterations", "0", *paths]
        return Input(kind, words, {name: data}, subject=name, note=note)

    return make


def prepared(
    kind: str, files: dict[str, bytes], subject: str, named: bool = False, note: str = ""
) -> Input:
    """Let `lildata prepare` read files of one genre."""
    files = {f"music/house/{name}": data for name, data in files.items()}
    words = [CLI, "prepare", "{folder}/music", "{folder}/out", "--workers", "1"]
    return Input(kind, words, files, {}, f"music/house/{subject}", named, note)


# --- pictures ------------------------------------------------------------------------------------


def shown(kind: str, rng: Rng, name: str, data: bytes) -> Input:
    """Let a picture be read, or in one case of thirty inverted."""
    if rng.random() < 0.97:
        words = ["picture", f"{{folder}}/{name}", *(["--resize"] if rng.random() < 0.3 else [])]
    else:
        options = ["--iterations", "1", *(["--resize"] if rng.random() < 0.3 else [])]
        words = [CLI, "invert", f"{{folder}}/{name}", "{folder}/out.wav", *options]
    return Input(kind, words, {name: data}, subject=name)


def png(rng: Rng, assets: Path) -> Input:
    """Make a picture file."""
    data, way = asset(assets, "picture.png"), rng.random()
    if way < 0.35:
        data = m.header("png")(data, rng)
    else:
        data = m.odd_picture(rng) if way < 0.65 else m.any_bytes(data, rng)
    return shown("png", rng, pick(rng, ("a.png", "a.png", "a.png", "a.jpg", "a.tif", "a")), data)


def npy(rng: Rng, assets: Path) -> Input:
    """Make an array file."""
    data = asset(assets, pick(rng, ("picture.npy", "magnitude.npy")))
    way = rng.random()
    if way < 0.45:
        data = m.npy_header(data, rng)
    else:
        data = m.odd_array(rng) if way < 0.7 else m.any_bytes(data, rng)
    return shown("npy", rng, "a.npy", data)


def npz(rng: Rng, assets: Path) -> Input:
    """Make an archive of arrays, which is no picture."""
    data = m.any_bytes(asset(assets, "arrays.npz"), rng)
    return shown("npz", rng, pick(rng, ("a.npy", "a.npz")), data)


# --- tables --------------------------------------------------------------------------------------


def clips(rng: Rng, assets: Path) -> Input:
    """Make a data set's table."""
    text = asset(assets, "dataset/clips.csv").decode()
    return dataset("clips.csv", m.table(text, rng), assets, rng)


def description(rng: Rng, assets: Path) -> Input:
    """Make a data set's description."""
    data = m.json_text(asset(assets, "dataset/dataset.json"), rng)
    return dataset("dataset.json", data, assets, rng)


def dataset(name: str, data: bytes, assets: Path, rng: Rng) -> Input:
    """Let a data set be loaded and looked at; or in one case of a hundred be tested."""
    files = {part: asset(assets, f"dataset/{part}") for part in ("clips.csv", "dataset.json")}
    words = ["dataset", "{folder}"]
    if rng.random() < 0.01:
        words = [CLI, "test", "{assets}/run", "{folder}", "--out", "{folder}/report"]
    return Input(name, words, files | {name: data}, {"shards": "dataset/shards"}, name)


def tracks(rng: Rng, assets: Path) -> Input:
    """Make a table of artists."""
    name = pick(rng, ("music/tracks.csv", "music/house/tracks.csv"))
    made = prepared("tracks.csv", {}, "")
    files = {name: m.table(good.TRACKS, rng)}
    return replace(made, files=files, subject=name, links={"music/house/music.wav": "music.wav"})


def mix(rng: Rng, assets: Path) -> Input:
    """Make a mix's track list."""
    name, data = "music.tracks.csv", m.table(good.MIX, rng)
    if rng.random() < 0.5:
        return Input("mix list", ["mix", "{folder}/music.wav"], {name: data}, subject=name)
    made = prepared("mix list", {name: data}, name)
    return replace(made, links={"music/house/music.wav": "music.wav"})


def pairs(rng: Rng, assets: Path) -> Input:
    """Make a table of transfers."""
    files = {"pairs.csv": m.table(good.PAIRS, rng)}
    return Input("pairs.csv", ["pairs", "{folder}/pairs.csv"], files, subject="pairs.csv")


# --- runs and records ----------------------------------------------------------------------------


def run(name: str, data: bytes, assets: Path, words: list[str], base: str = "run") -> Input:
    """Make a run folder with one file changed."""
    files = {part: asset(assets, f"{base}/{part}") for part in ("run.json", "history.csv")}
    links = {} if name == "model.keras" else {"model.keras": f"{base}/model.keras"}
    return Input(name, words, files | {name: data}, links, name)


def run_json(rng: Rng, assets: Path) -> Input:
    """Make a run's description."""
    base = pick(rng, ("run", "run", "lstm"))
    data = m.json_text(asset(assets, f"{base}/run.json"), rng)
    words = ["run", "{folder}"]
    if rng.random() < 0.04:
        music = "{assets}/music.wav"
        words = [CLI, "classify", music, "--run", "{folder}"]
        words = [CLI, "generate", "{folder}", "{folder}/o.wav"] if base == "lstm" else words
    return run("run.json", data, assets, words, base)


def history(rng: Rng, assets: Path) -> Input:
    """Make a run's history."""
    lines = asset(assets, "run/history.csv").decode().splitlines()[:6]
    return run("history.csv", m.table("\n".join(lines), rng), assets, ["run", "{folder}"])


def keras(rng: Rng, assets: Path) -> Input:
    """Make a model's file."""
    base = pick(rng, ("run", "lstm"))
    data = m.archive(asset(assets, f"{base}/model.keras"), rng)
    return run("model.keras", data, assets, ["model", "{folder}"], base)


def shard(rng: Rng, assets: Path) -> Input:
    """Make the record beside a shard; `prepare` must do the file again, or find it fits."""
    record = {"version": 1, "size": 0, "time_ns": 0, "limit": None}
    content = {"fingerprint": record, "starts_s": [0.0], "peaks_db": [-6.0], "skipped": []}
    data = m.json_text(json.dumps(content).encode(), rng)
    if rng.random() < 0.5:
        words, name = ["shard", "{folder}"], "shards/house/music.json"
        return Input("shard record", words, {name: data}, subject=name)
    made = prepared("shard record", {}, "")
    name = "out/shards/house/music.json"
    links = {"music/house/music.wav": "music.wav", "out/shards/house/music.npy": "picture.npy"}
    return replace(made, files={name: data}, subject=name, links=links)


def record(rng: Rng, assets: Path) -> Input:
    """Make a transfer's record, with a sound and a picture beside it."""
    files = {"old.json": m.json_text(good.transfer_record(), rng), "old.wav": b"x", "old.png": b"x"}
    return Input("transfer record", ["record", "{folder}/old.wav"], files, subject="old.json")


def plan(rng: Rng, assets: Path) -> Input:
    """Make a plan of experiments."""
    files = {"plan.toml": m.toml(good.PLAN, rng)}
    return Input("plan.toml", ["plan", "{folder}/plan.toml"], files, subject="plan.toml")


def checkpoint(rng: Rng, assets: Path) -> Input:
    """Make a checkpoint, from which a training goes on."""
    data = m.any_bytes(asset(assets, "arrays.npz"), rng)
    options = ["--out", "{folder}/run", "--pool", "63", "--epochs", "1", "--batch-size", "4"]
    words = [CLI, "train", "softmax", "{assets}/dataset", *options]
    name = "run/checkpoint.npz"
    about = {"run/run.json": b"{}"} if rng.random() < 0.2 else {}
    return Input("checkpoint.npz", words, {name: data, **about}, subject=name)


def parameters(rng: Rng, assets: Path) -> Input:
    """Make a notebook's cell of parameters."""
    lines = ['profile = "quick"', "seed = 0", "epochs = 3", 'genres = ["lofi"]']
    odd = (
        "",
        "x",
        "import os",
        "profile = f()",
        "a = b = 1",
        "a, b = 1, 2",
        "a: int = 1",
        "x += 1",
    )
    odd += (
        "%matplotlib inline",
        "!ls",
        "def f(): pass",
        "a = " + "(" * 300,
        "a = \x00",
        "a = '",
        "1",
    )
    odd += (
        "a = " + "-" * 5000 + "1",
        "a = {1: 2}",
        "a[0] = 1",
        "a.b = 1",
        "a = 1e400",
        "  a = 1",
        "é",
    )
    for _ in range(int(rng.integers(1, 3))):
        lines[int(rng.integers(len(lines)))] = pick(rng, odd)
    source = m.maybe_bytes("\n".join(lines).encode(), rng).decode("utf-8", "replace")
    about = {"cell_type": "code", "execution_count": None, "outputs": [], "id": "a"}
    cell = about | {"metadata": {"tags": ["parameters"]}, "source": source}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    data = json.dumps(notebook).encode()
    if rng.random() < 0.3:
        data = m.json_text(data, rng)
    words = ["parameters", "{folder}/00_a.ipynb"]
    return Input("parameters", words, {"00_a.ipynb": data}, subject="00_a.ipynb")


# --- names, words, uploads -----------------------------------------------------------------------


def names(rng: Rng, assets: Path) -> Input:
    """Make a file of an odd name, or ask for one that can't be."""
    if rng.random() < 0.7:
        name = os.fsdecode(pick(rng, m.NAMES))
        data = asset(assets, "music.wav") if rng.random() < 0.8 else b"no music"
        if rng.random() < 0.9:
            return prepared("names", {name: data}, name)
        words = [CLI, "classify", f"{{folder}}/{name}", "--run", "{assets}/run"]
        return Input("names", words, {name: data}, subject=name)
    name, run_folder = pick(rng, m.NEVER_THERE), "{assets}/run"
    below = f"{{folder}}/{name}"  # what might be written stays there
    name = name if rng.random() < 0.5 else below
    commands = [
        ["prepare", below, "{folder}/out"],
        ["prepare", "{folder}", f"{below}/out"],
        ["classify", name, "--run", run_folder],
        ["classify", "{assets}/music.wav", "--run", name],
        ["test", name, "{assets}/dataset"],
        ["test", run_folder, name],
        ["invert", name, "{folder}/out.wav"],
        ["invert", "{assets}/picture.npy", f"{below}.wav", "--iterations", "1"],
        ["generate", name, "{folder}/out.wav"],
        ["transfer", name, "{assets}/music.wav", "{folder}/o.wav"],
        ["transfer", "--pairs", name, "{folder}/out"],
        ["sweep", name, "{folder}/out"],
        ["train", "softmax", name, "--out", "{folder}/run"],
        ["train", "softmax", "{assets}/dataset", "--out", name, "--genres", "none"],
    ]
    return Input("names", [CLI, *pick(rng, commands)])


def words(rng: Rng, assets: Path) -> Input:
    """Make a command line with a number out of range."""
    number = pick(rng, m.NUMBERS)
    small = pick(rng, ("0", "-1", "nan", "inf", "1.5", "x", "", "1" + "0" * 20, "1e300", "-inf"))
    wav, gone, out = "{assets}/music.wav", "{folder}/gone.wav", "{folder}/out"
    crate = ["crate", out, "--genres", "noise"]
    softmax = [
        "train",
        "softmax",
        "{assets}/dataset",
        "--out",
        out,
        "--pool",
        "63",
        "--epochs",
        "1",
    ]
    cnn = ["train", "cnn", "{assets}/dataset", "--out", out, "--epochs", "1", "--side", "32"]
    lstm = ["train", "lstm", "{assets}/dataset", "--out", out, "--epochs", "1", "--units", "2"]
    generate = ["generate", "{assets}/lstm", "{folder}/o.wav"]
    cheap = [
        ["prepare", "{folder}/music", out, "--workers", "1", "--seed", number],
        ["prepare", "{folder}/music", out, "--workers", "1", "--limit", number],
        ["prepare", "{folder}/music", out, "--workers", small],
        [*crate, "--tracks", small, "--seconds", "1"],
        [*crate, "--tracks", "1", "--seconds", number],
        [*crate, "--tracks", "1", "--seconds", "2", "--seed", number],
        [*crate, "--tracks", "1", "--seconds", "2", "--workers", small],
        ["crate", out, "--tracks", "1", "--seconds", "2", "--genres", number],
        ["invert", "{assets}/picture.npy", "{folder}/o.wav", "--iterations", small],
        ["invert", "{assets}/picture.npy", "{folder}/o.wav", "--iterations", "1", "--seed", number],
        [
            "invert",
            "{assets}/picture.npy",
            "{folder}/o.wav",
            "--iterations=1",
            f"--peak-db={number}",
        ],
        *(
            ["transfer", gone, wav, "{folder}/o.wav", f"--{name}={number}"]
            for name in ("alpha", "beta", "step-size", "content-start", "style-start", "seed")
        ),
        ["transfer", wav, wav, "{folder}/o.wav", f"--content-start={pick(rng, m.NUMBERS[4:])}"],
        ["course", "--only", number or "99", "--out", out],
        [
            "demo",
            "--no-browser",
            f"--port={pick(rng, ('0', '-1', 'nan', '65536', '9' * 20, 'x', ''))}",
        ],
        [*softmax, f"--genres={number}"],
        ["classify", wav, "--run", "{assets}/run", "--out", wav],
        ["test", "{assets}/run", "{assets}/dataset", f"--split={number}"],
        [pick(rng, ("", "x", "--", "-1", "\udcff", "prepare", "--completion", "--completion=x"))],
    ]
    dear = [
        [*softmax, f"--learning-rate={number}"],
        [*softmax, f"--batch-size={number}"],
        [*softmax, f"--seed={number}"],
        [*softmax, f"--epochs={small}"],
        [*softmax, f"--pool={number}"],
        [*cnn, f"--filters={number},{number}"],
        [*cnn, f"--filters={pick(rng, ('1000000,1000000', '2,2,2,2,2,2,2,2,2', ',', '2'))}"],
        [*cnn, "--filters=2,2", f"--dropout={number}"],
        [*cnn, "--filters=2,2", f"--channels={number}"],
        [*lstm, f"--layers={number}"],
        [*lstm, f"--units={number}"],
        [*lstm, f"--rank={number}"],
        [*lstm, f"--mixtures={number}"],
        [*generate, f"--temperature={number}"],
        [*generate, f"--seed={number}"],
        [*generate, "--start", wav, f"--at={number}"],
        [*generate, "--dataset", "{assets}/dataset", "--start", number],
    ]
    chosen = pick(rng, cheap if rng.random() < 0.85 else dear)
    return Input("words", [CLI, *chosen], links={"music/house/music.wav": "music.wav"})


def upload(rng: Rng, assets: Path) -> Input:
    """Make what a browser, or somebody who plays one, sends to the demo."""
    data = asset(assets, pick(rng, ("music.ogg", "music.mp3")))
    if rng.random() < 0.5:
        data = m.any_bytes(data, rng)
    name: Any = pick(
        rng, ("a.ogg", "a\x00.ogg", "x" * 300, "../../a", "", "/", ".", "🎵.mp3", "\udcff")
    )
    name = name if rng.random() < 0.7 else pick(rng, m.VALUES)
    size = len(data)
    half = size // 2
    pieces = [[name, size, 0, half], [name, size, half, size]]
    for _ in range(int(rng.integers(0, 3))):
        piece = pieces[int(rng.integers(len(pieces)))]
        piece[int(rng.integers(4))] = pick(
            rng, (0, -1, 1, size, half, 10**12, 10**20, None, "x", 1.5)
        )
    if rng.random() < 0.2:
        pieces = pieces[::-1] if rng.random() < 0.5 else pieces + pieces
    odd = [message for message in m.VALUES if isinstance(message, str | dict | list | int | None)]
    other = pick(rng, odd) if rng.random() < 0.2 else "shown"
    text = json.dumps({"pieces": pieces, "other": other}).encode()
    files = {"message.json": text, "data": data}
    return Input("upload", ["upload", "{folder}"], files, subject="data")


# How many of ten thousand, and how they are made.
KINDS: dict[str, tuple[int, Callable[[Rng, Path], Input]]] = {
    "wav": (500, sound("wav")),
    "flac": (450, sound("flac")),
    "ogg": (450, sound("ogg")),
    "mp3": (450, sound("mp3")),
    "aiff": (100, sound("aiff")),
    "m4a": (150, sound("m4a")),
    "png": (1100, png),
    "npy": (1200, npy),
    "npz": (150, npz),
    "clips.csv": (800, clips),
    "tracks.csv": (250, tracks),
    "mix list": (300, mix),
    "history.csv": (350, history),
    "pairs.csv": (400, pairs),
    "dataset.json": (400, description),
    "run.json": (500, run_json),
    "shard record": (300, shard),
    "transfer record": (350, record),
    "plan.toml": (800, plan),
    "model.keras": (180, keras),
    "checkpoint.npz": (20, checkpoint),
    "parameters": (250, parameters),
    "names": (300, names),
    "words": (300, words),
    "upload": (350, upload),
}


def make(kind: str, seed: int, number: int, assets: Path) -> Input:
    """Make the input of this name."""
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode()), number])
    return KINDS[kind][1](rng, assets)


def numbered(inputs: int, only: list[str]) -> list[tuple[str, int]]:
    """Share so many inputs out among the kinds: each by its weight, at least one."""
    chosen = {kind: KINDS[kind][0] for kind in only or KINDS}
    whole = sum(chosen.values())
    return [
        (kind, number)
        for kind, weight in chosen.items()
        for number in range(max(1, -(-inputs * weight // whole)))
    ]
