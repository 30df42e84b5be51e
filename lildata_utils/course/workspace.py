"""What the notebooks share: the course's music and data set, made once and found again.

Everything lies below ``data/``, in a folder a profile: ``music/``, ``dataset/`` and ``runs/``, and
``lofi/`` with a music and a data set of its own.
"""

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from lildata_utils.clips import dataset, prepare
from lildata_utils.course.profiles import get_profile
from lildata_utils.crate.collection import write_collection
from lildata_utils.crate.settings import Collection
from lildata_utils.files import DATA_FOLDER, KEPT_LSTMS, LIL_DATA_RUN, shown, written_beside
from lildata_utils.genres import GENRES
from lildata_utils.learning.settings import Training
from lildata_utils.machine import usable_cores
from lildata_utils.networks.settings import RANDOM, ListenerSettings, LSTMSettings
from lildata_utils.settings import Settings
from lildata_utils.sound import audio
from lildata_utils.sound.spectrogram import CLIP_S, Floats

if TYPE_CHECKING:
    from lildata_utils.learning.recipe import Recipe
    from lildata_utils.learning.runs import Run

# The LSTMs of notebook 05, by what sets them apart.
LSTM_RUNS = {
    "depth_2": LSTMSettings(layers=2),
    "depth_3": LSTMSettings(),
    "depth_4": LSTMSettings(layers=4),
    "components": LSTMSettings(rank=64),
    "mixture": LSTMSettings(rank=64, mixtures=5),
    "skip": LSTMSettings(skip=True),
    "mixture_skip": LSTMSettings(rank=64, mixtures=5, skip=True),
    "free": LSTMSettings(truth=0.0),
    "sampled": LSTMSettings(truth=0.5),
    "repeated": LSTMSettings(reading="repeated"),
    "zeros": LSTMSettings(reading="zeros"),
    "noise": LSTMSettings(noise=0.1),
    "wide": LSTMSettings(units=128),
}


def profile_folder(profile: str) -> Path:
    """Tell where a profile, one of `profiles.PROFILES`, keeps what it makes (README)."""
    return DATA_FOLDER / get_profile(profile).name


def course_dataset(profile: str, split: str = "track") -> dataset.Dataset:
    """Open the course's data set in a profile's size; make what is not there yet (notebook 01).

    Says in a line which of the two happened. Both splits, by track and by clip, deal the same
    clips.
    """
    return _dataset(profile, profile_folder(profile), GENRES, split)


