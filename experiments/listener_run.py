"""Make the listener that comes with the course: it learns the crate's lessons, then its genres.

A killed run goes on where it was:

    python experiments/listener_run.py data/listener
"""

import argparse
import shutil
from pathlib import Path

from lildata_utils.clips import dataset, prepare
from lildata_utils.crate.collection import write_collection
from lildata_utils.crate.settings import Collection
from lildata_utils.files import LISTENER_RUN
from lildata_utils.genre.doubt import DOUBT_FILE, fit_doubt
from lildata_utils.learning import lessons, runs
from lildata_utils.learning.fit import fit
from lildata_utils.learning.history import describe_epoch
from lildata_utils.learning.recipe import Recipe
from lildata_utils.learning.recipes import LISTENER
from lildata_utils.learning.settings import Training
from lildata_utils.machine import usable_cores
from lildata_utils.networks.settings import ListenerSettings

# A seed that neither the course nor the judges have.
COLLECTION = Collection(tracks=160, duration_s=25.0, seed=100)
LESSONS_EPOCHS, GENRES_EPOCHS = 20, 20
# With thousands of clips.
DECAY = 0.5


def train(
    folder: Path, recipe: Recipe, clips: dataset.Dataset, settings: ListenerSettings, epochs: int
) -> None:
    """Train, and print a line an epoch."""
    for step in fit(folder, recipe, clips, Training(epochs), settings):
        if step.history is not None:
            print(describe_epoch(step.history, step.epochs), flush=True)


def main() -> None:
    """Render, prepare, train twice, measure the doubt, and copy what is shipped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="gets the music, its clips and both runs")
    out = parser.parse_args().out
    for _ in write_collection(out / "music", COLLECTION, usable_cores()):
        pass
    for _ in prepare.prepare(out / "music", out / "dataset"):
        pass
    clips = dataset.load(out / "dataset")
    taught = lessons.with_lessons(clips, COLLECTION)
    student = lessons.student_of(taught)
    train(out / "student", student, taught, lessons.SETTINGS, LESSONS_EPOCHS)
    settings = ListenerSettings(decay=DECAY, start=str(out / "student"))
    train(out / "listener", LISTENER, clips, settings, GENRES_EPOCHS)
    run = runs.load_run(out / "listener")
    fit_doubt(run, clips.select("train"), clips.select("validation"))
    LISTENER_RUN.mkdir(parents=True, exist_ok=True)
    for name in (runs.RUN_FILE, runs.MODEL_FILE, runs.HISTORY_FILE, DOUBT_FILE):
        shutil.copy2(run.folder / name, LISTENER_RUN / name)
    print(LISTENER_RUN)


if __name__ == "__main__":
    main()
