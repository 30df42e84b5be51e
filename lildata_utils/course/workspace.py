"""What the notebooks share: the course's music and data set, made once and found again.

Everything lies below ``data/``, in a folder a profile: ``music/``, ``dataset/`` and ``runs/``, and
``lofi/`` with a music and a data set of its own.
"""

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lildata_utils.clips import dataset, prepare
from lildata_utils.course.profiles import get_profile
from lildata_utils.crate.collection import write_collection
from lildata_utils.crate.settings import Collection
from lildata_utils.files import DATA_FOLDER, KEPT_LSTMS, LIL_DATA_RUN, shown, written_beside
from lildata_utils.genres import GENRES
from lildata_utils.machine import usable_cores
from lildata_utils.sound import audio
from lildata_utils.sound.spectrogram import CLIP_S, Floats

if TYPE_CHECKING:
    from lildata_utils.learning.training import Network, Run

# The LSTMs of notebook 05, by what sets them apart; see `lstm.build_lstm`.
LSTM_RUNS: dict[str, dict[str, Any]] = {
    "depth_2": {"layers": 2},
    "depth_3": {},
    "depth_4": {"layers": 4},
    "components": {"rank": 64},
    "mixture": {"rank": 64, "mixtures": 5},
    "skip": {"skip": True},
    "mixture_skip": {"rank": 64, "mixtures": 5, "skip": True},
    "free": {"truth": 0.0},
    "sampled": {"truth": 0.5},
    "repeated": {"reading": "repeated"},
    "zeros": {"reading": "zeros"},
    "noise": {"noise": 0.1},
    "wide": {"units": 128},
}


def profile_folder(profile: str) -> Path:
    """Tell where a profile keeps what it makes.

    Raises
    ------
    LilDataError
        If there is no such profile.
    """
    return DATA_FOLDER / get_profile(profile).name


def course_dataset(profile: str, split: str = "track") -> dataset.Dataset:
    """Open the course's data set in a profile's size; render and prepare what is not there yet.

    Says in a line which of the two happened.

    Parameters
    ----------
    profile : {"smoke", "quick", "paper"}
        See `profiles.PROFILES`.
    split : {"track", "clip"}
        Both splits deal the same clips.

    Returns
    -------
    Dataset
    """
    return _dataset(profile, profile_folder(profile), GENRES, split)


def lofi_dataset(profile: str) -> dataset.Dataset:
    """Open lo-fi alone, in the amounts that the LSTMs learn; render and prepare what is not there.

    Says in a line which of the two happened.

    Parameters
    ----------
    profile : {"smoke", "quick", "paper"}
        See `profiles.PROFILES`.

    Returns
    -------
    Dataset
    """
    size = get_profile(profile)
    clips = _dataset(profile, profile_folder(profile) / "lofi", ("lofi",), "track")
    return clips.at_most(train=size.lstm_clips, validation=size.lstm_clips // 6)


def _dataset(profile: str, folder: Path, genres: Sequence[str], split: str) -> dataset.Dataset:
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
    """Read the sound of one of the course's clips.

    Parameters
    ----------
    profile : {"smoke", "quick", "paper"}
        Whose data set the clip is from.
    clip : Series
        A row of ``course_dataset(profile).clips``.

    Returns
    -------
    ndarray of float32, shape (110250,)
        Mono at 22 050 Hz.

    Raises
    ------
    AudioError
        If the track is gone.
    """
    path = profile_folder(profile) / "music" / clip["genre"] / f"{clip['track']}.flac"
    return audio.read(path, float(clip["start_s"]), CLIP_S)


def course_run(
    profile: str,
    name: str,
    network: "Network",
    clips: dataset.Dataset,
    options: Mapping[str, Any] | None = None,
    epochs: int | None = None,
) -> "Run":
    """Load a network of the course in a profile's size, or train it; says which in a line.

    Parameters
    ----------
    profile : {"smoke", "quick", "paper"}
        Gives the epochs and the batch size.
    name : str
        Of the run, below ``data/PROFILE/runs``.
    network : Network
        Such as ``classifier.LIL_DATA``.
    clips : Dataset
        Its train and validation splits are used.
    options : mapping, optional
        Changes to ``network.options``.
    epochs : int, optional
        In place of the profile's.

    Returns
    -------
    Run
    """
    from lildata_utils.learning.training import fit_or_load, load_run

    size = get_profile(profile)
    # Relative, because the notebooks print it and others will read them.
    folder = Path(os.path.relpath(profile_folder(profile) / "runs" / name))
    epochs = size.epochs if epochs is None else epochs
    fit_or_load(folder, network, clips, epochs, batch_size=size.batch_size, options=options)
    return load_run(folder)


def lstm_run(profile: str, name: str, clips: dataset.Dataset, epochs: int) -> "Run":
    """Load one of the course's LSTMs in a profile's size, or train it; says which in a line.

    Parameters
    ----------
    profile : {"smoke", "quick", "paper"}
        Gives the batch size.
    name : str
        One of `LSTM_RUNS`.
    clips : Dataset
        From `lofi_dataset`, or some of them.
    epochs : int
        The folder is named after them, too: every stage of a training stays. A longer training goes
        on from the profile's early stage, if that is there.

    Returns
    -------
    Run
    """
    from lildata_utils.networks.lstm import LSTM

    def folder(stage: int) -> Path:
        return profile_folder(profile) / "runs" / _lstm_name(name, clips, stage)

    early, _ = get_profile(profile).lstm_epochs
    if early < epochs and not folder(epochs).exists() and folder(early).exists():
        with written_beside(folder(epochs)) as beside:
            shutil.copytree(folder(early), beside)
    where = _lstm_name(name, clips, epochs)
    return course_run(profile, where, LSTM, clips, LSTM_RUNS[name], epochs)


def kept_lstm(name: str) -> "Run":
    """Load one of the LSTMs that come with the course: long runs of the profile "paper".

    Says so in a line, with data, epochs, seed and machine.

    Parameters
    ----------
    name : str
        Of a folder in ``data/pretrained/lstm``.

    Returns
    -------
    Run

    Raises
    ------
    LilDataError
        If there is none of that name.
    """
    from lildata_utils.learning.training import load_run

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
    """Load the Lil Data that comes with the course; without it, load or train a profile's own.

    Says which of the two happened.

    Parameters
    ----------
    profile : {"smoke", "quick", "paper"}
        Size of the network to train where none comes with the course.

    Returns
    -------
    Run
    """
    from lildata_utils.learning.training import RUN_FILE, load_run
    from lildata_utils.networks.classifier import LIL_DATA

    if not (LIL_DATA_RUN / RUN_FILE).is_file():
        return course_run(profile, LIL_DATA_RUN.name, LIL_DATA, course_dataset(profile))
    run = load_run(LIL_DATA_RUN)
    print(
        f"Loaded the network that comes with the course ({shown(LIL_DATA_RUN)}: trained on "
        f"{run.data['train_clips']} clips of {len(run.genres)} genres)"
    )
    return run