def lofi_dataset(profile: str) -> dataset.Dataset:
    """Open lo-fi alone, in the amounts that LSTMs learn; make what is not there yet (notebook 05).

    Says in a line which of the two happened.
    """
    size = get_profile(profile)
    clips = _dataset(profile, profile_folder(profile) / "lofi", ("lofi",), "track")
    return clips.at_most(train=size.lstm_clips, validation=size.lstm_clips // 6)


def _dataset(profile: str, folder: Path, genres: tuple[str, ...], split: str) -> dataset.Dataset:
    size = get_profile(profile)
    started = time.perf_counter()
    made = 0
    collection = Collection(tracks=size.tracks, duration_s=size.track_s, genres=genres)
    for rendered in write_collection(folder / "music", collection, usable_cores()):
        made += rendered.rendered
    out = folder / ("dataset" if split == "track" else f"dataset-{split}")
    for step in prepare.prepare(
        folder / "music", out, split=split, limit=size.clips, fractions=size.fractions
    ):
        done = step
    opened = dataset.load(out)
    seconds = time.perf_counter() - started
    if made or done.files_reused < done.files:
        print(f"Rendered {made} tracks and prepared {done.clips} clips in {seconds:.0f} s", end="")
    else:
        print(f"Loaded {done.clips} clips", end="")
    print(f" ({shown(out)}: {len(opened.genres)} genres, split by {split})")
    return opened


def clip_sound(profile: str, clip: pd.Series) -> Floats:
    """Read the sound of a row of `course_dataset`, shape (110250,) (notebook 02)."""
    path = profile_folder(profile) / "music" / clip["genre"] / f"{clip['track']}.flac"
    return audio.read(path, float(clip["start_s"]), CLIP_S)


def course_run(
    profile: str,
    name: str,
    recipe: "Recipe",
    clips: dataset.Dataset,
    settings: Settings | None = None,
    epochs: int | None = None,
) -> "Run":
    """Load a network of the course in a profile's size, or train it; print which (notebook 02).

    The profile gives the batch size and the epochs, unless others are asked for; the run lies in
    ``data/PROFILE/runs``.
    """
    from lildata_utils.learning.fit import fit_or_load

    size = get_profile(profile)
    # Relative, because the notebooks print it and others will read them.
    folder = Path(os.path.relpath(profile_folder(profile) / "runs" / name))
    epochs = size.epochs if epochs is None else epochs
    return fit_or_load(folder, recipe, clips, Training(epochs, size.batch_size), settings)


def lstm_run(profile: str, name: str, clips: dataset.Dataset, epochs: int) -> "Run":
    """Load one of `LSTM_RUNS` in a profile's size, or train it; print which (notebook 05).

    The folder is named after the epochs, too: every stage of a training stays. A longer training
    goes on from the profile's early stage, if that is there.
    """
    from lildata_utils.learning.recipes import LSTM

    def folder(stage: int) -> Path:
        return profile_folder(profile) / "runs" / _lstm_name(name, clips, stage)

    early, _ = get_profile(profile).lstm_epochs
    if early < epochs and not folder(epochs).exists() and folder(early).exists():
        with written_beside(folder(epochs)) as beside:
            shutil.copytree(folder(early), beside)
    where = _lstm_name(name, clips, epochs)
    return course_run(profile, where, LSTM, clips, LSTM_RUNS[name], epochs)


def kept_lstm(name: str) -> "Run":
    """Load one of the LSTMs that come with the course: long runs of "paper" (notebook 05).

    Says so in a line, with data, epochs, seed and machine. `name` is that of a folder in
    ``data/pretrained/lstm``.
    """
    from lildata_utils.learning.runs import load_run

    run = load_run(KEPT_LSTMS / name)
    print(
        f"Loaded {shown(run.folder)}, which comes with the course: {len(run.history)} epochs on "
        f"{run.data['train_clips']} clips, seed {run.settings['seed']}, "
        f"{run.environment['machine']}"
    )
    return run


def _lstm_name(name: str, clips: dataset.Dataset, epochs: int) -> str:
    train = int((clips.clips["split"] == "train").sum())
    return f"lstm/{name}_{train}_clips_{epochs}_epochs"


def genre_network(profile: str) -> "Run":
    """Load the Lil Data that comes with the course, or without it the profile's own (notebook 00).

    Says which of the two happened.
    """
    from lildata_utils.learning.recipes import LIL_DATA

    run = _shipped(LIL_DATA_RUN.name)
    if run is None:
        return course_run(profile, LIL_DATA_RUN.name, LIL_DATA, course_dataset(profile))
    return run


def listener_network(profile: str) -> "Run":
    """Load the listener that comes with the course, or without it the profile's own (notebook 07).

    Says which of the two happened. Either knows how far to believe it.
    """
    from lildata_utils.genre.doubt import fit_doubt, load_doubt
    from lildata_utils.learning.recipes import LISTENER

    run = _shipped(LISTENER.name)
    if run is None:
        clips, epochs = course_dataset(profile), get_profile(profile).listener_epochs
        fresh = ListenerSettings(start=RANDOM)
        run = course_run(profile, LISTENER.name, LISTENER, clips, fresh, epochs)
        if load_doubt(run) is None:
            fit_doubt(run, clips.select("train"), clips.select("validation"))
    return run


def _shipped(name: str) -> "Run | None":
    from lildata_utils.learning.runs import shipped_run

    run = shipped_run(name)
    if run is not None:
        print(
            f"Loaded the network that comes with the course ({shown(run.folder)}: trained on "
            f"{run.data['train_clips']} clips of {len(run.genres)} genres)"
        )
    return run
