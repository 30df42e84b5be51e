"""What the notebooks share: the course's music and data set, made once and found again.

Everything lies below ``data/``, in a folder a profile: ``music/``, ``dataset/`` and ``runs/``.
"""

import time
from pathlib import Path

from lildata_utils import crate, dataset, prepare
from lildata_utils.files import DATA_FOLDER, PROJECT_FOLDER
from lildata_utils.parallel import usable_cores
from lildata_utils.profiles import GENRES, get_profile

PRETRAINED = DATA_FOLDER / "pretrained"


def profile_folder(profile: str) -> Path:
    """Tell where a profile keeps what it makes.

    Raises
    ------
    LilDataError
        If there is no such profile.
    """
    return DATA_FOLDER / get_profile(profile).name


def shown(path: Path) -> str:
    """Write a path as seen from the project's folder, for notebooks that others will read."""
    return path.relative_to(PROJECT_FOLDER).as_posix()


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
    size = get_profile(profile)
    folder = profile_folder(profile)
    started = time.perf_counter()
    made = 0
    rendering = crate.write_collection(
        folder / "music",
        tracks=size.tracks,
        duration_s=size.track_s,
        genres=GENRES,
        workers=usable_cores(),
    )
    for step in rendering:
        made = step.rendered
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
