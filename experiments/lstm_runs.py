"""Train all LSTMs of notebook 05 at the paper's size, and put what they draw into numbers.

600 clips of lo-fi, rendered here, for 25 and 50 epochs, and two clips for 1000. What else may help
is compared on 200 clips and 25 epochs. The runs lie in ``data/paper/runs/lstm``; a stopped one goes
on where it was, and the notebook in the profile "paper" loads them. The table goes to
``data/pretrained/lstm/report.csv``, and the networks that the notebook shows are copied beside it.

    python experiments/lstm_runs.py
"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from lildata_utils.clips.dataset import Dataset
from lildata_utils.course.profiles import get_profile
from lildata_utils.course.workspace import LSTM_RUNS, lofi_dataset, lstm_run
from lildata_utils.files import KEPT_LSTMS, write_text, written_beside
from lildata_utils.generation import measures
from lildata_utils.generation.drawing import drawing_to_sound, follow
from lildata_utils.learning.runs import HISTORY_FILE, MODEL_FILE, RUN_FILE, Run
from lildata_utils.networks.settings import LSTMSettings
from lildata_utils.sound.pictures import write_picture

PROFILE = "paper"
DEPTHS = ("depth_2", "depth_3", "depth_4")
# Clips of the runs that are compared with each other only.
COMPARED = 200
# Starts that are drawn from and listened to, and real clips that say what lo-fi measures.
JUDGED, REFERENCE = 12, 60


def main() -> None:
    """Train what is not there yet, judge all of it, write the table."""
    size = get_profile(PROFILE)
    clips = lofi_dataset(PROFILE)
    pair = clips.at_most(train=2, validation=0)
    runs = [lstm_run(PROFILE, name, pair, size.lstm_pair_epochs) for name in ("depth_3", "free")]
    runs += [
        lstm_run(PROFILE, name, clips, epochs) for name in DEPTHS for epochs in size.lstm_epochs
    ]
    fewer = clips.at_most(train=COMPARED, validation=COMPARED // 6)
    runs += [
        lstm_run(PROFILE, name, fewer, size.lstm_epochs[0])
        for name in LSTM_RUNS
        if name == "depth_3" or name not in DEPTHS
    ]
    report = judge(runs, clips, pair)
    write_text(KEPT_LSTMS / "report.csv", report.to_csv(float_format="%.6g"))
    for number, image in enumerate(pair.select("train").images(), 1):
        write_picture(KEPT_LSTMS / f"learned_{number}.png", image)
    for run in runs:
        if run.data["train_clips"] != COMPARED or run.settings["mixtures"]:
            keep(run)
    print(report.to_string())


def judge(runs: list[Run], clips: Dataset, pair: Dataset) -> pd.DataFrame:
    """Put runs and trivial answers into a table.

    The networks of many clips draw from the first frames of test clips; those of two clips from
    the frames that they have learned.
    """
    train = clips.select("train").images()
    mean_frame = train.mean(axis=(0, 2)) / 255
    # By lot, so of many tracks: clips of few would call all others strange.
    lofi = [drawing_to_sound(i) for i in clips.select("train").at_most(train=REFERENCE).images()]
    test = clips.select("test").at_most(test=JUDGED).images()
    learned = pair.select("train").images()
    trivial = measures.baselines(test[:, :, 0] / 255, train, 630)
    rows = [
        table_of({"real": test[:, :, 1:] / 255} | trivial, test, mean_frame, lofi),
        table_of(bounds(test, clips), test, mean_frame, lofi),
        table_of(
            {f"two clips: {name}": drawn for name, drawn in bounds(learned, pair).items()},
            learned,
            mean_frame,
            lofi,
        ),
    ]
    for run in runs:
        images = learned if run.data["train_clips"] == len(learned) else test
        drawn = follow(run.model, images[:, :, 0] / 255)
        row = table_of({run.folder.name: drawn}, images, mean_frame, lofi)
        errors = measures.horizon_errors(run.model, images).loc[630]
        weights = sum(int(np.prod(weight.shape)) for weight in run.model.trainable_variables)
        facts = {
            "rank": max(measures.numerical_rank(picture) for picture in drawn),
            "teacher-forced": errors["teacher-forced"],
            "parameters": weights,
            "epochs": len(run.history),
            "train clips": run.data["train_clips"],
            "judged clips": len(images),
            "minutes": run.history["seconds"].sum() / 60,
            "loss": run.history["loss"].iloc[-1],
            "seed": run.settings["seed"],
            "machine": run.environment["machine"],
        }
        rows.append(row.assign(**facts))
    return pd.concat(rows).rename_axis("drawn by")


def bounds(images: np.ndarray, clips: Dataset) -> dict[str, np.ndarray]:
    """Real frames in another order, and the best that 50 units could draw: clip by clip, or all."""
    real = images[:, :, 1:] / np.float32(255)
    return {
        "shuffled frames": np.stack([measures.shuffled(picture) for picture in real]),
        "best of rank 51": np.stack([measures.best_of_rank(picture, 51) for picture in real]),
        "50 shapes for all": measures.with_shared_shapes(
            real, clips.select("train"), LSTMSettings().units
        ),
    }


def table_of(
    drawn: dict[str, np.ndarray], images: np.ndarray, mean_frame: np.ndarray, lofi: list[np.ndarray]
) -> pd.DataFrame:
    """Measure pictures and their sounds."""
    pictures = measures.picture_table(drawn, images[:, :, 1:] / 255, mean_frame)
    sounds = {
        name: [drawing_to_sound(picture) for picture in group] for name, group in drawn.items()
    }
    return pictures.join(measures.sound_table(sounds, lofi), how="right")


def keep(run: Run) -> None:
    """Copy what is needed to draw, without the state of the training."""
    target = KEPT_LSTMS / run.folder.name
    for name in (MODEL_FILE, HISTORY_FILE, RUN_FILE):
        with written_beside(target / name) as beside:
            shutil.copyfile(Path(run.folder) / name, beside)


if __name__ == "__main__":
    main()
