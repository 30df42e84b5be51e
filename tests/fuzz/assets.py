"""Good files, small ones, from which all mutations start."""

import itertools
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lildata_utils.files import KEPT_LSTMS, LIL_DATA_RUN, write_json
from lildata_utils.sound import audio
from lildata_utils.sound.pictures import write_picture

SECONDS = 8.0
SOUNDS = ("wav", "flac", "ogg", "mp3", "aiff", "m4a")
ENCODED = ("flac", "ogg", "mp3", "m4a")
GENRES = ("lofi", "noise")
CLIPS = 4
LSTM_RUN = KEPT_LSTMS / "depth_2_600_clips_25_epochs"
SPLITS = ("train", "train", "validation", "test")

TRACKS = "file,artist\nmusic.wav,Ann\nalbum/other.wav,Bob\n"
MIX = "start_s,end_s,artist,title\n0,4.5,Ann,One\n4,8,Bob,Two $5\n"
PAIRS = (
    "content,style,content_start_s,style_start_s,name\n"
    "calm.wav,dense.wav,0,1.5,first\ndense.wav,calm.wav,,,\n"
)
PLAN = """
[music]
tracks = 3
seconds = 10.0
seed = 1
fractions = [0.5, 0.25, 0.25]

[[row]]
name = "Small"
network = "cnn"
seeds = [0, 1]
epochs = 2
learning_rate = 0.001
options = { side = 32, filters = [2, 2] }

[[row]]
name = "Softmax, half"
network = "softmax"
question = 2
epochs = 1
batch_size = 8
share = 0.5
split = "track"
degraded = true

[[contrast]]
name = "half of the clips"
plus = ["Softmax, half"]
minus = ["Small"]
"""


def build(folder: Path) -> Path:
    """Make all good files in a folder: sounds, pictures, a data set, runs."""
    folder.mkdir(parents=True, exist_ok=True)
    sound = music(SECONDS)
    for kind in ("wav", "flac", "ogg", "mp3"):
        audio.write(folder / f"music.{kind}", sound)
    convert(folder / "music.wav", folder / "music.aiff")
    if shutil.which("ffmpeg"):
        convert(folder / "music.wav", folder / "music.m4a")
    picture = np.kron(np.random.default_rng(0).integers(0, 256, (32, 5)), np.ones((20, 8)))
    image = picture[:631].astype(np.uint8)
    write_picture(folder / "picture.png", image)
    np.save(folder / "picture.npy", image)
    np.save(folder / "magnitude.npy", image.astype(np.float32) / 9)
    np.savez(folder / "arrays.npz", image)
    make_dataset(folder / "dataset")
    shutil.copytree(LIL_DATA_RUN, folder / "run", dirs_exist_ok=True)
    shutil.copytree(LSTM_RUN, folder / "lstm", dirs_exist_ok=True)
    return folder


def music(seconds: float, seed: int = 0) -> np.ndarray:
    """Make something with tones and hiss, so that no coder finds it too easy."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * 22_050)) / 22_050
    tones = sum(np.sin(2 * np.pi * f * (1 + seed / 7) * time_s) for f in (110, 331, 1760))
    return (0.2 * tones + 0.05 * rng.standard_normal(len(time_s))).astype(np.float32)


def convert(path: Path, out: Path) -> None:
    """Let soundfile or ffmpeg write what the package can't."""
    if out.suffix == ".m4a":
        command = ["ffmpeg", "-v", "error", "-y", "-i", str(path), str(out)]
        subprocess.run(command, check=True, capture_output=True)
    else:
        import soundfile

        soundfile.write(out, audio.read(path), 22_050)


def make_dataset(folder: Path, genres: Sequence[str] = GENRES) -> None:
    """Write genres of a few clips, as `lildata prepare` would."""
    shards = folder / "shards"
    shards.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    lines = ["id,genre,artist,track,start_s,peak_db,split,shard,index"]
    for genre, loudest in zip(genres, itertools.cycle((100, 256))):
        np.save(shards / f"{genre}.npy", rng.integers(0, loudest, (CLIPS, 631, 631), np.uint8))
        for index, split in enumerate(SPLITS):
            lines.append(
                f"{genre}/t{index}@0s,{genre},Ann {index},t{index},{5.0 * index},-6.0,{split},"
                f"shards/{genre}.npy,{index}"
            )
    (folder / "clips.csv").write_text("\n".join(lines) + "\n")
    (folder / "skipped.csv").write_text("file,start_s,reason\n")
    about = {"version": 1, "sample_rate": 22050, "clip_s": 5.0, "n_fft": 1260, "hop_length": 175}
    about |= {"floor_db": -80.0, "genres": list(genres), "split": "track", "seed": 0, "notes": []}
    write_json(folder / "dataset.json", about)


def transfer_record() -> bytes:
    """Give the record of a transfer, as it stands beside its sound."""
    settings = {"content": "a.wav", "style": "b.wav", "content_start_s": 0.0, "style_start_s": 1.0}
    settings |= {"network": "lil_data", "weights": None, "alpha": 1.0, "beta": 900.0}
    settings |= {"iterations": 3, "optimizer": "adam", "step_size": 2.0, "start": "content"}
    record = {"settings": settings | {"phase": "content", "seed": 0}, "weights": "Lil Data"}
    return json.dumps(record, indent=2).encode()
